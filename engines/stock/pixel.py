"""The `pixel` style: a small grid, a few flat colours, hard edges and an outline of one pixel.

Painted by rule on the grid itself, as a hand would; a shrunken painting is fog.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.stock import paint, raster
from engines.stock.paint import Shape
from engines.stock.palette import Palette
from engines.stock.raster import FULL, Pixels, Plane

COLORS: Final = 12
_LARGEST: Final = 64
_USUAL: Final = 48
_COARSE: Final = 24
_PLAIN: Final = 32
_HALF_LIT, _LIT = 108, 168
_AROUND: Final = ((1, 0), (-1, 0), (0, 1), (0, -1))


def grid_of(size: int) -> int:
    """Pixels along a side of the drawn grid, for a picture of `size`: it should divide it."""
    if size <= _LARGEST:
        return size
    fitting = [grid for grid in range(_COARSE, _USUAL + 1) if size % grid == 0]
    return max(fitting, default=_PLAIN)


def enlarged(pixels: Pixels, size: int) -> Pixels:
    """`pixels` with each pixel a square, as large as fits into `size`, in the middle."""
    grid = pixels.shape[0]
    factor = size // grid
    large = np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1)
    result = np.zeros((size, size, 4), np.int32)
    start = (size - grid * factor) // 2
    result[start : start + grid * factor, start : start + grid * factor] = large
    return result


def from_shape(form: Shape, light: Plane, palette: Palette, factor: int, *, outline: bool) -> Pixels:
    """A one-colour icon on its grid. `form` and `light` are `factor` times as fine."""
    whole = _mean(form.whole, factor)
    parts = np.stack([_mean(part, factor) for part in form.parts])
    solid = _tidy(whole * 100 >= FULL * _least(len(whole)))
    ink = whole - parts.sum(axis=0)
    inked = ink * 100 >= np.maximum(whole, 1) * 42
    part = np.argmax(parts, axis=0)
    tone = _levels(_mean(light, factor), solid & ~inked)
    colors = np.array([ramp.colors for ramp in palette], np.int32)
    color = colors[part, tone]
    color[inked] = np.array(palette[0].colors[0], np.int32) * 3 // 4
    picture = paint.with_alpha(color, np.where(solid, FULL, 0).astype(np.int32))
    edges = colors[:, 0] * 3 // 4
    return _outlined(picture, edges[part]) if outline else picture


def from_colors(pixels: Pixels, factor: int, *, outline: bool) -> Pixels:
    """A colour picture on its grid, with few colours. `pixels` is `factor` times as fine."""
    small = raster.shrink(raster.layer(pixels, pixels[..., 3]), factor)
    solid = _tidy(small[..., 3] * 100 >= FULL * _least(len(small)))
    color = _vivid(small[..., :3])
    if solid.any():
        color[solid] = _quantised(color[solid])
    picture = paint.with_alpha(color, np.where(solid, FULL, 0).astype(np.int32))
    dark = color * 2 // 9 + np.array((6, 3, 14), np.int32)
    return _outlined(picture, dark) if outline else picture


def _least(grid: int) -> int:
    """How much of a pixel must be covered, in hundredths: on a small grid thin things would vanish."""
    return min(50, 20 + grid)


def _mean(plane: Plane, factor: int) -> Plane:
    side = plane.shape[0] // factor
    blocks = plane.reshape(side, factor, side, factor)
    mean: Plane = blocks.sum(axis=(1, 3), dtype=np.int32) // (factor * factor)
    return mean


def _tidy(solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without lone pixels, and with lone gaps closed."""
    count = sum(raster.shift(solid.astype(np.int32), *step) for step in _AROUND)
    return (solid & (count > 0)) | (count == len(_AROUND))


def _levels(light: Plane, solid: NDArray[np.bool_]) -> Plane:
    """Which of a ramp's colours each pixel has: 1 (shade) to 5 (glint), with one lit and one dark rim."""
    own = solid.astype(np.int32)
    from_light = own * (1 - raster.shift(own, 1, 1)) + own * (1 - raster.shift(own, 0, 1))
    from_shade = own * (1 - raster.shift(own, -1, -1)) + own * (1 - raster.shift(own, 0, -1))
    steps = np.indices(light.shape).sum(axis=0) % 2
    # A checker where two levels meet: half a step of light either way.
    fine = light + (steps * 2 - 1) * 5
    level = 2 + (fine >= _HALF_LIT).astype(np.int32) + (fine >= _LIT)
    level = level + (from_light > 0) - (from_shade > 0)
    result: Plane = np.clip(level, 1, 5).astype(np.int32)
    return result


def _outlined(picture: Pixels, edge: NDArray[np.int32]) -> Pixels:
    """`picture` with a dark pixel on every side of it; each takes the darkest of its neighbours' edges."""
    solid = picture[..., 3] > 0
    result = picture.copy()
    for right, down in _AROUND:
        beside = raster.shift(solid.astype(np.int32), right, down) > 0
        fresh = beside & (result[..., 3] == 0)
        moved = np.stack([raster.shift(edge[..., channel], right, down) for channel in range(3)], axis=2)
        result[fresh, :3] = moved[fresh]
        result[fresh, 3] = FULL
    return result


def _vivid(color: NDArray[np.int32]) -> NDArray[np.int32]:
    """A little more contrast and colour: shrinking took some away."""
    grey = color.sum(axis=2, keepdims=True) // 3
    lively = grey + (color - grey) * 118 // 100
    result: NDArray[np.int32] = np.clip(128 + (lively - 128) * 112 // 100, 0, FULL).astype(np.int32)
    return result


def _quantised(color: NDArray[np.int32]) -> NDArray[np.int32]:
    """`color` (n, 3) by median cut: the box with the widest channel is halved until there are enough."""
    boxes = [np.arange(len(color))]
    while len(boxes) < COLORS:
        spans = [(color[box].max(axis=0) - color[box].min(axis=0)).max() * _root(len(box)) for box in boxes]
        widest = int(np.argmax(spans))
        if spans[widest] == 0:
            break
        box = boxes.pop(widest)
        channel = int(np.argmax(color[box].max(axis=0) - color[box].min(axis=0)))
        values = color[box, channel]
        middle = (int(values.min()) + int(values.max())) // 2
        low = values <= middle
        boxes += [box[low], box[~low]]
    result = color.copy()
    for box in boxes:
        result[box] = (color[box].sum(axis=0, dtype=np.int64) + len(box) // 2) // len(box)
    return result


def _root(number: int) -> int:
    """The whole part of the fourth root, at least 1: a large box counts more, but not by much."""
    root = 1
    while (root + 1) ** 4 <= number:
        root += 1
    return root
