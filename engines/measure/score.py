"""What a picture has by itself, in numbers by which one of several can be chosen.

Every sum is of whole numbers, so the same pixels give the same numbers on any machine. What is transparent
counts for nothing, and what is half so for half. Knows nothing of files or requests.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from engines.finish.resize import resample
from engines.measure.distance import luma
from engines.png import Pixels
from engines.protocol import Json

_SIDE: Final = 512
"""Pixels of the longer side to which a larger picture is brought: else one would be the less sharp for
being larger."""
_LUMA: Final = 1000
_OPAQUE: Final = 255
_DIGITS: Final = 6
_MEAN_WEIGHT: Final = 0.3


def score(pixels: Pixels) -> dict[str, Json]:
    """Measures of an RGBA picture, rounded to six digits; 0 of a picture of which nothing is seen.

    `sharpness`: root mean square of the difference in luma between neighbours, side by side or one above
    the other, 0 to 255; pictures with a side over 512 are made smaller first, by the area filter. Only
    where both are seen: the outline of a sprite is none of its details. `contrast`: standard deviation of
    luma, 0 to 127.5. `colorfulness`: M3 of D. Hasler and S. Süsstrunk, "Measuring colourfulness in natural
    images", Human Vision and Electronic Imaging VIII (2003): 0 for greys, 109 is extreme. `coverage`: mean
    alpha, 0 to 1. Luma is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).
    """
    shown = _shrunk(pixels)
    measures = {
        "sharpness": _sharpness(shown),
        "contrast": _contrast(shown),
        "colorfulness": _colorfulness(shown),
        "coverage": int(pixels[..., 3].sum(dtype=np.int64)) / (_OPAQUE * pixels[..., 3].size),
    }
    return {name: round(value, _DIGITS) for name, value in measures.items()}


def _shrunk(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    longest = max(width, height)
    if longest <= _SIDE:
        return pixels
    wide, high = (max(1, (2 * side * _SIDE + longest) // (2 * longest)) for side in (width, height))
    return resample(pixels, wide, high, "area")


def _sharpness(pixels: Pixels) -> float:
    light, alpha = luma(pixels[..., :3].astype(np.int32)), pixels[..., 3].astype(np.int64)
    squares, weights = 0, 0
    for near, far in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:, :], np.s_[:-1, :])):
        both = np.minimum(alpha[near], alpha[far])
        # At most 255000² x 255 x 512 x 511, which is below 2**63.
        squares += int(((light[near] - light[far]) ** 2 * both).sum())
        weights += int(both.sum())
    return math.sqrt(squares / weights) / _LUMA if weights else 0.0


def _contrast(pixels: Pixels) -> float:
    _, variance = _moments(pixels, luma(pixels[..., :3].astype(np.int32)))
    return math.sqrt(variance) / _LUMA


def _colorfulness(pixels: Pixels) -> float:
    red, green, blue = (pixels[..., channel].astype(np.int64) for channel in range(3))
    mean_rg, variance_rg = _moments(pixels, 2 * (red - green))
    mean_yb, variance_yb = _moments(pixels, red + green - 2 * blue)
    spread = math.sqrt(variance_rg + variance_yb)
    return (spread + _MEAN_WEIGHT * math.sqrt(mean_rg**2 + mean_yb**2)) / 2


def _moments(pixels: Pixels, values: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> tuple[float, float]:
    """Mean and variance of `values`, each weighed by its pixel's alpha."""
    alpha = pixels[..., 3].astype(np.int64)
    weight = int(alpha.sum())
    if not weight:
        return 0.0, 0.0
    total, squares = int((values * alpha).sum()), int((values**2 * alpha).sum())
    return total / weight, (squares * weight - total**2) / weight**2
