"""Which colour word a pixel answers to, for the trial of colours.

Knows nothing of prompts or models.
"""
# ruff: noqa: PLR2004 - where one colour ends is nothing but numbers

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_HUES: Final = {
    "red": (345, 18),
    "orange": (12, 44),
    "yellow": (40, 68),
    "gold": (28, 58),
    "green": (68, 168),
    "teal": (150, 200),
    "blue": (195, 258),
    "purple": (250, 305),
    "pink": (295, 352),
    "brown": (8, 45),
}
"""From and to, in degrees; neighbours overlap, as people's words do."""
_GREY: Final = 0.22
_OPAQUE: Final = 128
_INK: Final = 0.22
"""How bright a pixel is at most that may be an outline: it is counted for no colour but black."""


def share(picture: NDArray[np.uint8], color: str) -> float:
    """How many of the opaque pixels, outlines left out, are `color`; of a premultiplied picture."""
    inside = picture[picture[..., 3] >= _OPAQUE].astype(np.float64)
    if not len(inside):
        return 0.0
    hue, chroma, value = _told_apart(np.clip(inside[:, :3] / inside[:, 3:], 0, 1))
    if color == "black":
        return float(((value < 0.3) | ((value < 0.4) & (chroma < 0.5 * value))).mean())
    counted = value > _INK
    if not counted.any():
        return 0.0
    return float(_answers(color, hue, chroma / np.maximum(value, 1e-9), value)[counted].mean())


def _answers(
    color: str, hue: NDArray[np.float64], purity: NDArray[np.float64], value: NDArray[np.float64]
) -> NDArray[np.bool_]:
    grey = purity < _GREY
    match color:
        case "white":
            return grey & (value > 0.75)
        case "silver":
            return (purity < 0.35) & (value > 0.4)
        case "grey":
            return grey & (value <= 0.85)
    first, last = _HUES[color]
    within = (hue >= first) | (hue < last) if first > last else (hue >= first) & (hue < last)
    if color == "brown":
        return within & ~grey & (value < 0.8)
    if color == "pink":
        # A light red is pink, too.
        within = within | (((hue < 18) | (hue >= 340)) & (purity < 0.6) & (value > 0.75))
    return within & ~grey


def _told_apart(
    color: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Hue in degrees, chroma, value."""
    red, green, blue = color.T
    value, low = color.max(axis=1), color.min(axis=1)
    chroma = value - low
    span = np.maximum(chroma, 1e-9)
    hue = np.where(
        value == red,
        (green - blue) / span,
        np.where(value == green, 2 + (blue - red) / span, 4 + (red - green) / span),
    )
    return hue * 60 % 360, chroma, value
