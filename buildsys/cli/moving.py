"""How a push or a pull looks while it runs, and what is said of it at the end.

Knows nothing of what is moved.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, Self

from buildsys.cli import streams
from buildsys.cli.console import colourful, count
from buildsys.journal.words import bytes_told
from buildsys.remote import Progress

_SECONDS: Final = 0.1
"""Between two looks of the line: thousands of small objects a second would cost more than they tell."""


class Moving:
    """One line on a terminal, rewritten in place; nothing where nobody looks."""

    def __init__(self, done: str) -> None:
        self._done = done
        self._shown = colourful(sys.stderr)
        self._next = 0.0

    def tell(self, progress: Progress) -> None:
        """Show how far it has come, now and then."""
        if self._shown and time.monotonic() >= self._next:
            self._next = time.monotonic() + _SECONDS
            told = f"{progress.done} of {progress.total} {self._done}, {bytes_told(progress.bytes)}"
            self._write(f"\r{told}\x1b[K")

    def _write(self, text: str) -> None:
        with streams.outliving(sys.stderr):
            sys.stderr.write(text)
            sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._next:
            self._write("\r\x1b[K")


def moved_told(done: str, objects: int, actions: int, size: int, present: int) -> str:
    """`12 objects and 7 results sent, 3.4 MB; 240 were there`."""
    moved = f"{count(objects, 'object')} and {count(actions, 'result')} {done}"
    volume = f", {bytes_told(size)}" if size else ""
    return f"{moved}{volume}; {present} {'was' if present == 1 else 'were'} there"
