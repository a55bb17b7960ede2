"""SVG to pixels: the only place that calls the renderer.

Knows nothing of what a drawing means. The renderer gets one font file and never looks at the system's.
"""

from __future__ import annotations

from html import escape
from typing import Final

import numpy as np
import resvg_py
from numpy.typing import NDArray

from engines import png
from engines.finish.resize import resample
from engines.parameters import Color, bad
from engines.png import Pixels

_FINE: Final = 1024 * 1024
"""Pixels that a drawing may have to be rendered finer than asked for."""


def fineness(width: int, height: int) -> int:
    """How many times finer to render, on a side, before averaging.

    The renderer knows only a few degrees of cover for a pixel, and thin serifs show it.
    """
    if 16 * width * height <= _FINE:
        return 4
    return 2 if width * height <= _FINE else 1


def quoted(text: str) -> str:
    """`text` as the content of an element or of an attribute in either kind of quotes."""
    return escape(text, quote=True)


def number(value: float) -> str:
    """Without an exponent, which not every reader takes, and without noise in the last digits."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def paint(color: Color) -> str:
    """`fill` and its opacity."""
    return f'fill="{rgb(color)}" fill-opacity="{number(color[3] / 255)}"'


def rgb(color: Color) -> str:
    """The colour without its alpha."""
    return "#{:02x}{:02x}{:02x}".format(*color[:3])


def gradient(name: str, colors: tuple[Color, ...], top: float, bottom: float) -> str:
    """A definition that runs through `colors` evenly from `top` down to `bottom`."""
    last = max(1, len(colors) - 1)
    stops = "".join(
        f'<stop offset="{number(index / last)}" stop-color="{rgb(color)}"'
        f' stop-opacity="{number(color[3] / 255)}"/>'
        for index, color in enumerate(colors)
    )
    place = f'x1="0" x2="0" y1="{number(top)}" y2="{number(bottom)}"'
    return f'<linearGradient id="{name}" gradientUnits="userSpaceOnUse" {place}>{stops}</linearGradient>'


def document(body: str, box: tuple[float, float, float, float], width: int, height: int) -> str:
    """An SVG of `width` x `height` that shows the rectangle `box` (left, top, width, height)."""
    view = " ".join(number(value) for value in box)
    head = f'xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="{view}"'
    return f'<svg {head} preserveAspectRatio="none">{body}</svg>'


def render(source: str, font: str) -> Pixels:
    """RGBA pixels of an SVG document, in which text may use the font in the file `font`."""
    try:
        data = bytes(resvg_py.svg_to_bytes(svg_string=source, skip_system_fonts=True, font_files=[font]))
    except ValueError as error:
        raise bad(f"the drawing can't be rendered: {error}") from error
    except BaseException as error:
        # A panic of the renderer is no `Exception`: let through, it would end the engine, not the request.
        if type(error).__name__ != "PanicException":
            raise
        raise bad("the renderer gave up on the drawing", "look for absurdly large numbers in it") from error
    return png.rgba(png.decode_bytes(data, "drawing", limit=2 * png.LIMIT))


def draw(body: str, width: int, height: int, font: str, *, smooth: bool = True) -> Pixels:
    """`body`, in pixels of the result, on a clear canvas.

    Not `smooth`: each pixel is either covered or clear.
    """
    fine = fineness(width, height) if smooth else 1
    pixels = render(document(body, (0, 0, width, height), width * fine, height * fine), font)
    if smooth:
        return resample(pixels, width, height, "area")
    pixels[..., 3] = np.where(pixels[..., 3] < 128, 0, 255)  # noqa: PLR2004 - half covered
    return pixels


def extent(alpha: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom (beyond the last) of what is drawn; None where nothing is."""
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
