"""The step `alpha`: make a flat background transparent.

Knows nothing of subjects: a background is what is near its colour and, unless told otherwise, touches
the border.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.parameters import Color, bad
from engines.png import Pixels

_ALIKE: Final = 24
"""How far apart, in any channel, the corners may be and still count as one background."""


def alpha(pixels: Pixels, *, color: Color | None, tolerance: int, softness: int, contiguous: bool) -> Pixels:
    """Key out `color`, or the colour of the corners.

    Up to `tolerance` away a pixel is background; over the next `softness` levels it turns opaque, and
    the background's share is taken out of its colour.
    """
    back = np.array(color[:3], np.int32) if color else _corner_color(pixels)
    away = np.abs(pixels[..., :3].astype(np.int32) - back).max(axis=2)
    kept = ((away - tolerance) * 255 // max(softness, 1)).clip(0, 255)
    kept[away <= tolerance] = 0
    if contiguous:
        kept[~_from_border(kept < 255)] = 255  # noqa: PLR2004 - opaque
    result = pixels.copy()
    clean = back + (pixels[..., :3] - back) * 255 // np.maximum(kept, 1)[..., np.newaxis]
    soft = (kept > 0) & (kept < 255)  # noqa: PLR2004 - opaque
    result[soft, :3] = clean[soft].clip(0, 255)
    result[..., 3] = (pixels[..., 3] * kept + 127) // 255
    result[result[..., 3] == 0] = 0
    return result


def _corner_color(pixels: Pixels) -> NDArray[np.int32]:
    """The corners' mean. One that differs is a subject at the edge, so three alike are enough."""
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1], :3].astype(np.int32)
    for leader in corners:
        near = corners[np.abs(corners - leader).max(axis=1) <= _ALIKE]
        if len(near) > 2:  # noqa: PLR2004 - most of the four
            mean: NDArray[np.int32] = (near.sum(axis=0, dtype=np.int32) * 2 + len(near)) // (2 * len(near))
            return mean
    raise bad("the corners have no one colour", "name the background with `color`")


def _from_border(open_: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of `open_` that is joined to the border, by sides."""
    reached = np.zeros_like(open_)
    reached[[0, -1]] = open_[[0, -1]]
    reached[:, [0, -1]] = open_[:, [0, -1]]
    while True:
        wider = _along(open_.T, _along(open_, reached).T).T
        if np.array_equal(wider, reached):
            return reached
        reached = wider


def _along(open_: NDArray[np.bool_], reached: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Every row's runs of `open_` that hold a reached pixel."""
    starts = open_.copy()
    starts[:, 1:] &= ~open_[:, :-1]
    run = np.cumsum(starts, axis=None)  # a row's first pixel starts a run of its own
    hit = np.zeros(int(run[-1]) + 1, np.bool_)
    hit[run[reached.reshape(-1)]] = True
    found: NDArray[np.bool_] = hit[run].reshape(open_.shape) & open_
    return found
