"""What an icon may stand on: a framed shape, painted like the icons."""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.stock import paint, raster
from engines.stock.palette import TONES, Ramp
from engines.stock.raster import FULL, Pixels, Plane

SHAPES: Final = {
    "circle": "M256 16C388.5 16 496 123.5 496 256S388.5 496 256 496 16 388.5 16 256 123.5 16 256 16z",
    "rounded": "M104 16H408C456.6 16 496 55.4 496 104V408C496 456.6 456.6 496 408 496H104C55.4 496 "
    "16 456.6 16 408V104C16 55.4 55.4 16 104 16z",
    "square": "M40 20H472L492 40V472L472 492H40L20 472V40z",
    "shield": "M256 14C318 48 396 58 474 56 482 226 440 408 256 500 72 408 30 226 "
    "38 56 116 58 194 48 256 14z",
    "hexagon": "M256 12L470 134V378L256 500 42 378V134z",
    "octagon": "M158 20H354L492 158V354L354 492H158L20 354V158z",
    "diamond": "M256 6L506 256 256 506 6 256z",
    "banner": "M56 20H456V462L256 396 56 462z",
    "burst": "M256 6L311 84 399 47 411 141 505 153 468 241 506 256 468 311 505 399 411 411 399 505 311 468 "
    "256 506 201 468 113 505 101 411 7 399 44 311 6 256 44 201 7 113 101 101 113 7 201 44z",
}
_CENTER: Final = 256
_INSET: Final = {"diamond": 84, "burst": 80, "banner": 86}
"""Size of the panel inside the frame, in hundredths of the shape."""
REACH: Final = {"diamond": 52, "burst": 58, "banner": 60, "shield": 62, "hexagon": 64, "circle": 66}
"""How much of the side an icon may take on it, in hundredths."""
_USUAL_INSET, USUAL_REACH = 88, 70


def draw(name: str, side: int, frame: Ramp, panel: Ramp) -> Pixels:
    """The shape `name` in a frame of `frame`, filled with the dark half of `panel`."""
    inset = _INSET.get(name, _USUAL_INSET)
    move = _CENTER * (100 - inset)
    inner = f"matrix({inset / 100} 0 0 {inset / 100} {move / 100} {move / 100})"
    data = SHAPES[name]
    pixels = raster.render(
        f'<path d="{data}" fill="#f00"/><path d="{data}" transform="{inner}" fill="#0f0"/>',
        "0 0 512 512",
        side,
    )
    alpha = pixels[..., 3]
    inside = pixels[..., 1]
    color = panel.table()[_panel(inside, side)] * inside[..., None]
    color += frame.table()[_frame(alpha, inside, side)] * (FULL - inside)[..., None]
    return paint.with_alpha(color // FULL, alpha)


def _panel(inside: Plane, side: int) -> Plane:
    """A light behind the icon that falls off to the rim, and the frame's shadow along its upper left."""
    steps = np.arange(side, dtype=np.int32)
    across, down = np.broadcast_to(steps, (side, side)), np.broadcast_to(steps[:, None], (side, side))
    x, y = (across * 256 // side) - 128, (down * 256 // side) - 112
    away = (x * x + y * y) // 128
    depth = max(2, side // 40)
    hidden = FULL - raster.blur(raster.shift(inside, depth // 2, depth // 2), depth)
    return np.clip(122 - away // 2 - hidden * 70 // FULL, 6, TONES - 1)


def _frame(alpha: Plane, inside: Plane, side: int) -> Plane:
    """A raised rim: lit outside at the upper left, and inside at the lower right."""
    ring = np.clip(alpha - inside, 0, FULL)
    soft = raster.blur(ring, max(1, side // 90))
    reach = max(1, side // 128)
    slope = raster.shift(soft, -reach, -reach) - raster.shift(soft, reach, reach)
    steps = np.arange(side, dtype=np.int32)
    fall = (side - 1 - steps - steps[:, None]) * 34 // side
    return np.clip(134 + fall + slope * 110 // FULL, 0, TONES - 1)
