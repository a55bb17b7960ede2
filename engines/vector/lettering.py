"""Lines of text as SVG: how they are set, how large they may be, and where they go.

A block is set in units of its own, a hundredth of the font size, then measured and scaled as a whole: so
kerning and curves are the renderer's own, and nothing is guessed from a font's tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from engines.parameters import Color, bad
from engines.vector.font import Font
from engines.vector.svg import document, extent, gradient, number, paint, quoted, render, rgb

_EM: Final = 100.0
_FINEST: Final = 1600
_SOLID: Final = ((0, 0, 0, 255),)
_SMALLEST: Final = 6.0


@dataclass(frozen=True, slots=True)
class Ink:
    """Where the drawn part of a block lies, in its units."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Room:
    """What a block may fill, in pixels."""

    left: float
    top: float
    width: float
    height: float
    spare: float
    """How far accents and descenders may reach beyond it: no farther than the padding."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A block's transformation to pixels: units times `scale`, then moved."""

    scale: float
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Text with everything that decides its shape, but neither its size nor its colours."""

    font: Font
    lines: tuple[str, ...]
    align: str
    letter_spacing: float
    """In parts of the font size, as are the others."""
    line_height: float
    line_sizes: tuple[float, ...]
    arch: float
    """Degrees that a single line spans: its middle is up where positive, down where negative."""

    def size_of(self, line: int) -> float:
        """The line's own size: 1 unless `line_sizes` names another."""
        return self.line_sizes[line] if line < len(self.line_sizes) else 1.0

    def baselines(self) -> list[float]:
        """The y of each line; the first is 0."""
        result = [0.0]
        for line in range(1, len(self.lines)):
            mean = (self.size_of(line - 1) + self.size_of(line)) / 2
            result.append(result[-1] + self.line_height * _EM * mean)
        return result

    def width(self) -> float:
        """Of the widest line, without kerning: an estimate."""
        spacing = [self.letter_spacing * len(line) for line in self.lines]
        parts = [self.font.estimate(line) + extra for line, extra in zip(self.lines, spacing, strict=True)]
        return max(max(part * self.size_of(line) for line, part in enumerate(parts)) * _EM, _EM)

    def svg(self, colors: tuple[Color, ...], stroke: float = 0.0, ink: Ink | None = None) -> str:
        """The lines filled with `colors` from top to bottom; with `stroke`, in the first and grown by it."""
        drawn = []
        for line, (words, baseline) in enumerate(zip(self.lines, self.baselines(), strict=True)):
            size = self.size_of(line)
            top, bottom = baseline - self.font.cap_height * size * _EM, baseline
            if self.arch and ink is not None:
                top, bottom = ink.top, ink.bottom
            fill = paint(colors[0])
            if len(colors) > 1:
                drawn.append(gradient(f"line{line}", colors, top, bottom))
                fill = f'fill="url(#line{line})"'
            if stroke:
                width = f'stroke-width="{number(2 * stroke)}" stroke-linejoin="round"'
                fill += f' stroke="{rgb(colors[0])}" {width}'
            drawn.append(self._line(words, baseline, size, fill))
        return "".join(drawn)

    def _line(self, words: str, baseline: float, size: float, fill: str) -> str:
        anchor = {"left": "start", "center": "middle", "right": "end"}[self.align]
        head = (
            f'<text xml:space="preserve" {self.font.style()} font-size="{number(size * _EM)}" {fill}'
            f' letter-spacing="{number(self.letter_spacing * size * _EM)}"'
        )
        if not self.arch:
            return f'{head} text-anchor="{anchor}" x="0" y="{number(baseline)}">{quoted(words)}</text>'
        path = f'<path id="arch" fill="none" d="{self._arc()}"/>'
        on_path = f'<textPath href="#arch" startOffset="50%">{quoted(words)}</textPath>'
        return f'{path}{head} text-anchor="middle">{on_path}</text>'

    def _arc(self) -> str:
        """A circle's part around the top (or bottom) point (0, 0), longer than the text."""
        angle = math.radians(abs(self.arch))
        radius = self.width() / angle
        half = min(angle * 0.75, math.pi * 0.999)
        up = 1 if self.arch > 0 else -1
        across, down = radius * math.sin(half), up * radius * (1 - math.cos(half))
        large, sweep = int(half > math.pi / 2), int(up > 0)
        ends = [number(value) for value in (-across, down, radius, radius, across, down)]
        return f"M{ends[0]},{ends[1]} A{ends[2]},{ends[3]} 0 {large} {sweep} {ends[4]},{ends[5]}"

    def measure(self) -> Ink:
        """Where the ink lies. Raises `EngineError` where nothing is drawn."""
        for margin in (1.0, 4.0, 16.0):
            ink, whole = self._measured(margin * _EM)
            if whole:
                return ink
        raise bad("the font draws far outside of its own lines", "choose another `font`")

    def _measured(self, margin: float) -> tuple[Ink, bool]:
        """The ink within `margin` of where text should be, and whether it ends there."""
        wide = self.width()
        across = {"left": 0.0, "center": wide / 2, "right": wide}["center" if self.arch else self.align]
        bend = wide if self.arch else 0.0
        top = -(bend + 0.5 * _EM + margin)
        box = (-across - margin, top, wide + 2 * margin, self.baselines()[-1] + bend + margin - top)
        fine = _FINEST / max(box[2], box[3])
        width, height = math.ceil(box[2] * fine), math.ceil(box[3] * fine)
        pixels = render(document(self.svg(_SOLID), box, width, height), self.font.path)
        found = extent(pixels[..., 3])
        if found is None:
            raise bad("the text is blank: nothing would be drawn")
        left, top, right, bottom = found
        unit_x, unit_y = box[2] / width, box[3] / height
        ink = Ink(
            box[0] + left * unit_x, box[1] + top * unit_y, box[0] + right * unit_x, box[1] + bottom * unit_y
        )
        return ink, left > 0 and top > 0 and right < width and bottom < height

    def middle(self, ink: Ink) -> float:
        """The y to centre: the capitals', so that a descender moves no line; of an arch, the ink's."""
        if self.arch:
            return (ink.top + ink.bottom) / 2
        return (self.baselines()[-1] - self.font.cap_height * self.size_of(0) * _EM) / 2

    def place(self, ink: Ink, room: Room, font_size: float | None, grid: int) -> Placed:
        """The block in `room`: as large as fits, or of the given size.

        With a `grid`, on whole pixels and in multiples of it; 0 stands for none.
        Raises `EngineError` where it doesn't fit: a clipped word is worse than none.
        """
        middle, wide = self.middle(ink), ink.right - ink.left
        reach = max(middle - ink.top, ink.bottom - middle)
        capitals = reach if self.arch else middle + self.font.cap_height * self.size_of(0) * _EM
        largest = _EM * min(
            room.width / wide, room.height / (2 * capitals), (room.height / 2 + room.spare) / reach
        )
        size = font_size if font_size is not None else _fitted(largest, grid)
        if size > largest * 1.001:
            high = max(2 * capitals, 2 * (reach - room.spare * _EM / size))
            need = f"{math.ceil(wide * size / _EM)} x {math.ceil(high * size / _EM)}"
            free = f"{max(0, math.floor(room.width))} x {max(0, math.floor(room.height))}"
            hint = "make the asset larger" + (", or leave `font_size` out" if font_size is not None else "")
            raise bad(f"the text needs {need} pixels at size {size:g}, but only {free} are free", hint)
        scale = size / _EM
        free_width = room.width - wide * scale
        x = room.left + free_width * {"left": 0.0, "center": 0.5, "right": 1.0}[self.align] - ink.left * scale
        y = room.top + room.height / 2 - middle * scale
        return Placed(scale, float(round(x)), float(round(y))) if grid else Placed(scale, x, y)


def _fitted(largest: float, grid: int) -> float:
    if grid and largest >= grid:
        # A pixel font is drawn on a grid in its em: any other size breaks its squares.
        return float(largest // grid * grid)
    return max(_SMALLEST, math.floor(largest * 8) / 8)
