"""An icon and a look made into a picture: layers put together in the order of the style.

Knows nothing of prompts or seeds; everything that was chosen is in the `Look`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.stock import backdrop, paint, pixel, raster, tint
from engines.stock.library import Icon
from engines.stock.paint import Shape
from engines.stock.palette import Color, Palette, Ramp
from engines.stock.raster import FULL, Layer, Pixels, Plane

_FINE: Final = 256
"""Pictures smaller than this are drawn larger and shrunk."""
_PIXEL_FINE: Final = 256
"""About how fine the `pixel` style looks at an icon before it puts it on its grid."""
_SHADOW: Final[Color] = (12, 8, 24)
_PAPER: Final[Color] = (255, 253, 248)


class Style(StrEnum):
    """How a picture is drawn."""

    PAINTED = "painted"
    FLAT = "flat"
    PIXEL = "pixel"
    STICKER = "sticker"
    EMBLEM = "emblem"
    GLOW = "glow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Everything that was chosen for one picture."""

    style: Style
    palette: Palette
    """What a one-colour icon is painted with."""
    tint: Ramp | None
    """What a colour icon's main colour turns into; None leaves it."""
    outline: int
    """Its width in thousandths of the side; 0 for none."""
    edge: Color | None
    """Its colour; None for the palette's ink."""
    shadow: int
    """How dark, in hundredths; 0 for none."""
    backdrop: str
    """A shape of `backdrop.SHAPES`; empty for none."""
    frame: Ramp
    panel: Ramp
    mirror: bool
    slant: int
    """Which way the light falls across, -2 to 2."""
    reach: int
    """How much of the side the icon takes, in hundredths."""
    grid: int = 0
    """Pixels along a side of the grid of the `pixel` style; 0 chooses."""


def draw(icon: Icon, body: str, look: Look, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(height, width, 4): `icon` in the middle of a picture of `size`, transparent around it."""
    width, height = size
    side = min(size)
    square = (
        _pixel_art(icon, body, look, side) if look.style is Style.PIXEL else _smooth(icon, body, look, side)
    )
    result = np.zeros((height, width, 4), np.uint8)
    top, left = (height - side) // 2, (width - side) // 2
    # Invisible pixels are black, so that equal pictures are equal bytes.
    square[square[..., 3] == 0] = 0
    result[top : top + side, left : left + side] = square
    return result


def _smooth(icon: Icon, body: str, look: Look, side: int) -> Pixels:
    factor = max(1, -(-_FINE // side))
    fine = side * factor
    alone = _picture(icon, body, look, fine)
    # An outline thinner than a pixel of the result would be a grey haze.
    radius = max(fine * look.outline // 1000, factor * 7 // 8) if look.outline else 0
    whole = alone[..., 3]
    picture = raster.layer(alone, whole)
    outlined = raster.grow(whole, radius) if radius else whole
    if radius:
        picture = raster.over(picture, raster.layer(_edge(icon, look), outlined))
    if look.style is Style.STICKER:
        border = raster.grow(outlined, max(fine * 26 // 1000, factor))
        picture = raster.over(picture, raster.layer(_PAPER, border))
        outlined = border
    if look.style is Style.GLOW:
        picture = raster.over(picture, _halo(outlined, look.palette[0]))
    if look.shadow:
        picture = raster.over(picture, _shadow(outlined, look.shadow, factor))
    if look.backdrop:
        board = backdrop.draw(look.backdrop, fine, look.frame, look.panel)
        rim = raster.grow(board[..., 3], max(1, fine // 110))
        ground = raster.over(raster.layer(board, board[..., 3]), raster.layer(look.frame.ink, rim))
        picture = raster.over(raster.within(picture, board[..., 3]), ground)
    return raster.shrink(picture, factor)


def _picture(icon: Icon, body: str, look: Look, side: int) -> Pixels:
    """The icon alone."""
    view = _view(icon, look.reach)
    if icon.collection == "game-icons":
        form = _shape(body, view, side, look)
        return paint.painted(form, look.palette, slant=look.slant, flat=look.style is Style.FLAT)
    return _colors(body, view, side, look)


def _shape(body: str, view: str, side: int, look: Look) -> Shape:
    # Mirrored before it is painted: the light stays at the upper left.
    form = paint.shape(body, view, side)
    return paint.mirrored(form) if look.mirror else form


def _colors(body: str, view: str, side: int, look: Look) -> Pixels:
    pixels = raster.render(body, view, side)
    pixels = tint.tinted(pixels, look.tint) if look.tint else pixels
    return pixels[:, ::-1] if look.mirror else pixels


def _view(icon: Icon, reach: int) -> str:
    left, top, side = icon.view
    whole = side * 100 / reach
    rest = (whole - side) / 2
    return f"{left - rest:.4f} {top - rest:.4f} {whole:.4f} {whole:.4f}"


def _edge(icon: Icon, look: Look) -> Color:
    if look.edge is not None:
        return look.edge
    if icon.collection == "game-icons":
        return look.palette[0].ink
    return look.tint.ink if look.tint else (30, 18, 38)


def _shadow(whole: Plane, darkness: int, factor: int) -> Layer:
    side = whole.shape[0]
    offset = max(side // 70, factor // 2)
    soft = raster.blur(raster.shift(whole, offset // 2, offset), max(1, side // 64))
    return raster.layer(_SHADOW, soft * darkness // 100)


def _halo(whole: Plane, ramp: Ramp) -> Layer:
    side = whole.shape[0]
    near, far = raster.blur(whole, side // 40, 3), raster.blur(whole, side // 16, 3)
    return raster.layer(ramp.colors[3], np.minimum(near * 2 // 3 + far * 3 // 4, FULL))


def _pixel_art(icon: Icon, body: str, look: Look, side: int) -> Pixels:
    grid = look.grid or pixel.grid_of(side)
    factor = max(4, _PIXEL_FINE // grid)
    fine = grid * factor
    # One pixel on each side is the outline's.
    room = (grid - 2) * 100 // grid if not look.backdrop else look.reach
    view = _view(icon, room)
    outline = look.outline > 0
    if icon.collection == "game-icons":
        form = _shape(body, view, fine, look)
        solid = np.minimum(form.parts[0] + form.parts[1] + form.parts[2], FULL)
        picture = pixel.from_shape(
            form, paint.light(solid, look.slant), look.palette, factor, outline=outline
        )
    else:
        picture = pixel.from_colors(_colors(body, view, fine, look), factor, outline=outline)
    if look.backdrop:
        board = backdrop.draw(look.backdrop, fine, look.frame, look.panel)
        ground = pixel.from_colors(board, factor, outline=False)
        picture = np.where(picture[..., 3:] > 0, picture, ground)
    return pixel.enlarged(picture, side)
