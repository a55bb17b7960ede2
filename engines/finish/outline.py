"""The step `outline`: a line around what is visible, or along its inner edge.

Works on alpha alone, so it suits hard pixel art and soft edges alike.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from engines.parameters import Color
from engines.png import Pixels


def outline(pixels: Pixels, *, color: Color, width: int, side: str, corners: str) -> Pixels:
    """Draw it `width` pixels wide. `outside` needs free room around the picture: `pad` before it."""
    alpha = pixels[..., 3]
    ink = np.array(color[:3], np.int32)
    if side == "outside":
        line = _grown(alpha, width, corners).astype(np.int32) * color[3] // 255
        return _over(pixels, ink, line)
    # What lies outside the canvas is empty too, so a picture that fills it gets its line at the border.
    inner = 255 - _grown(np.pad(255 - alpha, width, constant_values=255), width, corners)
    inner = inner[width : width + alpha.shape[0], width : width + alpha.shape[1]]
    result = pixels.copy()
    share = (255 - inner.astype(np.int32))[..., np.newaxis] * color[3] // 255
    result[..., :3] = (pixels[..., :3] * (255 - share) + ink * share + 127) // 255
    result[alpha == 0] = pixels[alpha == 0]
    return result


def _over(pixels: Pixels, ink: NDArray[np.int32], line: NDArray[np.int32]) -> Pixels:
    """`pixels` in front of flat `ink` with the alpha `line`."""
    front = pixels[..., 3].astype(np.int32)
    back = line * (255 - front)  # in 255ths
    total = front * 255 + back
    mixed = pixels[..., :3] * (front * 255)[..., np.newaxis] + ink * back[..., np.newaxis]
    result = np.empty_like(pixels)
    result[..., 3] = (total + 127) // 255
    divisor = np.maximum(total, 1)[..., np.newaxis]
    result[..., :3] = (mixed + divisor // 2) // divisor
    result[result[..., 3] == 0] = 0
    return result


def _grown(alpha: Pixels, width: int, corners: str) -> Pixels:
    """The largest alpha within `width` of each pixel: in a disc, a square, or a diamond."""
    rows = alpha.shape[0]
    reach = {
        "round": [isqrt((2 * width + 1) ** 2 - 4 * dy * dy) // 2 for dy in range(width + 1)],
        "square": [width] * (width + 1),
        "diamond": [width - dy for dy in range(width + 1)],
    }[corners]
    result = np.zeros_like(alpha)
    for dy, half in enumerate(reach):
        wide = _widest(alpha, half)
        for shift in {dy, -dy}:
            top, bottom = max(0, shift), max(0, -shift)
            if top + bottom < rows:
                target = result[top : rows - bottom]
                np.maximum(target, wide[bottom : rows - top], out=target)
    return result


def _widest(alpha: Pixels, half: int) -> Pixels:
    """The largest of each pixel and its `half` neighbours on both sides; doubling, not one by one."""
    padded = np.pad(alpha, ((0, 0), (half, half)))
    length, span = 1, 2 * half + 1
    while length < span:
        step = min(length, span - length)
        padded = np.maximum(padded[:, :-step], padded[:, step:])
        length += step
    return padded
