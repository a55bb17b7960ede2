"""The step `quantize`: few colours, chosen from the picture or given as a palette.

All integers: the same picks on every CPU. Knows nothing of palette files' formats.
"""

from __future__ import annotations

from math import isqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.finish.colors import grouped, packed, unpacked
from engines.finish.palette import Colors, read
from engines.parameters import bad
from engines.png import Pixels

_WEIGHTS: Final = np.array([3, 6, 2], np.int64)
"""How much a step in red, green, blue counts: near the eye's own ratios."""

_ROUNDS: Final = 6
_CHUNK: Final = 4096

_BAYER: Final = np.array([[0, 2], [3, 1]], np.int64)


def quantize(
    pixels: Pixels, *, colors: int | None, palette: str | None, dither: str, alpha: str, threshold: int
) -> Pixels:
    """Every visible pixel in one of few colours; colours under alpha 0 become black."""
    if (colors is None) == (palette is None):
        raise bad("either `colors` or `palette` is needed, and not both")
    result = pixels.copy()
    if alpha == "snap":
        result[..., 3] = np.where(pixels[..., 3] >= threshold, 255, 0)
    seen = result[..., 3] > 0
    result[~seen] = 0
    if not seen.any():
        return result
    found = grouped(packed(result[seen]))
    unique, where = unpacked(found.values), found.where
    chosen = read(palette) if palette is not None else choose(unique, found.counts, colors or 0)
    if dither == "none":
        picked = chosen[nearest(unique, chosen)][where]
    else:
        picked = _dithered(unique, where, chosen, np.argwhere(seen))
    result[seen, :3] = picked
    return result


def nearest(colors: Colors, chosen: Colors) -> NDArray[np.int64]:
    """For each of `colors` the index of the nearest of `chosen`; of equals, the first."""
    result = np.empty(len(colors), np.int64)
    own = np.diagonal(_products(chosen, chosen))
    for start in range(0, len(colors), _CHUNK):
        part = slice(start, start + _CHUNK)
        # The square of the distance, less that of the colour itself, which is the same for all.
        result[part] = (own - 2 * _products(colors[part], chosen)).argmin(axis=1)
    return result


def _products(one: Colors, other: Colors) -> NDArray[np.int64]:
    """The weighted dot product of each with each.

    In float32, for speed: no sum reaches 2**24, so each is exact, in whatever order a CPU adds it up.
    """
    weighted = (one * _WEIGHTS).astype(np.float32)
    return (weighted @ other.astype(np.float32).T).astype(np.int64)


def choose(unique: Colors, counts: NDArray[np.int64], number: int) -> Colors:
    """At most `number` colours that stand for `unique`: median cut, then a few rounds of k-means.

    A picture with few enough colours keeps exactly those.
    """
    if len(unique) <= number:
        return unique
    # Grouped by five bits a channel first: a photograph has too many colours to compare each with each.
    points, weights = _means(unique, counts, grouped(packed(unique >> 3)).where)
    if len(points) <= number:
        points, weights = unique, counts
    chosen = _median_cut(points, weights, number)
    for _ in range(_ROUNDS):
        moved, _ = _means(points, weights, nearest(points, chosen))
        if np.array_equal(moved, chosen):
            break
        chosen = moved
    return unpacked(grouped(packed(chosen)).values)


def _means(
    points: Colors, weights: NDArray[np.int64], group: NDArray[np.int64]
) -> tuple[Colors, NDArray[np.int64]]:
    """The rounded mean and the weight of each group that has a member."""
    size = int(group.max()) + 1
    total = np.zeros(size, np.int64)
    np.add.at(total, group, weights)
    sums = np.zeros((size, 3), np.int64)
    np.add.at(sums, group, points * weights[:, np.newaxis])
    used = total > 0
    sums, total = sums[used], total[used]
    return (2 * sums + total[:, np.newaxis]) // (2 * total[:, np.newaxis]), total


def _median_cut(points: Colors, weights: NDArray[np.int64], number: int) -> Colors:
    """Split the box that spreads most, at its median, until there are `number` boxes."""
    boxes = [np.arange(len(points))]
    while len(boxes) < number:
        spreads = [_spread(points[box], weights[box]) for box in boxes]
        worst = max(range(len(boxes)), key=lambda index: spreads[index][0])
        spread, channel = spreads[worst]
        if spread == 0:
            break
        box = boxes[worst]
        box = box[np.argsort(points[box, channel], kind="stable")]
        running = np.cumsum(weights[box])
        cut = int(np.searchsorted(running, running[-1] // 2, side="right"))
        cut = min(max(cut, 1), len(box) - 1)
        boxes[worst : worst + 1] = [box[:cut], box[cut:]]
    group = np.empty(len(points), np.int64)
    for index, box in enumerate(boxes):
        group[box] = index
    return _means(points, weights, group)[0]


def _spread(points: Colors, weights: NDArray[np.int64]) -> tuple[int, int]:
    """How much a box would gain by a split, and along which channel."""
    ranges = (points.max(axis=0) - points.min(axis=0)) ** 2 * _WEIGHTS
    channel = int(ranges.argmax())
    # The root of the weight, so that a small bright detail still gets a colour beside a large sky.
    return int(ranges[channel]) * isqrt(int(weights.sum()) * 64), channel


def _dithered(unique: Colors, where: NDArray[np.int64], chosen: Colors, places: NDArray[np.int64]) -> Colors:
    """Mix two colours in an ordered 8 x 8 pattern, in the ratio that comes nearest to the true colour."""
    first = nearest(unique, chosen)
    second, share = _partners(unique, chosen, first)
    pattern = _BAYER
    for _ in range(2):
        pattern = np.block([[4 * pattern + step for step in row] for row in _BAYER.tolist()])
    limit = pattern[places[:, 0] % 8, places[:, 1] % 8]
    index = np.where(share[where] > limit, second[where], first[where])
    return chosen[index]


def _partners(
    unique: Colors, chosen: Colors, first: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each colour the best second colour to mix in, and its share in 64ths (0 to 32)."""
    second, share = np.empty_like(first), np.empty_like(first)
    mutual = _products(chosen, chosen)
    own = np.diagonal(mutual)
    length = own[:, np.newaxis] + own - 2 * mutual  # squared distances among the chosen
    for start in range(0, len(unique), _CHUNK):
        part = slice(start, start + _CHUNK)
        base, rows = first[part], np.arange(len(first[part]))
        toward = _products(unique[part], chosen)
        itself = toward[rows, base]
        # The way from the base to the colour, measured along that from the base to each other.
        along = toward - itself[:, np.newaxis] - mutual[base] + own[base, np.newaxis]
        away = (unique[part] * unique[part] * _WEIGHTS).sum(axis=1) - 2 * itself + own[base]
        span = length[base]
        mixed = (64 * along // span.clip(1)).clip(0, 32)
        miss = 4096 * away[:, np.newaxis] - 128 * mixed * along + mixed * mixed * span
        # A mix of two far colours is noisier than a near miss: part of its variance counts as error.
        error = miss + span * mixed * (64 - mixed) // 8
        second[part] = error.argmin(axis=1)
        share[part] = mixed[rows, second[part]]
    return second, share
