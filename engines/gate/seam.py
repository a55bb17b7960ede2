"""How much of a picture's left and right edges break off where copies of it lie side by side.

Knows nothing of files. All integers, so that the verdict is the same on every CPU.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.measure.distance import visible
from engines.png import Pixels

Steps = NDArray[np.int64]

_SCALES: Final = (1, 2, 4, 8, 16)
"""Pixels on each side whose means are compared: fine ones see a broken line, coarse ones a change of tone."""

_LENGTHS: Final = (1, 4, 16, 64)
"""How many places of an edge are taken together, beside each alone and all of them."""

_SEEN: Final = 12
"""Least difference that counts as a break, summed over the four channels: what is less, nobody sees."""


def broken(pixels: Pixels) -> float:
    """The share of the edge that breaks off, 0 to 1.

    A place of the edge breaks off where the step over it is more than half as large again as any step
    between neighbours in the same rows. So a line or a brick that ends at the edge is no seam, as long as
    there is another such step in the picture. The worst scale counts.
    """
    values = visible(pixels)
    worst = 0.0
    for scale in _SCALES:
        if scale > 1 and (pixels.shape[1] < 16 * scale or pixels.shape[0] < scale):
            break
        across, inner = _steps(values, scale)
        for length in (*(item for item in _LENGTHS if item < len(across)), len(across)):
            worst = max(
                worst, _share(_pooled(across, length), _pooled(inner, length), scale * scale * length)
            )
    return worst


def _steps(values: NDArray[np.int32], scale: int) -> tuple[Steps, Steps]:
    """For each `scale` rows the step over the edge, and all inside: sums of `scale` x `scale` pixels."""
    rows, columns = values.shape[0] // scale, values.shape[1]
    bands = values[: rows * scale].reshape(rows, scale, columns, 4).sum(axis=1, dtype=np.int64)
    running = np.concatenate([np.zeros((rows, 1, 4), np.int64), bands.cumsum(axis=1)], axis=1)
    sums = running[:, scale:] - running[:, :-scale]
    across = np.abs(sums[:, 0] - sums[:, -1]).sum(axis=1)
    inner = np.abs(sums[:, scale:] - sums[:, :-scale]).sum(axis=2)
    return across, inner


def _pooled(steps: Steps, length: int) -> Steps:
    """The sums of each `length` rows; what is left at the end is left out."""
    rows = len(steps) // length
    pooled: Steps = steps[: rows * length].reshape(rows, length, *steps.shape[1:]).sum(axis=1)
    return pooled


def _share(across: Steps, inner: Steps, pixels: int) -> float:
    most = inner.max(axis=1, initial=0)
    breaks = (2 * across > 3 * most) & (across > _SEEN * pixels)
    return int(breaks.sum()) / len(breaks)
