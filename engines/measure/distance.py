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
Sums: TypeAlias = NDArray[np.float64]
"""Whole numbers, so that no sum is rounded."""

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
    worst = max(_squares(pixels, reference, ground) for ground in _grounds(pixels, reference))
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
    return min(_similarity(pixels, reference, ground) for ground in _grounds(pixels, reference))


def change(pixels: Pixels, reference: Pixels) -> Change:
    """Which pixels differ. What is fully transparent has no colour."""
    height, width = pixels.shape[:2]
    changed, largest = 0, 0
    rows, columns = np.zeros(height, np.bool_), np.zeros(width, np.bool_)
    for band in _bands(height):
        difference = _apart(_weighed(pixels[band]), _weighed(reference[band]))
        # One number for the four bytes of a pixel: any of them differs where that is not 0.
        where = np.ascontiguousarray(difference).view(np.uint32)[..., 0] != 0
        changed += int(np.count_nonzero(where))
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


def _weighed(pixels: Pixels) -> Pixels:
    """The same in bytes."""
    alpha = pixels[..., 3:]
    if _opaque(pixels):
        return pixels
    # At most 255 * 255 + 127, which 16 bits hold.
    colors = (pixels[..., :3] * alpha.astype(np.uint16) + 127) // 255
    return np.concatenate([colors.astype(np.uint8), alpha], axis=2)


def _apart(first: Pixels, second: Pixels) -> Pixels:
    """How far each byte is from the other."""
    return np.maximum(first, second) - np.minimum(first, second)


def _opaque(pixels: Pixels) -> bool:
    return bool((pixels[..., 3] == 255).all())  # noqa: PLR2004 - opaque


def _grounds(pixels: Pixels, reference: Pixels) -> tuple[int, ...]:
    """The grounds that two pictures are to be laid on: of opaque ones, none is to be seen."""
    return GROUNDS[:1] if _opaque(pixels) and _opaque(reference) else GROUNDS


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
        apart = _apart(_shown(pixels[band], ground), _shown(reference[band], ground))
        apart[..., 3] = 0
        wide = apart.astype(np.uint16)
        total += int((wide * wide).sum(dtype=np.int64))
    return total


def _shown(pixels: Pixels, ground: int) -> Pixels:
    """As `laid_on`, in bytes, and with a fourth channel that says nothing: slices of three are slow."""
    weighed = _weighed(pixels)
    if not ground or weighed is pixels:
        return weighed
    # White shows wherever alpha lets it: 255 - alpha more than on black, to the last bit.
    weighed[..., :3] += 255 - pixels[..., 3:]
    return weighed


def _luma_of(pixels: Pixels, ground: int) -> Sums:
    """`luma` of `pixels` on a ground."""
    red, green, blue, _ = np.moveaxis(_shown(pixels, ground), 2, 0).astype(np.float64)
    levels: Sums = red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]
    return levels


def _similarity(pixels: Pixels, reference: Pixels, ground: int) -> float:
    side = min(_WINDOW, *((length - 1) // 2 * 2 + 1 for length in pixels.shape[:2]))
    total, windows = 0.0, 0
    for band in _bands(len(pixels), side - 1):
        values = _index(_luma_of(pixels[band], ground), _luma_of(reference[band], ground), side)
        total += float(values.sum())
        windows += values.size
    return total / windows


def _index(x: Sums, y: Sums, side: int) -> Sums:
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
    index: Sums = above / below
    return index


def _sums(values: Sums, side: int) -> Sums:
    """The sum over each window of `side` x `side`: first of columns, then of rows.

    Running sums over the whole picture were refused: they took three times as long.
    """
    high, wide = len(values) - side + 1, values.shape[1] - side + 1
    rows = values[:high].copy()
    for step in range(1, side):
        rows += values[step : step + high]
    sums = rows[:, :wide].copy()
    for step in range(1, side):
        sums += rows[:, step : step + wide]
    return sums
