"""Takes into `tests/corpus` those of many inputs that reach code which none kept before them reaches.

    python tests/fuzz/keep_inputs.py TARGET FOLDER …

Small ones first; needs no atheris. What breaks its target stops it: mend that, then run it again.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any, Final

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

from fuzz_targets import CORPUS, TARGETS, Target  # noqa: E402 - found by the line above

LARGEST: Final = 8000
"""Bytes; what a larger one reaches, a smaller one mostly does too."""


def reached(target: Target, data: bytes) -> set[tuple[str, int, int]]:
    """Each step from line to line of our code that `data` takes."""
    steps: set[tuple[str, int, int]] = set()
    last: dict[FrameType, int] = {}

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        file = frame.f_code.co_filename
        if "/buildsys/" not in file and "/engines/" not in file:
            return None
        steps.add((file, last.get(frame, 0), frame.f_lineno))
        last[frame] = frame.f_lineno
        return trace

    sys.settrace(trace)
    try:
        target(data)
    finally:
        sys.settrace(None)
    return steps


def keep(name: str, folders: Iterable[Path]) -> int:
    """How many inputs were taken in."""
    home = CORPUS / name
    home.mkdir(parents=True, exist_ok=True)
    target = TARGETS[name]
    target(b"")  # what is made once, such as the cards of the adapters
    known = {step for file in home.iterdir() for step in reached(target, file.read_bytes())}
    found = {file.read_bytes() for folder in folders for file in folder.iterdir()}
    taken = 0
    for data in sorted(found, key=lambda data: (len(data), data)):
        if len(data) <= LARGEST and (steps := reached(target, data)) - known:
            known |= steps
            (home / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)
            taken += 1
    return taken


if __name__ == "__main__":
    print(keep(sys.argv[1], map(Path, sys.argv[2:])))  # noqa: T201 - a script of its own
