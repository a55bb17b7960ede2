"""Layers of colour and cover, in whole numbers: blur, shift, bevel, one over another.

Knows nothing of text. The renderer's own blur was refused: it sums floats.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engines.parameters import Color
from engines.png import Pixels

Cover: TypeAlias = NDArray[np.uint8]
"""(height, width): 0 clear to 255 full."""


def over(back: Pixels, front: Pixels) -> Pixels:
    """`front` on `back`, each RGBA that is not premultiplied."""
    top = front[..., 3:].astype(np.int64) * 255
    low = back[..., 3:].astype(np.int64) * (255 - front[..., 3:])
    total = top + low
    color = front[..., :3] * top + back[..., :3] * low
    result = np.empty_like(back)
    result[..., 3:] = (total + 127) // 255
    divisor = total.clip(1)
    result[..., :3] = (color + divisor // 2) // divisor
    result[result[..., 3] == 0] = 0
    return result


def inked(cover: Cover, color: Color) -> Pixels:
    """One colour, as far as `cover` goes."""
    result = np.empty((*cover.shape, 4), np.uint8)
    result[..., :3] = color[:3]
    result[..., 3] = (cover.astype(np.int64) * color[3] + 127) // 255
    return result


def shifted(cover: Cover, right: int, down: int) -> Cover:
    """Moved; what leaves the canvas is gone."""
    height, width = cover.shape
    result = np.zeros_like(cover)
    if abs(right) < width and abs(down) < height:
        source = cover[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
        top, left = max(0, down), max(0, right)
        result[top : top + source.shape[0], left : left + source.shape[1]] = source
    return result


def blurred(cover: Cover, radius: int) -> Cover:
    """Softened over about `radius` pixels on each side: three box blurs, which come near a Gaussian."""
    if radius < 1:
        return cover
    third = max(1, (radius + 1) // 3)
    values = cover.astype(np.int64) * 256
    for _ in range(3):
        values = _box(_box(values, third).T, third).T
    return (values // 256).astype(np.uint8)


def _box(values: NDArray[np.int64], reach: int) -> NDArray[np.int64]:
    """Each row's mean over `reach` pixels to both sides; beyond the canvas lies 0."""
    span = 2 * reach + 1
    running = np.cumsum(np.pad(values, ((0, 0), (reach + 1, reach))), axis=1)
    return (running[:, span:] - running[:, :-span] + span // 2) // span


def bevelled(face: Pixels, width: int, strength: int = 160) -> Pixels:
    """`face` lit from above: edges that look up are lighter, those that look down darker."""
    if width < 1:
        return face
    cover = face[..., 3]
    round_ = blurred(cover, 2 * width).astype(np.int64)
    above = np.pad(round_, ((width, 0), (0, 0)))[: len(round_)]
    below = np.pad(round_, ((0, width), (0, 0)))[width:]
    light = ((below - above) * strength // 255).clip(-strength, strength)[..., np.newaxis]
    color = face[..., :3].astype(np.int64)
    lit = np.where(light > 0, color + (255 - color) * light // 255, color + color * light // 255)
    result = face.copy()
    result[..., :3] = lit.clip(0, 255)
    return result
