"""Serves finish requests: decode, each step in turn, encode, measure.

Knows nothing of what a step does to pixels.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, Final

from PIL import Image, features

from engines import png, protocol
from engines.finish import facts, marks
from engines.finish.bounds import LIMIT
from engines.finish.marks import Marks
from engines.finish.resize import fit
from engines.finish.steps import STEPS, Encoding, Step, read_steps
from engines.parameters import bad, unknown
from engines.png import Pixels
from engines.protocol import Done, EngineError, ErrorKind, Json, Report, Request, Result

_SUFFIXES: Final = ("png", "webp")
_RAW: Final = (".png", ".jpg", ".webp")
"""What a raw picture may be: it is kept as its engine, or a provider, made it."""
_COPY: Final = re.compile(r"[0-9a-f]{12}-(.+)")
"""A private copy's name: the head of its digest, then the asset or the file that it was made from."""


_NEWS_SECONDS: Final = 0.25
"""How often to tell how far it is. A message for each step of an icon took as long as many a step."""


class Finish:
    """A warm finish engine; requests share nothing."""

    def __init__(self, opening: protocol.Open, clock: Callable[[], float] = time.monotonic) -> None:
        self._staging = Path(opening.staging)
        self._clock = clock

    def environment(self) -> Mapping[str, str]:
        """What pixels and bytes come out of."""
        return {
            "numpy": version("numpy"),
            "pillow": version("pillow"),
            "oxipng": version("pyoxipng"),
            "webp": str(features.version("webp")),
        }

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Finish each; one that fails leaves the others alone."""
        return protocol.one_by_one(requests, lambda request: self._finish(request, report))

    def _finish(self, request: Request, report: Report) -> Done:
        suffix = _suffix(request.output)
        asked = dict(request.parameters)
        size = _size(asked.pop("size", None))
        told = asked.pop("metadata", None)
        steps, encoding = read_steps(asked, request.inputs)
        if encoding.format not in {None, suffix}:
            message = f"finish step `encode` says `{encoding.format}`, but the asset's format is `{suffix}`"
            raise bad(message, f'set `format = "{encoding.format}"` on the asset')
        if "image" not in request.inputs:
            raise EngineError(ErrorKind.INTERNAL, "the request has no input `image`")
        pixels = png.rgba(png.decode(request.inputs["image"], LIMIT, _source(request)))
        own = marks.asked(told, request.inputs["image"])
        if size is not None:
            pixels = fit(pixels, size)
        news = self._clock()
        for number, step in enumerate(steps):
            if self._clock() - news >= _NEWS_SECONDS:
                report(request.id, number, len(steps) + 1)
                news = self._clock()
            pixels = _run(step, pixels)
        pixels = png.without_idle_alpha(pixels)
        (self._staging / request.output).write_bytes(_encode(pixels, suffix, encoding, own))
        return Done(id=request.id, output=request.output, facts=facts.measure(pixels))


def _source(request: Request) -> str:
    """What a message calls the picture: as the manifest does, where its copy's name tells."""
    copied = _COPY.fullmatch(Path(request.inputs["image"]).name)
    own = PurePosixPath(request.asset).name
    if copied is None or copied[1] in {f"{own}{suffix}" for suffix in _RAW}:
        return request.asset
    return copied[1]


def _size(value: Json) -> tuple[int, int] | None:
    match value:
        case None:
            return None
        case [int(width), int(height)]:
            return width, height
    raise EngineError(ErrorKind.INTERNAL, f"the parameter `size` is `{value}`, not a width and a height")


def _suffix(output: str) -> str:
    suffix = Path(output).suffix.removeprefix(".")
    if Path(output).name != output:
        raise EngineError(ErrorKind.INTERNAL, f"the output `{output}` is not a plain file name")
    if suffix not in _SUFFIXES:
        raise unknown("output format", suffix, _SUFFIXES)
    return suffix


def _run(step: Step, pixels: Pixels) -> Pixels:
    try:
        return STEPS[step.name](pixels, **step.values)
    except EngineError as error:
        message = f"finish step `{step.name}`: {error.message}"
        raise EngineError(error.kind, message, hint=error.hint) from error


def _encode(pixels: Pixels, suffix: str, encoding: Encoding, own: Marks) -> bytes:
    if suffix == "png":
        return marks.into_png(png.encode(pixels, smallest=encoding.smallest), own)
    buffer = io.BytesIO()
    options: dict[str, Any] = {"lossless": True, "exact": True, "quality": 80, "method": 4}
    Image.fromarray(pixels).save(buffer, "WEBP", **options, **marks.into_webp(own))
    return buffer.getvalue()
