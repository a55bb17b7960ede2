"""A picture from text and parameters: panel, shadow, glow, outlines and face, from back to front.

Knows nothing of requests or files but the font's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from engines import parameters
from engines.parameters import Color, bad
from engines.png import Pixels
from engines.vector import layers
from engines.vector.font import Font
from engines.vector.lettering import Block, Ink, Placed, Room
from engines.vector.panel import Panel
from engines.vector.svg import draw, number

_CASES: Final[dict[str, Callable[[str], str]]] = {"as-is": str, "upper": str.upper, "lower": str.lower}
_MOST_LINES: Final = 20
_MOST_MARKS: Final = 500
_MOST_COLORS: Final = 8
_SOLID: Final = ((0, 0, 0, 255),)


def compose(text: str, size: tuple[int, int], values: Mapping[str, Any], font: Font) -> Pixels:
    """The picture, RGBA, of exactly `size`. Raises `EngineError` where the text is blank or doesn't fit."""
    canvas = np.zeros((size[1], size[0], 4), np.uint8)
    canvas[:] = values["background"]
    panel = _panel(size, values)
    if panel is not None:
        canvas = _on_panel(canvas, panel, values, font)
    block = _block(text, values, font)
    ink = block.measure()
    grid = 0 if values["smooth"] else values["pixel_grid"]
    placed = block.place(ink, _room(size, values, panel), values["font_size"], grid)
    return _lettered(canvas, block, ink, placed, values)


def _block(text: str, values: Mapping[str, Any], font: Font) -> Block:
    words = _CASES[values["case"]](text)
    lines = tuple(line.rstrip() for line in words.split("\n"))
    if len(lines) > _MOST_LINES or len(text) > _MOST_MARKS:
        raise bad(f"the text is longer than {_MOST_LINES} lines or {_MOST_MARKS} characters")
    if not words.strip():
        raise bad("the text is blank: nothing would be drawn", "set the asset's `text`")
    if values["arch"] and len(lines) > 1:
        raise bad("`arch` bends one line, but the text has more", "make an asset of each line")
    for part in values["line_sizes"] or ():
        if part <= 0:
            raise bad("`line_sizes` holds a 0")
    font.need(words)
    return Block(
        font=font,
        lines=lines,
        align=values["align"],
        letter_spacing=values["letter_spacing"],
        line_height=values["line_height"],
        line_sizes=values["line_sizes"] or (),
        arch=values["arch"],
    )


def _panel(size: tuple[int, int], values: Mapping[str, Any]) -> Panel | None:
    if values["panel"] == "none":
        return None
    width, height = size
    border, radius = values["panel_border_width"], values["panel_radius"]
    below = 2 * _depth(height) if values["panel_shadow"] else 0
    return Panel(
        shape=values["panel"],
        left=below,
        top=below / 2,
        width=width - 2 * below,
        height=height - 1.5 * below,
        radius=min(height / 5 if radius is None else radius, height / 2, width / 2),
        fill=_colors("panel_fill", values["panel_fill"]),
        border=values["panel_border"],
        border_width=max(2, height // 20) if border is None else border,
    )


def _depth(height: int) -> int:
    """Of a panel's shadow."""
    return max(1, height // 32)


def _on_panel(canvas: Pixels, panel: Panel, values: Mapping[str, Any], font: Font) -> Pixels:
    height, width = canvas.shape[:2]
    if panel.inset() * 2 >= min(panel.width, panel.height):
        raise bad(f"`panel_border_width` leaves nothing of a panel of {width} x {height} pixels")
    plate = draw(panel.svg(), width, height, font.path, smooth=values["smooth"])
    if values["panel_shadow"]:
        deep = _depth(height)
        dark = layers.shifted(layers.blurred(plate[..., 3], deep), 0, deep)
        canvas = layers.over(canvas, layers.inked(dark, values["panel_shadow"]))
    return layers.over(canvas, plate)


def _room(size: tuple[int, int], values: Mapping[str, Any], panel: Panel | None) -> Room:
    """What the letters themselves may fill."""
    left, top, width, height = 0.0, 0.0, float(size[0]), float(size[1])
    padding = values["padding"]
    if panel is not None:
        inset = panel.inset()
        left, top = panel.left + inset, panel.top + inset
        width, height = panel.width - 2 * inset, panel.height - 2 * inset
    if padding is None:
        padding = round(height * 0.22) if panel is not None else round(min(size) * 0.04)
    right, down = _offset(values)
    spread = values["outline_width"] + values["outline2_width"]
    spread += max(values["glow"], values["shadow_blur"] + max(abs(right), abs(down)))
    edge = padding + spread
    sides = edge if panel is None or panel.shape == "cut" else edge + height * 0.1
    return Room(left + sides, top + edge, width - 2 * sides, height - 2 * edge, spare=padding)


def _offset(values: Mapping[str, Any]) -> tuple[int, int]:
    offset = values["shadow_offset"]
    if len(offset) != 2 or any(value != int(value) for value in offset):  # noqa: PLR2004 - x and y
        raise bad(f"`shadow_offset` is `{list(offset)}`, not two whole numbers: right and down")
    return int(offset[0]), int(offset[1])


def _lettered(canvas: Pixels, block: Block, ink: Ink, placed: Placed, values: Mapping[str, Any]) -> Pixels:
    height, width = canvas.shape[:2]
    place = f'transform="translate({number(placed.x)} {number(placed.y)}) scale({placed.scale:.6f})"'

    def drawn(colors: tuple[Color, ...], stroke: float = 0.0) -> Pixels:
        body = f"<g {place}>{block.svg(colors, stroke / placed.scale, ink)}</g>"
        return draw(body, width, height, block.font.path, smooth=values["smooth"])

    colors = _colors("gradient", values["gradient"]) if values["gradient"] else (values["fill"],)
    face = drawn(colors)
    one, two = values["outline_width"], values["outline2_width"]
    inner = drawn(_SOLID, one)[..., 3] if one else face[..., 3]
    outer = drawn(_SOLID, one + two)[..., 3] if two else inner
    canvas = _lit(canvas, outer, values)
    if two:
        canvas = layers.over(canvas, layers.inked(outer, values["outline2_color"]))
    if one:
        canvas = layers.over(canvas, layers.inked(inner, values["outline_color"]))
    return layers.over(canvas, layers.bevelled(face, values["bevel"]))


def _lit(canvas: Pixels, outer: layers.Cover, values: Mapping[str, Any]) -> Pixels:
    """The shadow and the glow of what `outer` covers."""
    right, down = _offset(values)
    if values["shadow_blur"] or right or down:
        dark = layers.shifted(layers.blurred(outer, values["shadow_blur"]), right, down)
        canvas = layers.over(canvas, layers.inked(dark, values["shadow_color"]))
    if values["glow"]:
        halo = (layers.blurred(outer, values["glow"]).astype(np.int64) * 2).clip(0, 255).astype(np.uint8)
        canvas = layers.over(canvas, layers.inked(halo, values["glow_color"]))
    return canvas


def _colors(name: str, words: tuple[str, ...]) -> tuple[Color, ...]:
    if not 1 <= len(words) <= _MOST_COLORS:
        raise bad(f"`{name}` has {len(words)} colours, not 1 to {_MOST_COLORS}")
    try:
        return tuple(parameters.color(word) for word in words)
    except ValueError as error:
        raise bad(f"`{name}` is `{list(words)}`, not a list of colours such as `#20304f`") from error
