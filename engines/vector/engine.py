"""Serves lettering requests: reads the font, chooses between template and parameters, writes the picture.

Knows nothing of how anything is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element

import numpy as np

from engines import parameters, png, protocol
from engines.finish.resize import resample
from engines.parameters import bad
from engines.png import Pixels
from engines.protocol import Done, EngineError, ErrorKind, Report, Request, Result
from engines.vector import font as fonts
from engines.vector import scene, svg, template
from engines.vector.font import Font

_FRAME: Final = 512
"""The picture's longer side, in pixels, where its text is held against its border."""
_FAINT: Final = 32
"""Levels by which a pixel may differ before it counts as drawn on."""


class Vector:
    """A warm vector engine; requests share nothing."""

    def __init__(self, opening: protocol.Open) -> None:
        self._staging = Path(opening.staging)
        card = parameters.card(Path(__file__).parent)
        self._declared = parameters.declared(card["parameters"])
        self._sides = range(card["minimum"], card["maximum"] + 1)

    def environment(self) -> Mapping[str, str]:
        """What pixels come out of."""
        names = {"resvg": "resvg_py", "fonttools": "fonttools", "numpy": "numpy", "oxipng": "pyoxipng"}
        return {name: version(package) for name, package in names.items()}

    def render(self, requests: Sequence[Request], _report: Report) -> Iterable[Result]:
        """Draw each; one that fails leaves the others alone."""
        return protocol.one_by_one(requests, self._draw)

    def _draw(self, request: Request) -> Done:
        if Path(request.output).name != request.output:
            raise EngineError(ErrorKind.INTERNAL, f"the output `{request.output}` is not a plain file name")
        if request.size is None or any(side not in self._sides for side in request.size):
            low, high = self._sides.start, self._sides.stop - 1
            raise bad(f"`size` is `{request.size}`, not a width and a height of {low} to {high}")
        values = parameters.checked(self._declared, request.parameters, request.inputs)
        font = fonts.read(values["font"])
        if values["template"] is not None:
            pixels = _from_template(request, values, font)
        elif values["slots"]:
            raise bad("`slots` is set, but no `template` that has any", "set `template`")
        else:
            pixels = scene.compose(request.text, request.size, values, font)
        (self._staging / request.output).write_bytes(png.encode(pixels))
        return Done(id=request.id, output=request.output, credits=(font.credit,))


def _from_template(request: Request, values: Mapping[str, Any], font: Font) -> Pixels:
    width, height = request.size or (0, 0)
    root = template.fill(values["template"], request.text, values["slots"] or {}, font)
    fine = svg.fineness(width, height)
    pixels = svg.render(template.sized(root, width * fine, height * fine), font.path)
    if template.words(root):
        bare = template.without_text(root)
        if np.array_equal(svg.render(template.sized(bare, width * fine, height * fine), font.path), pixels):
            raise bad("the template's text is not seen in the drawing", "look at its place, colour and size")
        _check_fit(root, bare, (width, height), font)
    if not pixels[..., 3].any():
        raise bad("the template draws nothing")
    return resample(pixels, width, height, "area")


def _check_fit(root: Element, bare: Element, size: tuple[int, int], font: Font) -> None:
    """Refuse letters that the picture's border cuts; a shape may run over it, and often should."""
    width, height = (max(1, side * _FRAME // max(size)) for side in size)
    whole, plain = (svg.render(template.framed(each, width, height), font.path) for each in (root, bare))
    apart = np.abs(whole.astype(np.int16) - plain.astype(np.int16)).max(axis=2) > _FAINT
    sides = {
        "left": apart[:, : width - 1],
        "right": apart[:, 2 * width + 1 :],
        "top": apart[: height - 1],
        "bottom": apart[2 * height + 1 :],
    }
    cut = " and the ".join(side for side, beyond in sides.items() if beyond.any())
    if cut:
        raise bad(f"the template's text leaves the picture at the {cut}", "make its `font-size` smaller")
