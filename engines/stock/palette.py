"""Ramps and palettes: the colours that a picture is painted with, and how they take the light.

Knows nothing of icons; `palettes.toml` holds every colour.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Color: TypeAlias = tuple[int, int, int]

TONES: Final = 256
_FILE: Final = Path(__file__).with_name("palettes.toml")


class Finish(StrEnum):
    """How a surface takes the light."""

    MATTE = "matte"
    GLOSS = "gloss"
    METAL = "metal"
    GLASS = "glass"
    GLOW = "glow"


@dataclass(frozen=True, slots=True)
class Ramp:
    """Colours of one material from shadow to light."""

    name: str
    finish: Finish
    colors: tuple[Color, ...]

    @property
    def ink(self) -> Color:
        """The colour of outlines and drawn lines: the shadow, half-way to black."""
        red, green, blue = self.colors[0]
        return red * 5 // 8, green * 5 // 8, blue * 5 // 8

    def table(self) -> NDArray[np.int32]:
        """(256, 3): the colour at each tone, straight lines between the ramp's colours."""
        return _table(self.colors)


Palette: TypeAlias = tuple[Ramp, Ramp, Ramp]
"""For the large, the middle and the small parts of an icon."""


@cache
def _table(colors: tuple[Color, ...]) -> NDArray[np.int32]:
    steps = len(colors) - 1
    position = np.arange(TONES, dtype=np.int32) * steps
    index = np.minimum(position // (TONES - 1), steps - 1)
    rest = (position - index * (TONES - 1))[:, None]
    stops = np.array(colors, np.int32)
    table: NDArray[np.int32] = stops[index] * (TONES - 1 - rest) + stops[index + 1] * rest + TONES // 2
    return table // (TONES - 1)


def parse(text: str) -> Color:
    """`#rrggbb` as a colour; an alpha that follows is dropped."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def from_color(color: Color) -> Ramp:
    """A ramp around one colour: shadows turn towards violet, lights towards warm white."""
    shade, light = (26, 10, 48), (255, 250, 225)

    def mix(other: Color, share: int) -> Color:
        red, green, blue = ((a * (8 - share) + b * share) // 8 for a, b in zip(color, other, strict=True))
        return red, green, blue

    colors = (mix(shade, 6), mix(shade, 4), mix(shade, 2), color, mix(light, 3), mix(light, 6))
    return Ramp("#{:02x}{:02x}{:02x}".format(*color), Finish.GLOSS, colors)


@cache
def _data() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def ramps() -> dict[str, Ramp]:
    """Every ramp by name."""
    return {
        name: Ramp(name, Finish(entry["finish"]), tuple(parse(color) for color in entry["colors"]))
        for name, entry in _data()["ramps"].items()
    }


@cache
def words() -> dict[str, str]:
    """Every word that names a ramp, with the ramp's name."""
    found = {name: name for name in ramps()}
    for name, others in _data()["words"].items():
        found |= dict.fromkeys(str(others).split(), name)
    return found


@cache
def palettes() -> dict[str, Palette]:
    """Every named palette."""
    known = ramps()
    return {
        name: (known[large], known[middle], known[small])
        for name, (large, middle, small) in _data()["palettes"].items()
    }


@cache
def colors() -> frozenset[str]:
    """Ramps that are a colour and no material."""
    return frozenset(str(_data()["kinds"]["colors"]).split())
