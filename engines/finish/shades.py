"""Steps that leave a picture's shape and take its colours: grayscale, silhouette.

Float64 is used one operation at a time (+ - * /), which every CPU rounds alike.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.parameters import Color
from engines.png import Pixels

_LUMA: Final = np.array([2126, 7152, 722], np.int64)
"""Of ITU-R BT.709, in ten-thousandths: what `levels` weighs by too."""

_GREY: Final = 128.0


def luma(pixels: Pixels) -> NDArray[np.int64]:
    """How bright each pixel is, in ten-thousandths of a level; alpha plays no part."""
    brightness: NDArray[np.int64] = pixels[..., :3].astype(np.int64) @ _LUMA
    return brightness


def grayscale(pixels: Pixels, *, strength: float, contrast: float, opacity: float) -> Pixels:
    """Take the colour out, then the contrast, then the opacity: a button that can't be pressed."""
    result = pixels.copy()
    color = pixels[..., :3].astype(np.float64)
    grey = (luma(pixels) / 10000.0)[..., np.newaxis]
    color = color + (grey - color) * strength
    color = _GREY + (color - _GREY) * contrast
    result[..., :3] = _bytes(color)
    result[..., 3] = _bytes(pixels[..., 3].astype(np.float64) * opacity)
    result[result[..., 3] == 0] = 0
    return result


def silhouette(pixels: Pixels, *, color: Color) -> Pixels:
    """Everything visible in one colour; the edges stay as soft as they are."""
    result = np.empty_like(pixels)
    result[..., :3] = color[:3]
    result[..., 3] = (pixels[..., 3].astype(np.int32) * color[3] + 127) // 255
    result[result[..., 3] == 0] = 0
    return result


def _bytes(values: NDArray[np.float64]) -> Pixels:
    return np.floor(values + 0.5).clip(0, 255).astype(np.uint8)
