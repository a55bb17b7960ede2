"""Steps that move pixels without changing them: trim, crop, pad."""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.finish import bounds
from engines.parameters import Color, bad
from engines.png import Pixels

_ANCHORS: Final = {
    "top-left": (0, 0),
    "top": (1, 0),
    "top-right": (2, 0),
    "left": (0, 1),
    "center": (1, 1),
    "right": (2, 1),
    "bottom-left": (0, 2),
    "bottom": (1, 2),
    "bottom-right": (2, 2),
}
"""Halves of the free width and height that lie left of and above the picture."""

_CLEAR: Final = (0, 0, 0, 0)


def place(pixels: Pixels, size: tuple[int, int], anchor: str, color: Color) -> Pixels:
    """`pixels` on a canvas of `size`; what doesn't fit is cut off on the side away from `anchor`."""
    width, height = size
    bounds.check(width, height)
    rows, columns = pixels.shape[:2]
    across, down = _ANCHORS[anchor]
    left, top = (width - columns) * across // 2, (height - rows) * down // 2
    pixels = pixels[max(0, -top) : max(0, -top) + height, max(0, -left) : max(0, -left) + width]
    canvas = np.empty((height, width, 4), np.uint8)
    canvas[:] = color
    left, top = max(0, left), max(0, top)
    canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return canvas


def trim(pixels: Pixels, *, color: Color | None, tolerance: int, margin: int) -> Pixels:
    """Cut off the border that is transparent, or of `color`, but for `margin` pixels where it has as many."""
    if color is None:
        kept = pixels[..., 3] > tolerance
    else:
        away = np.abs(pixels.astype(np.int16) - np.array(color, np.int16))
        kept = away.max(axis=2) > tolerance
    if not kept.any():
        raise bad("the picture is all border: nothing would be left")
    rows, columns = np.flatnonzero(kept.any(axis=1)), np.flatnonzero(kept.any(axis=0))
    inner = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = pixels.shape[:2]
    free = (rows[0], width - 1 - columns[-1], height - 1 - rows[-1], columns[0])
    # A side with less border than `margin` keeps what it has: a trim never grows a picture.
    left = tuple(min(margin, int(side)) for side in free)
    return pad(inner, size=None, margin=left, color=color or _CLEAR, anchor="center")


def crop(pixels: Pixels, *, box: tuple[float, ...]) -> Pixels:
    """The part at `box`: left, top, width, height."""
    if len(box) != 4 or any(value != int(value) for value in box):  # noqa: PLR2004 - as said above
        raise bad(f"`box` is `{list(box)}`, not four whole numbers: left, top, width, height")
    left, top, width, height = (int(value) for value in box)
    bounds.check(width, height)
    rows, columns = pixels.shape[:2]
    if left + width > columns or top + height > rows:
        message = f"`box` reaches to {left + width} x {top + height}, the picture to {columns} x {rows}"
        raise bad(message, "move `box` into the picture")
    return pixels[top : top + height, left : left + width]


def pad(
    pixels: Pixels,
    *,
    size: tuple[int, int] | None,
    margin: tuple[float, ...] | None,
    color: Color,
    anchor: str,
) -> Pixels:
    """Put the picture on a larger canvas: of `size`, or with `margin` pixels around it."""
    rows, columns = pixels.shape[:2]
    if (size is None) == (margin is None):
        raise bad("either `size` or `margin` is needed, and not both")
    if size is not None:
        if size[0] < columns or size[1] < rows:
            hint = "put a `resize` or `crop` before it"
            raise bad(f"`size` is {size[0]} x {size[1]}, less than the picture's {columns} x {rows}", hint)
        return place(pixels, size, anchor, color)
    top, right, bottom, left = _margins(margin or ())
    canvas = place(pixels, (left + columns, top + rows), "bottom-right", color)
    return place(canvas, (left + columns + right, top + rows + bottom), "top-left", color)


def _margins(margin: tuple[float, ...]) -> tuple[int, int, int, int]:
    """Top, right, bottom, left of one, two or four numbers, in the order of CSS."""
    if any(value != int(value) for value in margin):
        raise bad(f"`margin` is `{list(margin)}`, not whole numbers")
    match [int(value) for value in margin]:
        case [every]:
            return every, every, every, every
        case [vertical, horizontal]:
            return vertical, horizontal, vertical, horizontal
        case [top, right, bottom, left]:
            return top, right, bottom, left
        case _:
            raise bad(f"`margin` has {len(margin)} numbers, not one, two or four")
