"""The engine itself: one form sent, one picture back, with its seed in a header."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from engines import parameters
from engines.hosted import asked, given, paid, picture, ratio, shapes, verdict
from engines.hosted.account import Account
from engines.hosted.answer import Answer, dig
from engines.hosted.given import MEGABYTE, Bounds, Given
from engines.hosted.web import Web
from engines.protocol import Done, EngineError, Json, Open, Report, Request, Result

_PATH: Final = "/v2beta/stable-image/generate/sd3"
_SEEDS: Final = range(1, 4294967295)
"""The provider takes 0 for any seed, so no picture of it could be asked for again."""

_LONGEST: Final = 10_000
"""Characters of a prompt."""

_TAKES: Final = Bounds(provider="Stability AI", each=10 * MEGABYTE, side=64)
"""A request has at most 10 MiB; what is more than 10 MB of it is left to the words."""

_HERE: Final = Path(__file__).parent


class Stability:
    """See `protocol.Engine`."""

    def __init__(self, opening: Open) -> None:
        self._account = Account(_HERE, opening, "Stability AI")
        known = [name for entry in shapes.read(_HERE) for name in entry.models]
        self._model = self._account.one_of(known)
        self._shapes = shapes.of(_HERE, self._model)
        self._staging = Path(opening.staging)
        self._web = Web(self._account)

    def environment(self) -> Mapping[str, str]:
        """What speaks to the provider, and to which of its interfaces."""
        return {"httpx2": version("httpx2"), "interface": "v2beta", **self._account.environment()}

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Make each request; one that fails leaves the others alone."""
        return paid.one_by_one(
            requests, lambda request: self._make(request, report), self._account, self._web.client
        )

    def _make(self, request: Request, report: Report) -> Done:
        values = asked.check(request, self._account, negative=self._shapes.negative, seeds=_SEEDS)
        pictures = given.read(values, ("image",), _TAKES)
        form = {**self._form(request, values), **self._start(request, values, pictures)}
        report(request.id, 0, 1)
        headers = {"Authorization": f"Bearer {self._account.key}", "Accept": "image/*"}
        # A form, even without a file: the provider takes no other. Words are parts without a file's name.
        parts: dict[str, Any] = {name: (None, text) for name, text in form.items()}
        parts |= {item.name: item.file for item in pictures}
        answer = self._web.post(_PATH, headers, files=parts)
        if answer.status != verdict.OK:
            raise self._failed(answer)
        if answer.headers.get("finish-reason", "SUCCESS") != "SUCCESS":
            reason = f"`{answer.headers['finish-reason']}`, and it sent a blurred picture"
            raise verdict.refused(answer, reason, billed=True)
        kept = picture.keep(answer.body, answer.mime, answer, request.output, self._staging)
        ratio.check_made(request.size, kept.size, self._model)
        sent, notes = _seed(request, answer)
        told = (*notes, *given.notes(pictures, self._account.provider))
        return Done(id=request.id, output=kept.name, sent=sent, notes=told)

    def _form(self, request: Request, values: Mapping[str, Any]) -> dict[str, str]:
        for name, text in (("prompt", request.prompt), ("negative", request.negative)):
            if len(text) > _LONGEST:
                raise parameters.bad(
                    f"`{name}` has {len(text)} characters, more than {_LONGEST}", "shorten it"
                )
        form = {
            "prompt": request.prompt,
            # Always: left out, the dearest model draws.
            "model": self._model,
            "output_format": "png",
        }
        if request.negative:
            form["negative_prompt"] = request.negative
        if request.seed is not None:
            form["seed"] = str(request.seed)
        if values["guidance"] is not None:
            form["cfg_scale"] = f"{values['guidance']:g}"
        if values["style_preset"]:
            form["style_preset"] = values["style_preset"]
        return form

    def _start(
        self, request: Request, values: Mapping[str, Any], pictures: tuple[Given, ...]
    ) -> dict[str, str]:
        """What it is drawn from: nothing, in a shape, or a picture, whose shape it keeps."""
        if request.size:
            ratio.within(request.size, self._shapes.pixels, self._model)
        shape = values["aspect_ratio"]
        if shape and (request.size or pictures):
            other = "size" if request.size else "image"
            raise parameters.bad(f"both `{other}` and `aspect_ratio` are set", "leave `aspect_ratio` out")
        if pictures:
            if request.size:
                ratio.check_alike(request.size, pictures[0].size, "image")
            return {"mode": "image-to-image", "strength": f"{Decimal(str(values['strength'])):f}"}
        if request.size:
            shape = ratio.fitting(request.size, self._shapes.ratios, self._model)
        return {"mode": "text-to-image", "aspect_ratio": shape or "1:1"}

    def _failed(self, answer: Answer) -> EngineError:
        body = answer.said()
        name, errors = dig(body, "name"), dig(body, "errors")
        told = [item for item in errors if isinstance(item, str)] if isinstance(errors, list) else []
        said = "; ".join(([f"`{name}`"] if isinstance(name, str) else []) + told)
        if name == "content_moderation":
            return verdict.refused(answer, said, billed=False)
        if answer.status == verdict.UNFIT and name == "public_figure":
            return verdict.refused(answer, said, billed=False)
        return verdict.judged(answer, said, self._model)


def _seed(request: Request, answer: Answer) -> tuple[dict[str, Json], tuple[str, ...]]:
    """The seed that was used, and a note where it is another than was asked for."""
    told = answer.headers.get("seed", "")
    if not told.isdigit():
        return {}, ()
    seed = int(told)
    if request.seed in {None, seed}:
        return {"seed": seed}, ()
    return {"seed": seed}, (f"Stability AI used the seed {seed}, not {request.seed}",)
