"""How a push or a pull looks while it runs, and what is said of it at the end.

Knows nothing of what is moved.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection
from types import TracebackType
from typing import Final, Self

from buildsys.cli import streams
from buildsys.cli.console import colourful, count, paint, tame
from buildsys.journal.words import bytes_told
from buildsys.make.progress import KeptNowhere, RemoteAsked, RemotePoisoned, RemoteTrouble
from buildsys.remote import Progress

_SECONDS: Final = 0.1
"""Between two looks of the line: thousands of small objects a second would cost more than they tell."""


MEND: Final = "run `artlock push --verify` on a machine that has the right ones"
"""What is to be done about wrong bytes in a remote."""


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


def moved_told(done: str, objects: int, actions: int, size: int, present: int | None = None) -> str:
    """`12 objects and 7 results sent, 3.4 MB; 240 were there`."""
    moved = f"{count(objects, 'object')} and {count(actions, 'result')} {done}"
    volume = f", {bytes_told(size)}" if size else ""
    if present is None:
        return f"{moved}{volume}"
    return f"{moved}{volume}; {present} {'was' if present == 1 else 'were'} there"


def refused_told(places: Collection[str]) -> str:
    """What a push or a pull says of bytes in the remote that are not those of their name."""
    word = paint("refused", "red")
    lines = [f"{word}  {tame(place)}: its bytes are not those of its name" for place in places]
    return "\n".join(lines) + f"\n\nhint: {MEND}"


def remote_told(event: RemoteAsked | RemotePoisoned | RemoteTrouble | KeptNowhere) -> str:
    """What a build says of the remote; empty where nothing came, and nothing is wrong."""
    if isinstance(event, RemoteTrouble):
        hint = f"\n\nhint: {tame(event.hint)}\n" if event.hint else ""
        return f"note: {tame(event.message)}; the build goes on without it{hint}"
    if isinstance(event, RemotePoisoned):
        lines = [
            f"note: refused {tame(place)}: its bytes are not those of its name" for place in event.places
        ]
        return "\n".join(lines) + f"\n\nhint: {MEND}\n"
    if isinstance(event, KeptNowhere):
        are = "is" if len(event.names) == 1 else "are"
        return (
            f"note: {count(len(event.names), 'picture')} of the lock {are} not on this machine, "
            'and made again: with `outputs = "store"`, git does not keep them, '
            "and there is no `[remote]` to ask\n\n"
            "hint: declare `[remote]`, then run `artlock push` where they are\n"
        )
    lines = []
    if event.objects or event.actions:
        moved = moved_told("brought from the remote", event.objects, event.actions, event.bytes)
        lines.append(f"{moved} in {event.seconds:.1f} s")
    if event.lacking:
        files = count(event.wanted, "file")
        lines.append(f"note: the remote lacks {event.lacking} of {files} that the lock names")
    return "\n".join(lines)
