"""How far two pictures of one size look from each other: PSNR, SSIM, and where they differ.

Works through bands of rows, so that the largest picture needs no more memory than a small one. Knows
nothing of files or of pictures of different sizes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engines.png import Pixels

Whole: TypeAlias = NDArray[np.int64]

GROUNDS: Final = (0, 255)
"""Black and white. Pictures that look alike on both look alike on every ground: the one gives colour times
alpha, the other then gives alpha."""

_WINDOW: Final = 7
_BAND: Final = 128
_LUMA: Final = np.array([299, 587, 114], np.int64)
_UNIT: Final = 1000
"""Of luma: its weights are thousandths, so that every sum over a window is exact."""


@dataclass(frozen=True, slots=True)
class Change:
    """Where two pictures differ to the eye."""

    share: float
    """Of pixels, 0 to 1."""
    largest: int
    """Difference of a channel, colours weighed by their alpha, 0 to 255."""
    box: tuple[int, int, int, int] | None
    """Left, top, width, height of what differs; None where nothing does."""


def psnr(pixels: Pixels, reference: Pixels) -> float | None:
    """Peak signal-to-noise ratio in dB; None for pictures that look equal.

    10 log10(255² / mean squared error), the mean over red, green and blue: what scikit-image calls
    `peak_signal_noise_ratio`. A picture that is not opaque is laid on black and on white, and the smaller
    value counts.
    """
    worst = max(_squares(pixels, reference, ground) for ground in GROUNDS)
    if not worst:
        return None
    return 10 * math.log10(255**2 * pixels.shape[0] * pixels.shape[1] * 3 / worst)


def ssim(pixels: Pixels, reference: Pixels) -> float:
    """Mean structural similarity of the luma, -1 to 1; 1 for pictures that look equal.

    Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from error visibility
    to structural similarity", IEEE Transactions on Image Processing 13 (2004), equation 13, with K1 = 0.01,
    K2 = 0.03 and L = 255. Windows are 7 x 7, evenly weighed, wholly inside, with the sample covariance:
    what scikit-image computes unless told otherwise. Luma is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). A
    picture that is narrower than a window gets the largest odd window that fits. One that is not opaque is
    laid on black and on white, and the smaller value counts.
    """
    return min(_similarity(pixels, reference, ground) for ground in GROUNDS)


def change(pixels: Pixels, reference: Pixels) -> Change:
    """Which pixels differ. What is fully transparent has no colour."""
    height, width = pixels.shape[:2]
    changed, largest = 0, 0
    rows, columns = np.zeros(height, np.bool_), np.zeros(width, np.bool_)
    for band in _bands(height):
        difference = np.abs(visible(pixels[band]) - visible(reference[band]))
        where = difference.any(axis=2)
        changed += int(where.sum())
        largest = max(largest, int(difference.max(initial=0)))
        rows[band] = where.any(axis=1)
        columns |= where.any(axis=0)
    if not changed:
        return Change(0.0, 0, None)
    top, bottom = np.flatnonzero(rows)[[0, -1]].tolist()
    left, right = np.flatnonzero(columns)[[0, -1]].tolist()
    return Change(changed / (width * height), largest, (left, top, right - left + 1, bottom - top + 1))


def visible(pixels: Pixels) -> NDArray[np.int32]:
    """Colours weighed by alpha, and alpha, in whole numbers."""
    alpha = pixels[..., 3:].astype(np.int32)
    return np.concatenate([(pixels[..., :3] * alpha + 127) // 255, alpha], axis=2)


def laid_on(pixels: Pixels, ground: int) -> NDArray[np.int32]:
    """Red, green and blue of `pixels` over a grey of this level."""
    alpha = pixels[..., 3:].astype(np.int32)
    return (pixels[..., :3] * alpha + ground * (255 - alpha) + 127) // 255


def luma(colors: NDArray[np.int32]) -> Whole:
    """In thousandths of a level."""
    return colors.astype(np.int64) @ _LUMA


def _bands(height: int, more: int = 0) -> Iterator[slice]:
    """Slices of rows, each followed by `more` rows of the next one."""
    for start in range(0, height - more, _BAND):
        yield slice(start, min(start + _BAND, height - more) + more)


def _squares(pixels: Pixels, reference: Pixels, ground: int) -> int:
    total = 0
    for band in _bands(len(pixels)):
        difference = laid_on(pixels[band], ground) - laid_on(reference[band], ground)
        total += int((difference.astype(np.int64) ** 2).sum())
    return total


def _similarity(pixels: Pixels, reference: Pixels, ground: int) -> float:
    side = min(_WINDOW, *((length - 1) // 2 * 2 + 1 for length in pixels.shape[:2]))
    total, windows = 0.0, 0
    for band in _bands(len(pixels), side - 1):
        values = _index(luma(laid_on(pixels[band], ground)), luma(laid_on(reference[band], ground)), side)
        total += float(values.sum())
        windows += values.size
    return total / windows


def _index(x: Whole, y: Whole, side: int) -> NDArray[np.float64]:
    """The index of each window; every sum is a whole number below 2**53, so floats hold it exactly."""
    number = side * side
    sum_x, sum_y = _sums(x, side), _sums(y, side)
    spread = number * max(number - 1, 1)
    var_x = (number * _sums(x * x, side) - sum_x * sum_x) / spread
    var_y = (number * _sums(y * y, side) - sum_y * sum_y) / spread
    both = (number * _sums(x * y, side) - sum_x * sum_y) / spread
    mean_x, mean_y = sum_x / number, sum_y / number
    light, contrast = (0.01 * 255 * _UNIT) ** 2, (0.03 * 255 * _UNIT) ** 2
    above = (2 * mean_x * mean_y + light) * (2 * both + contrast)
    below = (mean_x**2 + mean_y**2 + light) * (var_x + var_y + contrast)
    index: NDArray[np.float64] = above / below
    return index


def _sums(values: Whole, side: int) -> Whole:
    """The sum over each window of `side` x `side`."""
    running = np.pad(values, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    sums: Whole = (
        running[side:, side:] - running[:-side, side:] - running[side:, :-side] + running[:-side, :-side]
    )
    return sums
