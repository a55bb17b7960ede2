"""The bilateral filter (Tomasi and Manduchi, 1998): neighbours of like colour become more alike, edges stay.

What is not learned of a picture stays in it as grain, a mesh of small steps over large faces. Knows nothing
of what made the picture.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.sprite.network import Floats

_REACH: Final = 2
"""Pixels on each side that are looked at."""
_NEAR: Final = 1.0
"""Pixels, a deviation: how much a neighbour counts by where it is."""
_ALIKE: Final = 0.08
"""Of the range of a channel, a deviation: how much by its colour. The steps between what things are made of
are a quarter of the range and more."""
_TIMES: Final = 2


def filtered(pictures: Floats) -> Floats:
    """(…, height, width, channels), about 0 to 1, without most of the grain."""
    for _ in range(_TIMES):
        pictures = _once(pictures)
    return pictures


def _once(pictures: Floats) -> Floats:
    height, width = pictures.shape[-3:-1]
    edges = [(0, 0)] * (pictures.ndim - 3) + [(_REACH, _REACH), (_REACH, _REACH), (0, 0)]
    framed = np.pad(pictures, edges, mode="edge")
    total, weights = np.zeros_like(pictures), np.zeros_like(pictures[..., :1])
    for down in range(2 * _REACH + 1):
        for right in range(2 * _REACH + 1):
            other = framed[..., down : down + height, right : right + width, :]
            apart = ((other - pictures) ** 2).sum(axis=-1, keepdims=True) / _ALIKE**2
            away = ((down - _REACH) ** 2 + (right - _REACH) ** 2) / _NEAR**2
            weight = np.exp(-(apart + away) / 2)
            total += weight * other
            weights += weight
    result: Floats = total / weights
    return result
