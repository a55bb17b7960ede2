"""What a stand-in says and how large: lines of a pixel font on a grid of eight pixels to the letter.

Knows nothing of drawing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CELL: Final = 8
_LARGEST: Final = 8
_GAP: Final = 3
_NAME_LINES: Final = 4
_PARTS: Final = re.compile(r"[^\s/_.-]*[/_.-]?|\s")


@dataclass(frozen=True, slots=True)
class Line:
    """Words at a place; lengths in pixels."""

    words: str
    scale: int
    top: int


def wrapped(text: str, room: int) -> list[str]:
    """`text` in lines of at most `room` letters, broken after `/ - _ .` or at a space if it can be."""
    lines = [""]
    for part in _PARTS.findall(text):
        rest = part
        if len(lines[-1]) + len(rest.rstrip()) > room and lines[-1]:
            lines.append("")
            rest = rest.lstrip()
        while len(rest) > room:
            lines[-1:] = [rest[:room], ""]
            rest = rest[room:]
        lines[-1] += rest
    return [line.strip() for line in lines if line.strip()]


def laid_out(name: str, details: Sequence[str], width: int, height: int) -> list[Line]:
    """The name as large as fits, then as many of the `details` as fit below it; else nothing."""
    largest = min(_LARGEST, max(1, min(width, height) // 64))
    longest = max(len(part) for part in _PARTS.findall(name))
    for whole in (True, False):  # rather smaller than broken inside a word
        for scale in range(largest, 0, -1):
            room = (width - 2 * CELL) // (CELL * scale)
            if room < (longest if whole else 1):
                continue
            lines = wrapped(name, room)
            if lines and len(lines) <= _NAME_LINES and _height(len(lines), scale) <= height * 3 // 5:
                return _centred([(line, scale) for line in lines], details, width, height)
    return []


def _height(lines: int, scale: int) -> int:
    return lines * (CELL + _GAP) * scale


def _centred(lines: list[tuple[str, int]], details: Sequence[str], width: int, height: int) -> list[Line]:
    small = max(1, lines[0][1] // 2)
    room = (width - 2 * CELL) // (CELL * small)
    free = height - 2 * CELL - _height(len(lines), lines[0][1])
    for number, detail in enumerate(details):
        more = wrapped(detail, room) if detail else []
        if _height(len(more), small) > free:
            # The last detail is the longest, the reason: its beginning is better than nothing.
            more = more[: max(0, free // _height(1, small))] if number == len(details) - 1 else []
        lines += [(line, small) for line in more]
        free -= _height(len(more), small)
    top = (height - sum(_height(1, scale) for _, scale in lines) + _GAP) // 2
    placed = []
    for words, scale in lines:
        placed.append(Line(words, scale, top))
        top += _height(1, scale)
    return placed
