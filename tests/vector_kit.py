"""One request to the vector adapter and its picture, or its refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engines import png, vector
from engines.png import Pixels
from engines.protocol import Done, ErrorKind, Failure, Open, Request
from engines.vector.svg import extent

ROOT = Path(__file__).parent.parent
FONTS = ROOT / "engines" / "fonts"


def opening(staging: Path) -> Open:
    return Open(
        protocol=1,
        adapter="vector",
        engine="vector",
        model="",
        revision="",
        staging=str(staging),
        settings={},
    )


def request(text: str = "", size: Any = (200, 80), inputs: Any = None, **parameters: Any) -> Request:
    return Request(
        id="1", asset="a", output="a.png", text=text, size=size, parameters=parameters, inputs=inputs or {}
    )


def answer(staging: Path, asked: Request) -> Done | Failure:
    (result,) = vector.load(opening(staging)).render([asked], lambda *_: None)
    assert isinstance(result, Done | Failure)
    return result


def drawn(
    staging: Path, text: str = "", size: Any = (200, 80), inputs: Any = None, **parameters: Any
) -> Pixels:
    result = answer(staging, request(text, size, inputs, **parameters))
    assert isinstance(result, Done), result
    return png.decode(staging / "a.png")


def refused(
    staging: Path, text: str = "", size: Any = (200, 80), inputs: Any = None, **parameters: Any
) -> tuple[str, str]:
    result = answer(staging, request(text, size, inputs, **parameters))
    assert isinstance(result, Failure), result
    assert result.kind is ErrorKind.BAD_REQUEST
    return result.message, result.hint


def ink(pixels: Pixels) -> tuple[int, int, int, int]:
    found = extent(pixels[..., 3])
    assert found is not None
    return found
