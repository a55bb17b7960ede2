"""Textures made of integers: grain of several sizes that tiles or does not, bricks, a slope of tone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.png import Pixels


def grain(side: int, seed: int, *, tiles: bool) -> Pixels:
    """Opaque clouds of `side` x `side`; a part of larger ones where they shall not tile."""
    whole = side if tiles else side * 2
    random = np.random.default_rng(seed)
    total = np.zeros((whole, whole, 3), np.int64)
    for cell, weight in ((16, 4), (8, 2), (4, 1), (1, 1)):
        values = random.integers(0, 256, (whole // cell, whole // cell, 3), dtype=np.int64)
        total += weight * _spread(values, cell)
    colors = (total // 8)[:side, :side].astype(np.uint8)
    return np.dstack([colors, np.full((side, side), 255, np.uint8)])


def _spread(values: NDArray[np.int64], cell: int) -> NDArray[np.int64]:
    """`values` a `cell` apart, and in straight lines between; the last goes over into the first."""
    for axis in (0, 1):
        near = np.repeat(values, cell, axis)
        far = np.repeat(np.roll(values, -1, axis), cell, axis)
        part = np.arange(near.shape[axis]) % cell
        part = part.reshape([-1 if place == axis else 1 for place in range(3)])
        values = (near * (cell - part) + far * part) // cell
    return values


def bricks(side: int, seed: int) -> Pixels:
    """Courses of bricks of slightly different reds that tile; mortar stands at the left edge of some."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side]
    course = y // 16
    along = (x + course % 2 * 16) % side
    tones = random.integers(-20, 21, (side // 16, side // 32))[course, along // 32]
    mortar = (along % 32 < 3) | (y % 16 < 3)
    red = np.where(mortar, 170, 150 + tones)
    other = np.where(mortar, 160, 70 + tones // 2)
    alpha = np.full_like(red, 255)
    return np.stack([red, other, other, alpha], axis=2).astype(np.uint8)


def slope(width: int, height: int) -> Pixels:
    """Black at the left, white at the right."""
    grey = np.broadcast_to(np.arange(width) * 255 // (width - 1), (height, width)).astype(np.uint8)
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])
