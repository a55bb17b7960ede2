"""Drawings made into pictures of 32 by 32 pixels, each also in colours that a word names.

Knows nothing of captions beyond the colour word. Whole-number arithmetic throughout but for the
shrinking, which Pillow does in whole numbers too: the same packages give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engines.protocol import Request
from engines.stock import dice, palette, raster, tint
from engines.stock.choose import choose
from engines.stock.draw import draw
from engines.stock.library import Library
from engines.stock.search import Searcher
from training.sprite.drawings import Drawing

SIDE: Final = 32
_FINE: Final = 256
_ROOM: Final = 1
"""Free pixels on each side."""
COLORS: Final = (
    "red",
    "orange",
    "yellow",
    "green",
    "teal",
    "blue",
    "purple",
    "pink",
    "brown",
    "black",
    "white",
    "grey",
    "gold",
    "silver",
)
"""The colour words that pictures are made in."""
_PAINTED_SEEDS: Final = (1, 2)
_PAINTED_COLORS: Final = 3
_TINTS: Final = 2
_LEAST: Final = 12
"""Fewest opaque pixels of a picture that shows something."""

Picture = NDArray[np.uint8]
"""(32, 32, 4): colours times alpha, alpha."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, and the colour word that its caption must have; empty for the thing's own colours."""

    color: str
    picture: Picture


def shown(drawing: Drawing) -> Iterator[Shown]:
    """Every picture of `drawing`."""
    for color, straight in _painted(drawing) if not drawing.body else _drawn(drawing):
        picture = _premultiplied(straight)
        if int((picture[..., 3] > 127).sum()) >= _LEAST:  # noqa: PLR2004 - half opaque
            yield Shown(color, picture)


def _premultiplied(straight: NDArray[np.int32]) -> Picture:
    alpha = straight[..., 3:]
    color = (straight[..., :3] * alpha + 127) // 255
    return np.concatenate([color, alpha], axis=-1).astype(np.uint8)


def _drawn(drawing: Drawing) -> Iterator[tuple[str, NDArray[np.int32]]]:
    own = _filling(raster.render(drawing.body, drawing.box, _FINE))
    yield "", own
    names = sorted(COLORS, key=lambda name: dice.roll(0, f"{drawing.key} {name}", 1 << 30))
    for name in names[:_TINTS]:
        yield name, tint.tinted(own, palette.ramps()[name])


def _filling(fine: NDArray[np.int32]) -> NDArray[np.int32]:
    """What is drawn, moved to the middle and scaled to fill the picture but for the room around it."""
    rows, columns = (np.flatnonzero((fine[..., 3] > 0).any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return np.zeros((SIDE, SIDE, 4), np.int32)
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    side = max(bottom - top, right - left, _FINE * 3 // 4)
    side += -(-side * 2 * _ROOM // (SIDE - 2 * _ROOM))
    square = (
        (left + right - side) // 2,
        (top + bottom - side) // 2,
        (left + right - side) // 2 + side,
        (top + bottom - side) // 2 + side,
    )
    image = Image.fromarray(fine.astype(np.uint8)).crop(square).convert("RGBa")
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX).convert("RGBA")
    return np.asarray(small).astype(np.int32)


@cache
def stock() -> tuple[Library, Searcher]:
    """The engine's library and what finds things in it, opened once."""
    library = Library()
    return library, Searcher(library)


def _painted(drawing: Drawing) -> Iterator[tuple[str, NDArray[np.int32]]]:
    """A game icon as stock paints it: in colours of its own, then in some that are asked for."""
    names = sorted(COLORS, key=lambda name: dice.roll(0, f"{drawing.key} {name}", 1 << 30))
    own: list[NDArray[np.int32]] = []
    for seed in _PAINTED_SEEDS:
        picture = _by_stock(drawing, "", seed)
        if not any(np.array_equal(picture, other) for other in own):
            own.append(picture)
            yield "", picture
    for name in names[:_PAINTED_COLORS]:
        yield name, _by_stock(drawing, name, 1)


def _by_stock(drawing: Drawing, color: str, seed: int) -> NDArray[np.int32]:
    library, searcher = stock()
    request = Request(
        id=drawing.key,
        asset=drawing.key,
        output="",
        prompt=f"{color} {drawing.aliases[0] if drawing.aliases else drawing.name}".strip(),
        seed=seed,
        size=(SIDE, SIDE),
        parameters={"icon": drawing.key, "shadow": "none", "mirror": "no", "padding": 3},
    )
    choice = choose(searcher, library.icons, request)
    return draw(choice.icon, library.body(choice.icon), choice.look, (SIDE, SIDE)).astype(np.int32)
