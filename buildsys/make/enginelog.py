"""The log of one engine process, as a failure shows it: where it lies, and what was written last.

Knows nothing of who writes it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

LINES: Final = 10
"""Of a log, shown with a failure."""
COLUMNS: Final = 200
"""Letters of each: a flood on one line would push all else off a terminal."""

_TAIL_BYTES: Final = 4096
_CRASH: Final = "Fatal Python error"


class EngineLog:
    """A log at `path`, named from the project's folder `root` where it lies there."""

    def __init__(self, path: Path, root: Path | None) -> None:
        self._path = path
        full = path.resolve()
        inside = root is not None and full.is_relative_to(root.resolve())
        shown = full.relative_to(root.resolve()) if root is not None and inside else path
        self.advice = f"read its log, `{shown}`"
        """What to do where nothing better is known."""

    def tail(self) -> str:
        """Its end, whatever bytes it holds."""
        try:
            with self._path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                data = file.read()
        except OSError:
            return ""
        return data.decode("utf-8", "replace")


def shortened(tail: str) -> str:
    """The last lines of `tail`, each cut where it is long."""
    lines = tail.splitlines()
    # A crash report of Python's names its cause first, and then at length where it was.
    crash = next((at for at, line in enumerate(lines) if line.startswith(_CRASH)), None)
    lines = lines[-LINES:] if crash is None else lines[crash:][:LINES]
    return "\n".join(line if len(line) <= COLUMNS else f"{line[: COLUMNS - 1]}…" for line in lines)
