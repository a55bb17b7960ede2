"""Serves stand-ins: hatching in a colour of the asset's own, and a label that says what is missing and why.

It never fails for its text: a letter that the font lacks becomes a question mark.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from engines import parameters, png, protocol
from engines.placeholder.label import CELL, Line, laid_out
from engines.png import Pixels
from engines.protocol import Done, EngineError, ErrorKind, Report, Request, Result
from engines.vector import font as fonts
from engines.vector import layers, svg

_FONT: Final = Path(__file__).resolve().parent.parent / "fonts" / "press-start-2p.ttf"
_TINTS: Final = ("#5a3a48", "#5a4a34", "#4a5434", "#34564a", "#345060", "#40446a", "#54406a", "#4a4a52")
_BACK: Final = (18, 18, 24, 215)
_INK: Final = ("#ffe9a8", "#d4d4de")


class Placeholder:
    """A warm placeholder engine."""

    def __init__(self, opening: protocol.Open) -> None:
        self._staging = Path(opening.staging)
        self._font = fonts.read(str(_FONT))
        self._declared = parameters.declared(parameters.card(Path(__file__).parent)["parameters"])

    def environment(self) -> Mapping[str, str]:
        """What pixels come out of."""
        return {"resvg": version("resvg_py"), "numpy": version("numpy"), "oxipng": version("pyoxipng")}

    def render(self, requests: Sequence[Request], _report: Report) -> Iterable[Result]:
        """Draw each; one that fails leaves the others alone."""
        return protocol.one_by_one(requests, self._draw)

    def _draw(self, request: Request) -> Done:
        if Path(request.output).name != request.output:
            raise EngineError(ErrorKind.INTERNAL, f"the output `{request.output}` is not a plain file name")
        if request.size is None or min(request.size) < 1 or max(request.size) > png.LIMIT:
            raise parameters.bad(f"`size` is `{request.size}`, not a width and a height of 1 to {png.LIMIT}")
        values = parameters.checked(self._declared, request.parameters, {})
        width, height = request.size
        made_by = " by ".join(part for part in (values["role"], values["engine"]) if part)
        details = [f"{width}x{height}", made_by, request.text]
        # The prompt, not `request.asset`: that is no part of a recipe, so the same picture would be
        # brought back for every asset of one size.
        name = request.prompt
        lines = laid_out(self._known(name), [self._known(item) for item in details], width, height)
        pixels = self._labelled(_hatched(name, width, height), lines)
        (self._staging / request.output).write_bytes(png.encode(pixels[..., :3]))
        return Done(id=request.id, output=request.output, notes=("a placeholder, not the asset",))

    def _known(self, text: str) -> str:
        return "".join(mark if ord(mark) in self._font.characters else "?" for mark in " ".join(text.split()))

    def _labelled(self, pixels: Pixels, lines: list[Line]) -> Pixels:
        if not lines:
            return pixels
        height, width = pixels.shape[:2]
        widest = max(len(line.words) * CELL * line.scale for line in lines)
        left, edge = (width - widest) // 2, CELL // 2
        bottom = lines[-1].top + CELL * lines[-1].scale
        box = np.zeros((height, width), np.uint8)
        box[max(0, lines[0].top - edge) : bottom + edge, max(0, left - edge) : left + widest + edge] = 255
        pixels = layers.over(pixels, layers.inked(box, _BACK))
        body = "".join(self._line(line, width, _INK[line.scale != lines[0].scale]) for line in lines)
        return layers.over(pixels, svg.draw(body, width, height, str(_FONT), smooth=False))

    def _line(self, line: Line, width: int, color: str) -> str:
        size = CELL * line.scale
        left = (width - len(line.words) * size) // 2
        place = f'x="{left}" y="{line.top + size}" font-size="{size}" fill="{color}"'
        return f'<text xml:space="preserve" {self._font.style()} {place}>{svg.quoted(line.words)}</text>'


def _hatched(name: str, width: int, height: int) -> Pixels:
    """Diagonal stripes in one of a few dull colours, so that neighbours on a sheet are told apart."""
    tint = _TINTS[hashlib.sha256(name.encode()).digest()[0] % len(_TINTS)]
    red, green, blue, alpha = parameters.color(tint)
    stripe = max(2, min(width, height) // 12)
    y, x = np.ogrid[0:height, 0:width]
    light = ((x + y) // stripe % 2)[..., np.newaxis]
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[:] = (red, green, blue, alpha)
    pixels[..., :3] += (light * 14).astype(np.uint8)
    edge = max(1, stripe // 4)
    for side in (np.s_[:edge], np.s_[-edge:], np.s_[:, :edge], np.s_[:, -edge:]):
        pixels[side] = (red * 2, green * 2, blue * 2, alpha)
    return pixels
