"""A contact sheet: pictures in a grid on a checkerboard, each with a title and lines below it.

Knows nothing of requests. Letters that the font lacks become question marks; what is too long is cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from engines import png
from engines.finish.resize import resample
from engines.parameters import bad
from engines.png import Pixels
from engines.vector import font as fonts
from engines.vector import layers, svg

_FONT: Final = Path(__file__).resolve().parent.parent / "fonts" / "cinzel-bold.ttf"
"""Of the bundled fonts the one whose figures can't be mistaken: 5 for S, say."""
_EM: Final = 18
_HEAD: Final = 28
_LINE: Final = 26
_MARGIN: Final = 24
_GAP: Final = 20
_CHECK: Final = 8
_FRAME: Final = 6
_MARK: Final = (242, 190, 74)
_PAPER: Final = (29, 33, 41)
_CHECKS: Final = ((118, 124, 134), (134, 140, 150))
_EMPTY: Final = ((38, 43, 53), (44, 50, 61))
_INK: Final = "#f2f4f7"
_FAINT: Final = "#a9b2c0"
_BAD: Final = "#ff9d8f"
_MESSAGE_LINES: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One place of the grid."""

    title: str
    lines: tuple[str, ...] = ()
    message: str = ""
    """Why there is no picture."""
    picture: Pixels | None = None
    marked: bool = False
    """Whether it has a frame: the one of all that was chosen."""


@dataclass(frozen=True, slots=True)
class _Words:
    """Text at a place: its left end and its base line."""

    text: str
    left: int
    base: int
    color: str = _INK
    size: int = _EM


@dataclass(frozen=True)
class Sheet:
    """A sheet to draw: cells from left to right, then down; None for a place that stays free."""

    title: str
    columns: int
    side: int
    cells: Sequence[Cell | None]

    def drawn(self) -> Pixels:
        """RGB pixels. Raises `EngineError` where the sheet would be too large for a picture."""
        width, height = self._size
        if max(width, height) > png.LIMIT:
            raise bad(f"the sheet would be {width} x {height} pixels; at most {png.LIMIT} on a side")
        pixels = np.full((height, width, 4), 255, np.uint8)
        pixels[..., :3] = _PAPER
        for number, cell in enumerate(self.cells):
            if cell is not None:
                left, top = self._place(number)
                if cell.marked:
                    around = slice(left - _FRAME, left + self.side + _FRAME)
                    pixels[top - _FRAME : top + self._high + _FRAME, around, :3] = _MARK
                pixels[top : top + self._high, left : left + self.side] = self._tile(cell)
        body = "".join(map(self._drawn, self._words()))
        written = svg.draw(body, width, height, str(_FONT))
        return np.ascontiguousarray(layers.over(pixels, written)[..., :3])

    @property
    def _columns(self) -> int:
        return min(self.columns, len(self.cells))

    @cached_property
    def _caption(self) -> int:
        """Pixels below a picture, for the longest caption."""
        return _LINE * (1 + max(len(cell.lines) for cell in self.cells if cell is not None)) + 8

    @cached_property
    def _high(self) -> int:
        """Pixels of a place for a picture: a sheet of wide ones needs no squares."""
        shown = [
            shape_in(cell.picture, self.side)[1] for cell in self.cells if cell and cell.picture is not None
        ]
        return max([self.side // 3, *shown]) if shown else self.side

    @cached_property
    def _font(self) -> fonts.Font:
        return fonts.read(str(_FONT))

    @property
    def _top(self) -> int:
        return _MARGIN + (_HEAD + _GAP if self.title else 0)

    @property
    def _size(self) -> tuple[int, int]:
        rows = -(-len(self.cells) // self.columns)
        width = 2 * _MARGIN + self._columns * (self.side + _GAP) - _GAP
        return width, self._top + rows * (self._high + self._caption + _GAP) - _GAP + _MARGIN

    def _place(self, number: int) -> tuple[int, int]:
        row, column = divmod(number, self.columns)
        top = self._top + row * (self._high + self._caption + _GAP)
        return _MARGIN + column * (self.side + _GAP), top

    def _tile(self, cell: Cell) -> Pixels:
        if cell.picture is None:
            return _checks(self.side, self._high, _EMPTY)
        shown = fitted(cell.picture, self.side)
        height, width = shown.shape[:2]
        # Checks only as far as the picture goes: its own size must be seen where it has no edge.
        tile = np.full((self._high, self.side, 4), 255, np.uint8)
        tile[..., :3] = _PAPER
        left, top = (self.side - width) // 2, (self._high - height) // 2
        under = _checks(width, height, _CHECKS)
        tile[top : top + height, left : left + width] = layers.over(under, shown)
        return tile

    def _words(self) -> Iterator[_Words]:
        if self.title:
            width = self._size[0] - 2 * _MARGIN
            yield _Words(self._cut(self.title, width, _HEAD), _MARGIN, _MARGIN + _HEAD - 6, size=_HEAD)
        for number, cell in enumerate(self.cells):
            if cell is None:
                continue
            left, top = self._place(number)
            base = top + self._high + _LINE
            yield _Words(self._cut(cell.title, self.side), left, base)
            for place, line in enumerate(cell.lines, 1):
                yield _Words(self._cut(line, self.side), left, base + place * _LINE, _FAINT)
            if cell.picture is None:
                for place, line in enumerate(self._wrapped(cell.message, self.side - 2 * _GAP), 1):
                    yield _Words(line, left + _GAP, top + _GAP + place * _LINE, _BAD)

    def _drawn(self, words: _Words) -> str:
        place = f'x="{words.left}" y="{words.base}" font-size="{words.size}" fill="{words.color}"'
        return f'<text xml:space="preserve" {self._font.style()} {place}>{svg.quoted(words.text)}</text>'

    def _known(self, text: str) -> str:
        plain = " ".join(text.split()).replace("`", "'")
        return "".join(mark if ord(mark) in self._font.characters else "?" for mark in plain)

    def _cut(self, text: str, room: int, size: int = _EM) -> str:
        known = self._known(text)
        if self._font.estimate(known) * size <= room:
            return known
        while known and self._font.estimate(f"{known}…") * size > room:
            known = known[:-1]
        return f"{known.rstrip()}…"

    def _wrapped(self, text: str, room: int) -> list[str]:
        """As many lines of `text` as a square holds; the last one says by its end that there was more."""
        most = max(1, min(_MESSAGE_LINES, (self._high - 2 * _GAP) // _LINE))
        lines: list[str] = []
        words = self._known(text).split()
        while words:
            if len(lines) == most - 1:
                lines.append(self._cut(" ".join(words), room))
                break
            taken = 1
            while taken < len(words) and self._font.estimate(" ".join(words[: taken + 1])) * _EM <= room:
                taken += 1
            lines.append(self._cut(" ".join(words[:taken]), room))
            del words[:taken]
        return lines


def shape_in(picture: Pixels, side: int) -> tuple[int, int]:
    """Width and height of `picture` as large as fits in a square: a small one by whole times."""
    height, width = picture.shape[:2]
    longest = max(width, height)
    if longest <= side:
        return width * (side // longest), height * (side // longest)
    wide, high = (max(1, (2 * length * side + longest) // (2 * longest)) for length in (width, height))
    return wide, high


def fitted(picture: Pixels, side: int) -> Pixels:
    """`picture` at that size; enlarged, its pixels stay hard."""
    width, height = shape_in(picture, side)
    return resample(picture, width, height, "nearest" if width > picture.shape[1] else "area")


def _checks(width: int, height: int, shades: tuple[tuple[int, int, int], tuple[int, int, int]]) -> Pixels:
    y, x = np.ogrid[0:height, 0:width]
    odd = ((x // _CHECK + y // _CHECK) % 2)[..., np.newaxis]
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[..., :3] = np.where(odd, np.array(shades[0], np.uint8), np.array(shades[1], np.uint8))
    return pixels
