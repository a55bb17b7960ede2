"""The engine itself: one request to `generateContent`, and the picture in its answer."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from engines import parameters
from engines.gemini import answers
from engines.hosted import asked, given, paid, picture, ratio, shapes, verdict
from engines.hosted.account import Account
from engines.hosted.answer import Answer
from engines.hosted.given import MEGABYTE, Bounds, Given
from engines.hosted.web import Web
from engines.protocol import Done, Json, Open, Report, Request, Result

_VERSION: Final = "v1beta"
"""Pinned: the version whose description has `imageConfig`."""

_MODEL: Final = re.compile(r"[a-z0-9][a-z0-9.-]*")
_SIDES: Final = {"1K": 1024, "2K": 2048, "4K": 4096}
"""The side of the square picture of each resolution; other shapes have as many pixels or a little more."""

_SEEDS: Final = range(2**31)

_TAKES: Final = Bounds(provider="Gemini", number=14, each=70 * MEGABYTE, together=70 * MEGABYTE)
"""A request has at most 100 MB, in which three bytes of a picture take four."""


class Gemini:
    """See `protocol.Engine`."""

    def __init__(self, opening: Open) -> None:
        self._account = Account(Path(__file__).parent, opening, "Gemini")
        self._model = self._account.model
        if not _MODEL.fullmatch(self._model):
            raise parameters.bad(f"`{self._model}` is no model", "set `model` to `gemini-3-pro-image`")
        self._shapes = shapes.of(Path(__file__).parent, self._model)
        self._staging = Path(opening.staging)
        self._web = Web(self._account)

    def environment(self) -> Mapping[str, str]:
        """What speaks to the provider, and to which of its interfaces."""
        return {"httpx2": version("httpx2"), "interface": _VERSION, **self._account.environment()}

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Make each request; one that fails leaves the others alone."""
        return paid.one_by_one(
            requests, lambda request: self._make(request, report), self._account, self._web.client
        )

    def _make(self, request: Request, report: Report) -> Done:
        values = asked.check(request, self._account, negative=False, seeds=_SEEDS)
        pictures = given.read(values, ("image", "reference"), _TAKES)
        body = self._body(request, values, pictures)
        report(request.id, 0, 1)
        path = f"/{_VERSION}/models/{self._model}:generateContent"
        answer = self._web.post(path, {"x-goog-api-key": self._account.key}, json=body)
        if answer.status != verdict.OK:
            raise answers.failed(answer, self._model)
        said = answer.json()
        answer = answer.named(said.get("responseId"))
        found = answers.picture_of(answer, said)
        data, mime = answer.base64(found.get("data")), str(found.get("mimeType", "")).lower()
        kept = picture.keep(data, mime, answer, request.output, self._staging)
        ratio.check_made(request.size, kept.size, self._model)
        told = given.notes(pictures, self._account.provider)
        return self._done(request, kept.name, answer, said, told)

    def _done(
        self, request: Request, output: str, answer: Answer, said: Mapping[str, Json], told: tuple[str, ...]
    ) -> Done:
        drew, usage = said.get("modelVersion"), said.get("usageMetadata")
        words = " ".join(answers.words_of(said))
        return Done(
            id=request.id,
            output=output,
            sent={"model": drew} if isinstance(drew, str) and drew != self._model else {},
            notes=(f"Gemini said: {answer.account.sentence(words)}", *told) if words else told,
            facts={"usage": usage} if isinstance(usage, dict) else {},
        )

    def _body(
        self, request: Request, values: Mapping[str, Any], pictures: tuple[Given, ...]
    ) -> dict[str, Json]:
        if request.size is not None and values["aspect_ratio"]:
            raise parameters.bad("both `size` and `aspect_ratio` are set", "leave `aspect_ratio` out")
        shape, resolution = values["aspect_ratio"], "1K"
        if request.size:
            shape = ratio.fitting(request.size, self._shapes.ratios, self._model)
            resolution = self._resolution(request.size)
        image = {"imageSize": values["image_size"] or resolution}
        # A picture to change keeps its shape unless another one is asked for.
        if shape or not values["image"]:
            image["aspectRatio"] = shape or "1:1"
        config: dict[str, Json] = {"responseModalities": ["IMAGE"], "imageConfig": image}
        if request.seed is not None:
            config["seed"] = request.seed
        parts = [{"text": request.prompt}, *map(_inline, pictures)]
        return {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}

    def _resolution(self, size: tuple[int, int]) -> str:
        """The least resolution with as many pixels as `size`. Raises `EngineError` where none has."""
        pixels = size[0] * size[1]
        # Also where a resolution was chosen: what can't be large enough is not paid for.
        if pixels <= self._shapes.pixels:
            for name, side in _SIDES.items():
                if pixels <= side * side:
                    return name
        raise parameters.bad(
            f"{size[0]} x {size[1]} has more pixels than `4K`, the most of `{self._model}`",
            "ask for a smaller `size`",
        )


def _inline(picture: Given) -> dict[str, Json]:
    """The part that holds `picture`."""
    return {"inlineData": {"mimeType": picture.mime, "data": base64.b64encode(picture.data).decode()}}
