"""The steps `resize` and `scale`, and the resampler behind them.

Pixels are summed as integers. Weights use only single float64 operations (+ - * /), which IEEE 754 rounds
the same on every CPU; `math.sin` was refused, because a C library picks its version by CPU.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.finish import bounds
from engines.finish.geometry import place
from engines.parameters import bad
from engines.png import Pixels

_SHIFT: Final = 13
_ONE: Final = 1 << _SHIFT
"""A weight of 1. Values reach 1.3 * 255 * 255 after the first axis, and weights 1.6 in absolute sum, so that
no sum comes near 2**31."""

_LOBES: Final = 3
_PI: Final = 3.141592653589793


def resize(pixels: Pixels, *, size: tuple[int, int], fit: str, filter: str, anchor: str) -> Pixels:  # noqa: A002
    """Scale to `size`; `fit` says what happens where the shapes differ."""
    width, height = size
    bounds.check(width, height)
    rows, columns = pixels.shape[:2]
    if fit == "stretch":
        return resample(pixels, width, height, filter)
    # Compared as products, so that no division rounds: is the box wider than the picture?
    wider = width * rows > height * columns
    by_height = wider if fit in {"contain", "within"} else not wider
    if by_height:
        inner = max(1, (2 * columns * height + rows) // (2 * rows)), height
    else:
        inner = width, max(1, (2 * rows * width + columns) // (2 * columns))
    bounds.check(*inner)
    scaled = resample(pixels, *inner, filter)
    return scaled if fit == "within" else place(scaled, size, anchor, (0, 0, 0, 0))


def scale(pixels: Pixels, *, down: int, up: int, filter: str) -> Pixels:  # noqa: A002
    """A whole number of times smaller or larger, or by the ratio of the two: sides must come out whole."""
    rows, columns = pixels.shape[:2]
    whole = down // math.gcd(up, down)
    if rows % whole or columns % whole:
        raise bad(
            f"the picture is {columns} x {rows} pixels, which {whole} does not divide",
            "put a `resize`, `pad` or `crop` before it",
        )
    width, height = columns * up // down, rows * up // down
    bounds.check(width, height)
    return resample(pixels, width, height, filter if whole > 1 else "nearest")


def fit(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """A provider's picture at the asset's `size`: scaled down until it just covers it, the rest cut off."""
    rows, columns = pixels.shape[:2]
    if columns < size[0] or rows < size[1]:
        message = f"the raw picture is {columns} x {rows}, less than the {size[0]} x {size[1]} asked for"
        raise bad(message, "ask for a smaller `size`: nothing is scaled up unless a `resize` says so")
    return resize(pixels, size=size, fit="cover", filter="lanczos", anchor="center")


def resample(pixels: Pixels, width: int, height: int, method: str) -> Pixels:
    """`pixels` at `width` x `height`. `area` and `lanczos` weigh colours by alpha: no dark fringes."""
    rows, columns = pixels.shape[:2]
    if (width, height) == (columns, rows):
        return pixels
    if method == "nearest":
        down = (2 * np.arange(height) + 1) * rows // (2 * height)
        across = (2 * np.arange(width) + 1) * columns // (2 * width)
        return np.ascontiguousarray(pixels[down[:, np.newaxis], across])
    values = pixels.astype(np.int32)
    values[..., :3] *= values[..., 3:]
    values[..., 3] *= 255
    values = _along_rows(values, height, method)
    values = _along_rows(values.swapaxes(0, 1), width, method).swapaxes(0, 1)
    return _straight(values)


def _straight(values: NDArray[np.int32]) -> Pixels:
    """Premultiplied values of about 0 to 255 * 255 as plain RGBA, each rounded to the nearest.

    Alpha is clipped only after the division: a filter that overshoots does so in colour and alpha alike.
    """
    weight = values[..., 3:]
    result = np.empty(values.shape, np.uint8)
    result[..., 3:] = ((weight + 127) // 255).clip(0, 255)
    color = (values[..., :3] * 255 + weight // 2) // weight.clip(1)
    result[..., :3] = np.where(result[..., 3:] > 0, color.clip(0, 255), 0)
    return result


def _along_rows(values: NDArray[np.int32], length: int, method: str) -> NDArray[np.int32]:
    """Resample the first axis to `length`."""
    if values.shape[0] == length:
        return values
    first, weights = _area(values.shape[0], length) if method == "area" else _lanczos(values.shape[0], length)
    total = np.full((length, *values.shape[1:]), _ONE // 2, np.int32)
    for tap in range(weights.shape[1]):
        rows = (first + tap).clip(0, values.shape[0] - 1)
        total += values[rows] * weights[:, tap, np.newaxis, np.newaxis]
    return total >> _SHIFT


def _area(source: int, length: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Each result covers an equal stretch of the source; a pixel counts by how much of it is covered."""
    begin = np.arange(length) * source  # in units of 1 / length of a source pixel
    first = begin // length
    taps = int(((begin + source - 1) // length - first).max()) + 1
    left = (first[:, np.newaxis] + np.arange(taps)) * length
    covered = np.minimum(left + length, (begin + source)[:, np.newaxis]) - np.maximum(
        left, begin[:, np.newaxis]
    )
    return first, _whole(covered.clip(0) / source)


def _lanczos(source: int, length: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Lanczos with three lobes, widened by the scale where the picture shrinks."""
    scale = max(1.0, source / length)
    center = (np.arange(length) * 2 + 1) * source / (2 * length) - 0.5
    first = np.ceil(center - _LOBES * scale).astype(np.int64)
    taps = int(2 * _LOBES * scale) + 1
    at = first[:, np.newaxis] + np.arange(taps)
    away = (at - center[:, np.newaxis]) / scale
    # Beyond the border there is nothing: the weights within count for more there.
    used = (np.abs(away) < _LOBES) & (at >= 0) & (at < source)
    weights = np.where(used, _sinc(away) * _sinc(away / _LOBES), 0.0)
    total = np.zeros(length)
    for tap in range(taps):  # one addition at a time: numpy's own sum pairs them as the CPU likes
        total = total + weights[:, tap]
    return first, _whole(weights / total[:, np.newaxis])


def _sinc(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """sin(pi x) / (pi x), by the Taylor series of the sine within half a turn; wrong by less than 1e-10."""
    turns = np.rint(x)
    angle = (x - turns) * _PI
    square = angle * angle
    series = np.ones_like(x)
    for order in range(14, 0, -2):
        series = 1.0 - square * series / (order * (order + 1))
    sine = angle * series * (1.0 - 2.0 * (turns % 2))
    near = np.abs(x) < 1e-9  # noqa: PLR2004 - where the quotient would be 0 / 0
    return np.where(near, 1.0, sine / np.where(near, 1.0, x * _PI))


def _whole(weights: NDArray[np.float64]) -> NDArray[np.int32]:
    """Weights as integers that sum to exactly one, so that flat colour stays as it is."""
    whole = np.rint(weights * _ONE).astype(np.int32)
    largest = whole.argmax(axis=1)
    whole[np.arange(len(whole)), largest] += _ONE - whole.sum(axis=1, dtype=np.int32)
    return whole
