"""Why an engine did not make what it was asked, as the builder tells it and decides by it.

Knows nothing of processes.
"""

from __future__ import annotations

from typing import Final

from buildsys.errors import MakeError
from engines.protocol import ErrorKind

MOST_SHOWN: Final = 2000
"""Letters of what an engine says: a provider that answers with a whole page would flood every table."""


class GateFailed(MakeError):  # noqa: N818 - as in a sentence: the gate failed
    """A finished picture is not what its asset's gates ask for."""

    kind = "gate"


class EngineFailed(MakeError):  # noqa: N818 - as in a sentence: the engine failed
    """An engine could not make what it was asked, or is gone."""

    def __init__(  # noqa: PLR0913 - each a fact of its own, and all but two by name
        self,
        message: str,
        hint: str = "",
        *,
        kind: ErrorKind,
        host_bytes: int = 0,
        log_tail: str = "",
        retry_after: float | None = None,
        lost: bool = False,
        killed: bool = False,
        unasked: bool = False,
        crashed: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.kind = kind
        self.host_bytes = host_bytes
        """The most main memory that its process had; 0: unknown."""
        self.log_tail = log_tail
        """The last lines that the engine wrote to its log."""
        self.retry_after = retry_after
        """Seconds that the provider asked to wait."""
        self.lost = lost
        """The process is gone; whatever else it was making is not made."""
        self.killed = killed
        """By `SIGKILL`: nobody knows why, but of the device's memory it tells nothing."""
        self.unasked = unasked
        """It was gone before it was sent the batch."""
        self.crashed = crashed
        """Its process died, hung or broke the protocol; else it said itself what is wrong."""
        self.engine = ""
        """The engine that was to draw the asset; empty of any other work, such as its finishing, that no
        other engine could do instead."""

    def retold(self, message: str, engine: str = "") -> EngineFailed:
        """The same in the words `message`, and of `engine` where one is given."""
        other = EngineFailed(
            message,
            self.hint,
            kind=self.kind,
            host_bytes=self.host_bytes,
            log_tail=self.log_tail,
            retry_after=self.retry_after,
            lost=self.lost,
            killed=self.killed,
            unasked=self.unasked,
            crashed=self.crashed,
        )
        other.engine = engine or self.engine
        return other


def brief(said: str) -> str:
    """What an engine said, cut where it is long."""
    return said if len(said) <= MOST_SHOWN else f"{said[: MOST_SHOWN - 1]}…"
