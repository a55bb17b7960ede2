"""Sprites: what is left of a picture once its transparent border is cut off, and which are the same.

Knows nothing of pages or formats.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engines import png
from engines.png import Pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sprite:
    """One picture to pack."""

    name: str
    pixels: Pixels
    """RGBA, trimmed."""
    left: int
    top: int
    source: tuple[int, int]
    """Width and height before."""


def sprite(name: str, pixels: Pixels, *, trim: bool) -> Sprite:
    """The sprite `name` of a picture.

    Of one that is transparent all over, one pixel is left: a game engine takes an empty region for the
    whole page, or for an error.
    """
    full = png.rgba(pixels)
    height, width = full.shape[:2]
    left, top, right, bottom = _seen(full) if trim else (0, 0, width, height)
    return Sprite(
        name=name,
        pixels=np.ascontiguousarray(full[top:bottom, left:right]),
        left=left,
        top=top,
        source=(width, height),
    )


def _seen(pixels: Pixels) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is not transparent."""
    alpha = pixels[..., 3] > 0
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not rows.size:
        return 0, 0, 1, 1
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def distinct(sprites: Iterable[Sprite]) -> list[list[Sprite]]:
    """Sprites with equal pixels together, for they share one place; in the order of their first names."""
    groups: dict[tuple[tuple[int, ...], bytes], list[Sprite]] = {}
    for item in sorted(sprites, key=lambda item: item.name):
        groups.setdefault((item.pixels.shape, item.pixels.tobytes()), []).append(item)
    return list(groups.values())
