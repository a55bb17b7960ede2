"""Steps that change colours one pixel at a time: levels, lut.

Float64 is used one operation at a time (+ - * /), which every CPU rounds alike; powers are decimal.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engines.finish import cube
from engines.finish.colors import grouped, packed, unpacked
from engines.parameters import bad
from engines.png import Pixels


def levels(pixels: Pixels, *, black: int, white: int, gamma: float, saturation: float) -> Pixels:
    """Spread `black`..`white` over the whole range, bend the middle by `gamma`, then scale the saturation."""
    if black >= white:
        raise bad(f"`black` is {black}, not below `white`, {white}")
    result = pixels.copy()
    result[..., :3] = _curve(black, white, gamma)[pixels[..., :3]]
    if saturation != 1:
        color = result[..., :3].astype(np.float64)
        luma = (color[..., 0] * 2126 + color[..., 1] * 7152 + color[..., 2] * 722) / 10000
        luma = luma[..., np.newaxis]
        result[..., :3] = _bytes(luma + (color - luma) * saturation)
    return result


def lut(pixels: Pixels, *, file: str, strength: float) -> Pixels:
    """Replace colours by those of a `.cube` table, or go only a part of the way."""
    table = cube.read(file)
    found = grouped(packed(pixels).reshape(-1))
    before = unpacked(found.values).astype(np.float64)
    after = table.apply(before / 255) * 255
    result = pixels.copy()
    result[..., :3] = _bytes(before + (after - before) * strength)[found.where].reshape(result[..., :3].shape)
    return result


@lru_cache(maxsize=64)
def _curve(black: int, white: int, gamma: float) -> Pixels:
    """256 results. In `Decimal`, whose power is integer work: libm picks its version of `pow` by CPU.

    Kept, because it takes longer than all the rest of `levels`, and a chain of steps serves many assets.
    """
    with localcontext(prec=28):
        power = 1 / Decimal(repr(gamma))
        span = Decimal(white - black)
        parts = [Decimal(min(max(value - black, 0), white - black)) / span for value in range(256)]
        curve = np.array([int(255 * part**power + Decimal("0.5")) for part in parts], np.uint8)
        curve.flags.writeable = False
        return curve


def _bytes(values: NDArray[np.float64]) -> Pixels:
    return np.floor(values + 0.5).clip(0, 255).astype(np.uint8)
