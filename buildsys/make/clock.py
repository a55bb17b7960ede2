"""The pool's clock: what time it is, and waiting for a message until then.

A value of its own so that a test can let minutes pass. Knows nothing of what the messages mean.
"""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

_Message = TypeVar("_Message")

_LONGEST: Final = 3600.0
"""Seconds of one wait. A provider may ask for more than the system's timers can hold."""


class Clock:
    """Moments are those of `time.monotonic`."""

    def now(self) -> float:
        """Seconds since a moment of no meaning."""
        return time.monotonic()

    def receive(self, inbox: SimpleQueue[_Message], until: float) -> _Message | None:
        """The next message, or None where none came before `until`; `math.inf` waits for ever."""
        try:
            return inbox.get(timeout=min(max(0.0, until - self.now()), _LONGEST))
        except Empty:
            return None
