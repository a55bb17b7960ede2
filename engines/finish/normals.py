"""The step `normals`: a map of which way each point of a surface faces, out of its height.

Slopes are whole numbers; float64 is used one operation at a time (+ - * / and the root), which every CPU
rounds alike.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.finish.shades import luma
from engines.png import Pixels

_SOBEL: Final = ((1, -1, -1), (2, -1, 0), (1, -1, 1), (-1, 1, -1), (-2, 1, 0), (-1, 1, 1))
"""Weight, column and row of each neighbour that a slope to the right is made of, the low side first."""

_WEIGHT: Final = 8
"""What the weights of both sides come to."""

_FULL: Final = 10000 * 255
"""The height of white."""

_FLAT: Final = (128, 128, 255)


def normals(
    pixels: Pixels, *, strength: float, height: str, invert: bool, smooth: int, wrap: bool, green: str
) -> Pixels:
    """RGB as the x, y and z of each normal, alpha as it is; what is clear is flat and has no height.

    I. Sobel's operator (1968) gives the slopes. `green`: `opengl` where green says up, `directx` where down.
    """
    there = pixels[..., 3] > 0
    high = pixels[..., 3].astype(np.int64) * 10000 if height == "alpha" else luma(pixels)
    if invert:
        high = _FULL - high
    if height == "alpha":
        there = np.ones_like(there)
    for _ in range(smooth):
        high = _smoothed(high, there, wrap=wrap)
    across = _slope(high, there, wrap=wrap)
    down = _slope(high.T, there.T, wrap=wrap).T
    x = across * -strength
    y = down * (strength if green == "opengl" else -strength)
    length = np.sqrt(x * x + y * y + 1.0)
    result = pixels.copy()
    for channel, part in enumerate((x, y, np.ones_like(x))):
        result[..., channel] = np.floor((part / length + 1.0) * 127.5 + 0.5).astype(np.uint8)
    result[pixels[..., 3] == 0, :3] = _FLAT
    return result


def _slope(high: NDArray[np.int64], there: NDArray[np.bool_], *, wrap: bool) -> NDArray[np.float64]:
    """The rise to the right, in full heights a pixel. A neighbour that is clear is as high as the pixel."""
    rise = np.zeros(high.shape, np.int64)
    for weight, column, row in _SOBEL:
        rise -= weight * _neighbour(high, there, column, row, wrap=wrap)
    return rise / float(_WEIGHT * _FULL)


def _smoothed(high: NDArray[np.int64], there: NDArray[np.bool_], *, wrap: bool) -> NDArray[np.int64]:
    """Each height as the mean of itself, eight-fold, and its eight neighbours."""
    around = [(column, row) for column in (-1, 0, 1) for row in (-1, 0, 1) if (column, row) != (0, 0)]
    total = 8 * high
    for column, row in around:
        total = total + _neighbour(high, there, column, row, wrap=wrap)
    return (total + 8) // 16


def _neighbour(
    high: NDArray[np.int64], there: NDArray[np.bool_], column: int, row: int, *, wrap: bool
) -> NDArray[np.int64]:
    """The height of each pixel's neighbour; its own where that is clear, or beyond the border."""
    rows, columns = high.shape
    down, across = np.arange(rows) + row, np.arange(columns) + column
    if wrap:
        down, across = down % rows, across % columns
    else:
        down, across = down.clip(0, rows - 1), across.clip(0, columns - 1)
    index = np.ix_(down, across)
    chosen: NDArray[np.int64] = np.where(there[index], high[index], high)
    return chosen
