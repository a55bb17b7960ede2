"""Panels that lettering stands on: buttons and name plates, as SVG.

Knows nothing of text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engines.parameters import Color
from engines.vector.svg import gradient, number, paint, rgb

_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A framed plate on a canvas; lengths in pixels."""

    shape: str
    """`rounded`, `pill`, `plaque` (corners cut in by a round) or `cut` (corners cut off straight)."""
    left: float
    top: float
    width: float
    height: float
    radius: float
    fill: tuple[Color, ...]
    border: Color
    border_width: int

    def svg(self) -> str:
        """Rim, metal border, groove, face, gloss, and a hairline along the inside."""
        bottom = self.top + self.height
        rim = max(1.0, self.border_width / 4)
        groove = rim + self.border_width
        face = groove + rim if self.border_width else 0.0
        light, dark = _mixed(self.border, _WHITE, 55), _mixed(self.border, _BLACK, 45)
        parts = [
            gradient("metal", (light, self.border, dark, self.border), self.top, bottom),
            gradient("face", self.fill, self.top, bottom),
            gradient("gloss", ((*_WHITE, 70), (*_WHITE, 10)), self.top, self.top + self.height / 2),
        ]
        if self.border_width:
            parts += [
                f'<path d="{self.path(0)}" {paint(_mixed(self.border, _BLACK, 80))}/>',
                f'<path d="{self.path(rim)}" fill="url(#metal)"/>',
                f'<path d="{self.path(groove)}" {paint(_mixed(self.border, _BLACK, 75))}/>',
            ]
        parts.append(f'<path d="{self.path(face)}" fill="url(#face)"/>')
        parts.append(
            f'<clipPath id="upper"><rect x="{number(self.left)}" y="{number(self.top)}"'
            f' width="{number(self.width)}" height="{number(self.height / 2)}"/></clipPath>'
            f'<path d="{self.path(face)}" fill="url(#gloss)" clip-path="url(#upper)"/>'
        )
        if self.border_width:
            inside = face + max(2.0, self.border_width * 0.9)
            line = f'stroke="{rgb(self.border)}" stroke-opacity="0.45" stroke-width="{number(rim)}"'
            parts.append(f'<path d="{self.path(inside)}" fill="none" {line}/>')
            parts.append(self._studs(inside) if self.shape == "plaque" else "")
        return "".join(parts)

    def inset(self) -> float:
        """How far the border reaches in."""
        return self.border_width + 2 * max(1.0, self.border_width / 4) if self.border_width else 0.0

    def path(self, inset: float) -> str:
        """The outline, moved inwards by `inset`."""
        left, top = self.left + inset, self.top + inset
        right, bottom = self.left + self.width - inset, self.top + self.height - inset
        if self.shape == "plaque":
            round_ = self.radius + inset
            cut = math.sqrt(max(0.0, round_ * round_ - inset * inset)) - inset
            sweep = 0
        elif self.shape == "cut":
            cut = max(0.0, self.radius - inset * (2 - math.sqrt(2)))
            round_, sweep = 0.0, 0
        else:
            radius = self.height / 2 if self.shape == "pill" else self.radius
            cut = round_ = max(0.0, min(radius - inset, (bottom - top) / 2))
            sweep = 1
        return _cornered(left, top, right, bottom, cut, round_, sweep)

    def _studs(self, inset: float) -> str:
        """A small lozenge at the middle of both short sides."""
        size = self.height * 0.07
        middle = self.top + self.height / 2
        parts = []
        for x in (self.left + inset, self.left + self.width - inset):
            for grow, fill in ((1.5, paint(_mixed(self.border, _BLACK, 75))), (1.0, 'fill="url(#metal)"')):
                half = size * grow
                corners = [(x - half, middle), (x, middle - half), (x + half, middle), (x, middle + half)]
                points = " ".join(f"{number(px)},{number(py)}" for px, py in corners)
                parts.append(f'<polygon points="{points}" {fill}/>')
        return "".join(parts)


def _cornered(
    left: float, top: float, right: float, bottom: float, cut: float, round_: float, sweep: int
) -> str:
    """A rectangle whose corners end `cut` before their point, joined by arcs or straight lines."""
    ends = [
        ((left + cut, top), (right - cut, top)),
        ((right, top + cut), (right, bottom - cut)),
        ((right - cut, bottom), (left + cut, bottom)),
        ((left, bottom - cut), (left, top + cut)),
    ]
    joint = f"A{number(round_)},{number(round_)} 0 0 {sweep} " if round_ else "L"
    words = [f"M{_point(ends[0][0])}"]
    for index, (_, end) in enumerate(ends):
        words.append(f"L{_point(end)}{joint}{_point(ends[(index + 1) % 4][0])}")
    return "".join(words) + "Z"


def _point(point: tuple[float, float]) -> str:
    return f"{number(point[0])},{number(point[1])}"


def _mixed(color: Color, other: tuple[int, int, int], percent: int) -> Color:
    """`color` moved towards `other`."""
    red, green, blue = (
        (a * (100 - percent) + b * percent) // 100 for a, b in zip(color, other, strict=False)
    )
    return red, green, blue, color[3]
