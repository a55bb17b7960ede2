"""Serves measuring requests: pictures held against each other, two or many, or many on one sheet.

Knows nothing of how distances are computed or sheets laid out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from engines import parameters, png, protocol
from engines.finish.facts import measure
from engines.measure import likeness, review, score
from engines.measure.sheet import Cell, Sheet
from engines.parameters import bad
from engines.png import Pixels
from engines.protocol import Done, EngineError, ErrorKind, Json, Report, Request, Result

BYTES: Final = "identical-bytes"
"""The likeness of two files that are one and the same."""

_NOTHING: Final = np.zeros((1, 1, 3), np.uint8)
"""Every answer has a file; where there is nothing to show, nobody needs it."""

_CELL: Final = "cell."
_PAIR: Final = "image."
_KEYS: Final = {"title", "lines", "message", "marked"}
_MOST: Final = 1024


class Measure:
    """A warm measuring engine; requests share nothing."""

    def __init__(self, opening: protocol.Open) -> None:
        self._staging = Path(opening.staging)
        self._declared = parameters.declared(parameters.card(Path(__file__).parent)["parameters"])

    def environment(self) -> Mapping[str, str]:
        """What pixels and numbers come out of."""
        return {
            "numpy": version("numpy"),
            "pillow": version("pillow"),
            "oxipng": version("pyoxipng"),
            "resvg": version("resvg_py"),
        }

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Serve each; one that fails leaves the others alone."""
        return protocol.one_by_one(requests, lambda request: self._serve(request, report))

    def _serve(self, request: Request, report: Report) -> Done:
        if Path(request.output).name != request.output:
            raise EngineError(ErrorKind.INTERNAL, f"the output `{request.output}` is not a plain file name")
        values = parameters.checked(self._declared, request.parameters, {})
        if values["work"] == "review":
            pixels, facts = _NOTHING, _review(request, report)
        else:
            pixels, facts = _WORKS[values["work"]](request, values)
        (self._staging / request.output).write_bytes(png.encode(pixels))
        return Done(id=request.id, output=request.output, facts=facts)


def _compare(request: Request, _values: Mapping[str, Any]) -> tuple[Pixels, dict[str, Json]]:
    """A picture of what differs, and the measures; without a `reference` the picture and its own."""
    image, reference = _image(request), request.inputs.get("reference")
    pixels = _decoded(image, "the picture")
    if reference is None:
        return pixels, {"image": measure(pixels)}
    other = _decoded(reference, "the reference")
    found = likeness.compare(pixels, other)
    if Path(image).read_bytes() == Path(reference).read_bytes():
        found["likeness"] = BYTES
    return likeness.difference(pixels, other), found


def _score(request: Request, _values: Mapping[str, Any]) -> tuple[Pixels, dict[str, Json]]:
    """Measures of one picture."""
    facts = score.score(_decoded(_image(request), "the picture"))
    return _NOTHING, facts


def _review(request: Request, report: Report) -> dict[str, Json]:
    """Measures of many pairs, in their order; of one that can't be decoded, why not."""
    number = sum(name.startswith(_PAIR) for name in request.inputs)
    found: list[Json] = []
    for place in range(number):
        image, reference = (request.inputs.get(f"{side}.{place}") for side in ("image", "reference"))
        if image is None or reference is None:
            raise bad(f"pair {place} is not whole")
        try:
            found.append(
                review.review(_decoded(image, "the new picture"), _decoded(reference, "the old picture"))
            )
        except EngineError as error:
            if error.kind is not ErrorKind.BAD_REQUEST:
                raise
            found.append({"error": error.message})
        report(request.id, place + 1, number)
    return {"pairs": found}


def _image(request: Request) -> str:
    if "image" not in request.inputs:
        raise EngineError(ErrorKind.INTERNAL, "the request has no input `image`")
    return request.inputs["image"]


def _sheet(request: Request, values: Mapping[str, Any]) -> tuple[Pixels, dict[str, Json]]:
    cells = _cells(values["cells"] or {}, request.inputs)
    sheet = Sheet(title=values["title"], columns=values["columns"], side=values["side"], cells=cells)
    pixels = sheet.drawn()
    return pixels, {"width": pixels.shape[1], "height": pixels.shape[0]}


def _cells(table: Mapping[str, Json], inputs: Mapping[str, str]) -> list[Cell | None]:
    """The cells by number, None for those that nothing is said of."""
    pictures = {name.removeprefix(_CELL): path for name, path in inputs.items() if name.startswith(_CELL)}
    numbers = {*table, *pictures}
    if not numbers or not all(name.isdecimal() and int(name) < _MOST for name in numbers):
        raise bad(f"`cells` are not numbered from 0 to {_MOST - 1}")
    return [
        _cell(name, table.get(name, {}), pictures.get(name)) if name in numbers else None
        for name in map(str, range(1 + max(map(int, numbers))))
    ]


def _cell(name: str, said: Json, path: str | None) -> Cell:
    match said:
        case dict() if not set(said) - _KEYS:
            title, lines, message = said.get("title", ""), said.get("lines", []), said.get("message", "")
            marked = said.get("marked", False)
        case _:
            raise bad(f"cell {name} is no table of {parameters.listed(sorted(_KEYS))}")
    if not isinstance(lines, list) or not all(isinstance(item, str) for item in [title, message, *lines]):
        raise bad(f"cell {name} holds what is no text")
    if not isinstance(marked, bool):
        raise bad(f"cell {name} is `marked` by what is neither true nor false")
    picture = None if path is None else _decoded(path, f"the picture of cell {name}")
    return Cell(title=title, lines=tuple(lines), message=message, picture=picture, marked=marked)


_WORKS: Final = {"compare": _compare, "sheet": _sheet, "score": _score}


def _decoded(path: str, name: str) -> Pixels:
    return png.rgba(png.decode(path, name=name))
