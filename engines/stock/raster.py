"""SVG to arrays of whole numbers, and the few operations on them that drawing needs.

Everything after the renderer is integer arithmetic, so that every processor gets the same bytes; no
float, no reduction whose order a library may choose. Knows nothing of icons or palettes.
"""

from __future__ import annotations

import io
from typing import Final, TypeAlias

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

Plane: TypeAlias = NDArray[np.int32]
"""(height, width); a coverage runs from 0 to 255."""
Pixels: TypeAlias = NDArray[np.int32]
"""(height, width, 4): red, green, blue not multiplied by alpha, 0 to 255."""

Layer: TypeAlias = NDArray[np.uint32]
"""(height, width, 4): colours times alpha, and alpha times 255; each from 0 to 65025."""

FULL: Final = 255
_SQUARE: Final = FULL * FULL
_LARGEST: Final = 1400
_HEAD: Final = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def render(body: str, box: str, side: int) -> Pixels:
    """The SVG elements `body`, seen through the view box `box`, as `side` by `side` pixels."""
    # Neither fonts nor files: what is drawn may depend on nothing but the library.
    svg = f'{_HEAD} viewBox="{box}" width="{side}" height="{side}">{body}</svg>'
    try:
        png = resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side, skip_system_fonts=True)
    except BaseException as error:
        # resvg 0.5.0 panics over the blurs of two emoji where they touch the edge of the picture. A panic
        # is no `Exception`: it would end the engine.
        if type(error).__name__ != "PanicException" or side > _LARGEST:
            raise
        return _with_room(body, box, side)
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGBA")).astype(np.int32)


def _with_room(body: str, box: str, side: int) -> Pixels:
    """As `render`, from a picture with an eighth more on each side that is cut off again."""
    left, top, width, height = (float(number) for number in box.split())
    room = -(-side // 8)
    wide = f"{left - width * room / side} {top - height * room / side} "
    wide += f"{width * (side + 2 * room) / side} {height * (side + 2 * room) / side}"
    return render(body, wide, side + 2 * room)[room:-room, room:-room]


def shift(plane: Plane, right: int, down: int) -> Plane:
    """`plane` moved; what comes in is 0."""
    height, width = plane.shape
    moved = np.zeros_like(plane)
    moved[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = plane[
        max(0, -down) : height + min(0, -down), max(0, -right) : width + min(0, -right)
    ]
    return moved


def blur(plane: Plane, radius: int, times: int = 2) -> Plane:
    """Box blur of `2 * radius + 1` pixels, `times` over; outside counts as 0."""
    if radius < 1:
        return plane
    for _ in range(times):
        for axis in (0, 1):
            plane = _box(plane, radius, axis)
    return plane


def _box(plane: Plane, radius: int, axis: int) -> Plane:
    margin = [(0, 0), (0, 0)]
    margin[axis] = (radius + 1, radius)
    sums = np.cumsum(np.pad(plane, margin), axis=axis, dtype=np.int32)
    width = 2 * radius + 1
    ahead, behind = (sums[width:], sums[:-width]) if axis == 0 else (sums[:, width:], sums[:, :-width])
    return (ahead - behind) // width


def grow(plane: Plane, radius: int) -> Plane:
    """Every coverage spread over a disc of `radius` pixels."""
    small = plane.astype(np.uint8)
    best = small.copy()
    height, width = small.shape
    padded = np.pad(small, radius)
    reach = 0
    # Rows from the disc's rim to its middle: each is the last one widened a little more.
    wide = padded[:, radius : radius + width].copy()
    for down in range(radius, -1, -1):
        half = _half_width(radius, down)
        while reach < half:
            reach += 1
            np.maximum(wide, padded[:, radius - reach : radius - reach + width], out=wide)
            np.maximum(wide, padded[:, radius + reach : radius + reach + width], out=wide)
        for row in {radius - down, radius + down}:
            np.maximum(best, wide[row : row + height], out=best)
    return best.astype(np.int32)


def _half_width(radius: int, down: int) -> int:
    """The widest whole x with x² + down² <= (radius + ½)²."""
    limit = radius * radius + radius - down * down
    half = 0
    while (half + 1) * (half + 1) <= limit:
        half += 1
    return half


def layer(color: tuple[int, int, int] | Pixels, alpha: Plane) -> Layer:
    """One colour, or a colour for each pixel, seen through `alpha`."""
    result = np.empty((*alpha.shape, 4), np.uint32)
    result[..., :3] = color if isinstance(color, tuple) else color[..., :3]
    result[..., 3] = FULL
    result *= alpha.astype(np.uint32)[..., None]
    return result


def over(top: Layer, bottom: Layer) -> Layer:
    """`top` laid over `bottom`."""
    # 65025 times 65025 and a half still fits into 32 bits without a sign, but not with one.
    hidden = np.uint32(_SQUARE) - top[..., 3:]
    return top + (bottom * hidden + np.uint32(_SQUARE // 2)) // np.uint32(_SQUARE)


def within(top: Layer, alpha: Plane) -> Layer:
    """`top` where `alpha` is."""
    return (top * alpha.astype(np.uint32)[..., None] + np.uint32(FULL // 2)) // np.uint32(FULL)


def shrink(stack: Layer, factor: int) -> Pixels:
    """The mean of each square of `factor` pixels; no dark fringe appears, for a layer carries its alpha."""
    height, width = stack.shape[0] // factor, stack.shape[1] // factor
    sums = stack.astype(np.uint64)
    if factor > 1:
        sums = sums.reshape(height, factor, width, factor, 4).sum(axis=(1, 3), dtype=np.uint64)
    alpha = sums[..., 3:]
    # Colours and alpha both carry a factor of 255 that cancels out.
    color = (sums[..., :3] * np.uint64(FULL) + alpha // np.uint64(2)) // np.maximum(alpha, np.uint64(1))
    area = np.uint64(factor * factor * FULL)
    whole = (alpha + area // np.uint64(2)) // area
    return np.concatenate([np.minimum(color, np.uint64(FULL)), whole], axis=2).astype(np.int32)
