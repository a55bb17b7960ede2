"""The step `tile`: heals a picture's edges, so that copies of it side by side show no seam.

A patch from inside the picture is laid over each pair of edges and cut out where it differs least from what
lies below: "minimum error boundary cut" of A. A. Efros and W. T. Freeman, "Image Quilting for Texture
Synthesis and Transfer", SIGGRAPH 2001. All integers: the same cut on every CPU.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.parameters import bad
from engines.png import Pixels

_TRIALS: Final = 64
"""Places in the picture that a patch is looked for at."""

_FAR: Final = 2**60
_MOST_BORDER: Final = 64


def tile(pixels: Pixels, *, border: int | None, axis: str, feather: int | None) -> Pixels:
    """Heal the edges along `axis`; what lies further than `border` pixels from them stays as it is."""
    rows, columns = pixels.shape[:2]
    sides = {"horizontal": columns, "vertical": rows}
    shortest = min(side for name, side in sides.items() if axis in {name, "both"})
    wide = border or max(1, min(_MOST_BORDER, shortest // 8))
    if 4 * wide > shortest:
        raise bad(
            f"`border` is {wide} pixels, more than a quarter of the picture's {shortest}",
            "make `border` smaller: the patch comes from inside the picture",
        )
    soft = wide // 4 if feather is None else feather
    if 2 * soft >= wide:
        raise bad(f"`feather` is {soft} pixels, too many for a `border` of {wide}", "make `feather` smaller")
    if axis != "vertical":
        pixels = _healed(pixels, wide, soft, closed=False)
    if axis != "horizontal":
        # Closed where both are healed: the cut must end where it began, or the left edge shows again.
        turned = _healed(pixels.swapaxes(0, 1), wide, soft, closed=axis == "both")
        pixels = np.ascontiguousarray(turned.swapaxes(0, 1))
    return pixels


def _healed(pixels: Pixels, border: int, feather: int, *, closed: bool) -> Pixels:
    """`pixels` whose right edge goes over into the left one."""
    columns = pixels.shape[1]
    half = columns // 2
    rolled = np.roll(pixels, half, axis=1)  # now the seam is in the middle
    below = rolled[:, half - border : half + border]
    begin = _best(pixels, below, border, feather)
    patch = pixels[:, begin : begin + 2 * border]
    costs = _costs(_weighed(below), _weighed(patch))
    shares = [
        _shares(_cut(part[:, feather : border - feather], closed=closed) + feather, border, feather)
        for part in (costs[:, :border], costs[:, : border - 1 : -1])
    ]
    share = np.concatenate([shares[0], shares[1][:, ::-1]], axis=1)
    rolled[:, half - border : half + border] = _mixed(below, patch, share, 2 * feather + 1)
    return np.roll(rolled, -half, axis=1)


def _best(pixels: Pixels, below: Pixels, border: int, feather: int) -> int:
    """The column from which a patch fits best, of those whose patch touches nothing that is healed."""
    first, last = border, pixels.shape[1] - 3 * border
    count = min(_TRIALS, last - first + 1)
    begins = np.array([first + (last - first) * trial // max(count - 1, 1) for trial in range(count)])
    where = begins[:, np.newaxis] + np.arange(2 * border)
    inner = slice(feather, border - feather)
    left = right = np.zeros((count, border - 2 * feather), np.int64)
    for row in range(len(pixels)):  # the costs of a row at a time: of all they would not fit into memory
        costs = _costs(_weighed(below[row])[np.newaxis], _weighed(pixels[row])[where])
        left = _onward(left) + costs[:, :border][:, inner]
        right = _onward(right) + costs[:, : border - 1 : -1][:, inner]
    return int(begins[(left.min(axis=1) + right.min(axis=1)).argmin()])


def _weighed(pixels: Pixels) -> NDArray[np.int64]:
    """Colours weighed by alpha, and alpha, in 255ths: what is hidden under clear pixels plays no part."""
    values = pixels.astype(np.int64)
    values[..., :3] *= values[..., 3:]
    values[..., 3] *= 255
    return values


def _costs(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """The square of how far each pixel of `one` is from that of `other`, in levels."""
    squares: NDArray[np.int64] = (((one - other) // 255) ** 2).sum(axis=-1)
    return squares


def _onward(total: NDArray[np.int64]) -> NDArray[np.int64]:
    """The least cost of a way to each place of the next row, which is at most one place aside."""
    padded = np.pad(total, ((0, 0), (1, 1)), constant_values=_FAR)
    return np.minimum(np.minimum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])


def _cut(costs: NDArray[np.int64], *, closed: bool) -> NDArray[np.int64]:
    """The cheapest way from the first row to the last: a column for each row."""
    if not closed:
        return _way(costs, None)
    # Where a way twice around passes the middle is a good place to begin and to end.
    twice = _way(np.concatenate([costs, costs]), None)
    return _way(costs, int(twice[len(costs)]))


def _way(costs: NDArray[np.int64], ends: int | None) -> NDArray[np.int64]:
    """The same; with `ends` it begins there and ends at most one column aside."""
    rows, columns = costs.shape
    total = np.empty_like(costs)
    total[0] = costs[0]
    if ends is not None:
        total[0] = _FAR
        total[0, ends] = costs[0, ends]
    for row in range(1, rows):
        total[row] = (_onward(total[row - 1 : row])[0] + costs[row]).clip(max=_FAR)
    way = np.empty(rows, np.int64)
    low, high = (0, columns) if ends is None else (max(0, ends - 1), min(columns, ends + 2))
    for row in range(rows - 1, -1, -1):
        way[row] = low + int(total[row, low:high].argmin())
        low, high = max(0, int(way[row]) - 1), min(columns, int(way[row]) + 2)
    return way


def _shares(way: NDArray[np.int64], border: int, feather: int) -> NDArray[np.int64]:
    """How much of each pixel is the patch's, in parts of `2 * feather + 1`: all of it right of the way."""
    parts: NDArray[np.int64] = np.arange(border) - way[:, np.newaxis] + feather + 1
    return parts.clip(0, 2 * feather + 1)


def _mixed(below: Pixels, patch: Pixels, share: NDArray[np.int64], whole: int) -> Pixels:
    part = share[..., np.newaxis]
    values = _weighed(below) * (whole - part) + _weighed(patch) * part
    weight = values[..., 3:]
    result = np.empty_like(below)
    result[..., 3:] = (weight // 255 + whole // 2) // whole
    color = (values[..., :3] * 255 + weight // 2) // weight.clip(1)
    result[..., :3] = np.where(result[..., 3:] > 0, color, 0)
    # As they are, hidden colours included: a picture that tiles already must not change.
    result[share == 0] = below[share == 0]
    result[share == whole] = patch[share == whole]
    return result
