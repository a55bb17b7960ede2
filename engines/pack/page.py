"""Drawing a page: each sprite at its place, turned where it lies so, with its edges repeated around it.

Knows nothing of how places were found.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engines.pack.layout import Place
from engines.png import Pixels


def draw(size: tuple[int, int], sprites: Iterable[tuple[Pixels, Place]], extrude: int) -> Pixels:
    """A page of `size`, transparent where no sprite is; a place leaves room for `extrude` on all sides."""
    page = np.zeros((size[1], size[0], 4), np.uint8)
    for upright, place in sprites:
        # `rot90` counts against the clock: three of its turns are one with it.
        pixels = np.rot90(upright, 3) if place.rotated else upright
        grown = np.pad(pixels, ((extrude, extrude), (extrude, extrude), (0, 0)), mode="edge")
        height, width = grown.shape[:2]
        page[place.y : place.y + height, place.x : place.x + width] = grown
    return page
