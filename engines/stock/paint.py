"""One-colour icons, painted: a base tone, light from the upper left, and a surface for each finish.

A tone is a whole number from 0 (shadow) to 255 (light) that a ramp turns into a colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.stock import raster
from engines.stock.palette import TONES, Finish, Palette
from engines.stock.raster import FULL, Pixels, Plane

_PAINTS: Final = ("#f00", "#0f0", "#00f")
_MIDDLE: Final = 128


@dataclass(frozen=True, slots=True)
class Shape:
    """An icon as coverages, all of one size."""

    whole: Plane
    """Everything, drawn lines and inked holes included."""
    parts: tuple[Plane, Plane, Plane]
    """The large, the middle and the small islands."""


def shape(body: str, box: str, side: int) -> Shape:
    """The layers of `body` (see `layers.separate`), rendered in one go: a colour channel for each."""
    *parts, ink = body.split("\n")
    # The seam between a part and the ink below it would let the background through: a thin stroke.
    paths = [f'<path d="{ink}" fill="#000" stroke="#000" stroke-width="3"/>'] if ink else []
    paths += [
        f'<path d="{data}" fill="{paint}"/>' for data, paint in zip(parts, _PAINTS, strict=True) if data
    ]
    pixels = raster.render("".join(paths), box, side)
    whole = pixels[..., 3]
    red, green, blue = (pixels[..., channel] * whole // FULL for channel in range(3))
    return Shape(whole, (red, green, blue))


def painted(form: Shape, palette: Palette, *, slant: int, flat: bool = False) -> Pixels:
    """`form` in the colours of `palette`. `slant`: which way the large gradient leans, -2 to 2."""
    side = form.whole.shape[0]
    solid = np.minimum(form.parts[0] + form.parts[1] + form.parts[2], FULL)
    tones = _flat_light(side) if flat else light(solid, slant)
    color = np.empty((side, side, 3), np.int32)
    color[:] = palette[0].ink
    color *= (FULL - solid)[..., None]
    for part, ramp in zip(form.parts, palette, strict=True):
        there = part > 0
        if there.any():
            tone = tones if flat else _surface(tones, ramp.finish)
            shades = ramp.table()[np.clip(tone[there], 0, TONES - 1)]
            color[there] += shades * part[there][:, None]
    return with_alpha(np.minimum(color // FULL, FULL), form.whole)


def with_alpha(color: NDArray[np.int32], alpha: Plane) -> Pixels:
    """Colours (height, width, 3) and their alpha, together."""
    return np.concatenate([color, alpha[..., None]], axis=2)


def light(solid: Plane, slant: int) -> Plane:
    """Tone of a plain surface: lighter at the top, rounded at its rims, a bright edge to the light."""
    side = solid.shape[0]
    fine, wide = max(1, side // 110), max(2, side // 26)
    rounded = _relief(raster.blur(solid, wide), wide)
    rim = _relief(raster.blur(solid, fine), fine)
    across, down = _coordinates(side)
    fall = ((side - 1 - 2 * down) * 52 + (side - 1 - 2 * across) * 13 * slant) // side
    tone: Plane = _MIDDLE + 10 + fall + rounded * 74 // FULL + rim * 58 // FULL
    return tone


def _flat_light(side: int) -> Plane:
    across, down = _coordinates(side)
    return np.where(across + down // 3 < side * 2 // 3, 168, 128).astype(np.int32)


def _relief(height: Plane, reach: int) -> Plane:
    """Slope towards the upper left: positive where a surface faces the light."""
    reach = max(1, reach // 2)
    return raster.shift(height, -reach, -reach) - raster.shift(height, reach, reach)


def _surface(light: Plane, finish: Finish) -> Plane:
    side = light.shape[0]
    across, down = _coordinates(side)
    tone = light
    if finish is Finish.METAL:
        # Bands of sky and ground, as polished metal mirrors them.
        wave = (across + 2 * down) * 640 // side % 256
        band = np.abs(wave - _MIDDLE)
        tone = _MIDDLE + (light - _MIDDLE) * 5 // 4 + (band - 64) * 2 // 5
    elif finish is Finish.GLASS:
        # Facets: the tone steps along two diagonals.
        one = (across * 3 + down * 2) * 4 // side
        two = (side + across * 2 - down * 3) * 3 // side
        tone = light + ((one * 5 + two * 3) % 5 - 2) * 15
    elif finish is Finish.GLOW:
        tone = light + 22
    elif finish is Finish.MATTE:
        tone = _MIDDLE + (light - _MIDDLE) * 7 // 8 - 6
    return tone


def _coordinates(side: int) -> tuple[Plane, Plane]:
    steps = np.arange(side, dtype=np.int32)
    return np.broadcast_to(steps, (side, side)), np.broadcast_to(steps[:, None], (side, side))


def mirrored(form: Shape) -> Shape:
    """`form` with left and right exchanged."""
    large, middle, small = (part[:, ::-1] for part in form.parts)
    return Shape(form.whole[:, ::-1], (large, middle, small))
