"""The distinct colours of a picture: a picture has far fewer colours than pixels.

`np.unique` was refused for its inverse: it sorts by vector instructions where the CPU has them, and an
emulated CPU was seen to get that wrong. A stable sort uses none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Groups:
    """Equal numbers put together."""

    values: NDArray[np.int64]
    """Each number once, rising."""
    where: NDArray[np.int64]
    """For each number given, its place in `values`."""
    counts: NDArray[np.int64]


def grouped(numbers: NDArray[np.int64]) -> Groups:
    """The distinct `numbers` of a flat array that is not empty."""
    order = np.argsort(numbers, kind="stable")
    rising = numbers[order]
    begins = np.flatnonzero(np.concatenate([[True], rising[1:] != rising[:-1]]))
    counts = np.diff(np.concatenate([begins, [len(numbers)]]))
    where = np.empty(len(numbers), np.int64)
    where[order] = np.repeat(np.arange(len(begins)), counts)
    return Groups(rising[begins], where, counts)


def packed(colors: NDArray[np.uint8] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Red, green, blue in the last axis as one number, `0xrrggbb`."""
    wide = colors.astype(np.int64)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


def unpacked(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, 3): red, green, blue."""
    return np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=1)
