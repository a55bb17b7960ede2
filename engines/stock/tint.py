"""Colour pictures (the emoji sets) in other colours: their main hue, or the whole, through a ramp."""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.stock.palette import TONES, Finish, Ramp
from engines.stock.raster import FULL, Pixels, Plane

_CIRCLE: Final = 1536
"""Hues run from 0 to 1535: 256 for each sixth of the colour circle."""
_BINS: Final = 24
_NEAR: Final = 230
"""How far from the main hue a colour may be and still change with it."""
_COLORLESS: Final = 48


def tinted(pixels: Pixels, ramp: Ramp) -> Pixels:
    """`pixels` with their main colour turned into `ramp`; all of it where the ramp is a metal."""
    light = _luminance(pixels)
    hue, chroma = _hue(pixels)
    weight = chroma * pixels[..., 3] // FULL
    if ramp.finish is Finish.METAL or int(weight.sum(dtype=np.int64)) < pixels.shape[0] ** 2 * 12:
        share = np.full_like(light, FULL)
    else:
        bins = [int(weight[(hue * _BINS // _CIRCLE) == index].sum(dtype=np.int64)) for index in range(_BINS)]
        both = [bins[index] + bins[index - 1] for index in range(_BINS)]
        main = both.index(max(both)) * _CIRCLE // _BINS
        apart = np.abs((hue - main + _CIRCLE // 2) % _CIRCLE - _CIRCLE // 2)
        near = np.clip((_NEAR + 60 - apart) * FULL // 60, 0, FULL)
        share = near * np.minimum(chroma * FULL // _COLORLESS, FULL) // FULL
    tone = _stretched(light, share * pixels[..., 3] // FULL)
    color = ramp.table()[tone]
    result = pixels.copy()
    result[..., :3] = (pixels[..., :3] * (FULL - share)[..., None] + color * share[..., None]) // FULL
    return result


def _luminance(pixels: Pixels) -> Plane:
    plane: Plane = (pixels[..., 0] * 77 + pixels[..., 1] * 151 + pixels[..., 2] * 28) >> 8
    return plane


def _stretched(light: Plane, share: Plane) -> Plane:
    """Tones that use most of a ramp, from the lights of what is going to change."""
    used = np.sort(light[share > FULL // 2])
    if used.size == 0:
        return light
    low, high = int(used[used.size // 50]), int(used[used.size - 1 - used.size // 50])
    span = max(high - low, 60)
    middle = (low + high) // 2
    return np.clip(138 + (light - middle) * 190 // span, 12, TONES - 4)


def _hue(pixels: Pixels) -> tuple[Plane, Plane]:
    """Hue and chroma of each pixel."""
    red, green, blue = (pixels[..., channel] for channel in range(3))
    high, low = pixels[..., :3].max(axis=2), pixels[..., :3].min(axis=2)
    chroma = high - low
    span = np.maximum(chroma, 1)
    hue = np.where(
        high == red,
        (green - blue) * 256 // span,
        np.where(high == green, 512 + (blue - red) * 256 // span, 1024 + (red - green) * 256 // span),
    )
    return hue % _CIRCLE, chroma
