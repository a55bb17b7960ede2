"""The engine itself: one call of the SDK that never repeats itself, and the base64 in its answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import openai

from engines import parameters
from engines.gpt_image import sizes
from engines.hosted import asked, given, paid, picture, ratio, shapes, verdict, web
from engines.hosted.account import Account
from engines.hosted.answer import Answer, dig, duration
from engines.hosted.given import MEGABYTE, Bounds, Given
from engines.protocol import Done, EngineError, ErrorKind, Open, Report, Request, Result

_EMPTY: Final = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
_REFUSALS: Final = ("moderation_blocked", "content_policy_violation")
_LONGEST: Final = 32_000
"""Characters of a prompt."""

_TAKES: Final = Bounds(provider="OpenAI", number=16, each=50 * MEGABYTE)
_MASK: Final = Bounds(provider="OpenAI", each=4 * MEGABYTE)


class GptImage:
    """See `protocol.Engine`."""

    def __init__(self, opening: Open) -> None:
        self._account = Account(Path(__file__).parent, opening, "OpenAI")
        self._model = self._account.model
        if not self._model:
            raise parameters.bad("no model of OpenAI is chosen", "set `model` to `gpt-image-2`")
        self._shapes = shapes.of(Path(__file__).parent, self._model)
        self._staging = Path(opening.staging)
        self._http = web.Client(self._account)
        self._client = openai.OpenAI(
            api_key=self._account.key,
            base_url=self._account.base_url,
            # The SDK sends no idempotency key: a repeated request would be paid for again.
            max_retries=0,
            timeout=self._account.timeout,
            http_client=self._http,
        )

    def environment(self) -> Mapping[str, str]:
        """What speaks to the provider, and to which of its interfaces."""
        names = {name: version(name) for name in ("openai", "httpx2")}
        return {**names, "interface": "images/generations", **self._account.environment()}

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Make each request; one that fails leaves the others alone."""
        return paid.one_by_one(
            requests, lambda request: self._make(request, report), self._account, self._http
        )

    def _make(self, request: Request, report: Report) -> Done:
        values = asked.check(request, self._account, negative=False, seeds=None)
        body = {**self._body(request, values), **_pictures(values)}
        report(request.id, 0, 1)
        answer = self._send(body)
        said = answer.json()
        made = dig(said, "data", 0)
        data = answer.base64(dig(made, "b64_json"))
        claimed = said.get("output_format")
        mime = f"image/{claimed}" if isinstance(claimed, str) else ""
        kept = picture.keep(data, mime, answer, request.output, self._staging)
        ratio.check_made(request.size, kept.size, self._model)
        usage, rewritten = said.get("usage"), dig(made, "revised_prompt")
        notes: tuple[str, ...] = ()
        if values["background"] == "transparent" and not kept.alpha:
            notes = ("OpenAI sent a picture without transparency",)
        return Done(
            id=request.id,
            output=kept.name,
            sent={"prompt": rewritten} if isinstance(rewritten, str) and rewritten != request.prompt else {},
            notes=notes,
            facts={"usage": usage} if isinstance(usage, dict) else {},
        )

    def _body(self, request: Request, values: Mapping[str, Any]) -> dict[str, Any]:
        if len(request.prompt) > _LONGEST:
            fact = f"`prompt` has {len(request.prompt)} characters, more than {_LONGEST}"
            raise parameters.bad(fact, "shorten it")
        if values["quality"] not in self._shapes.choices.get("quality", (values["quality"],)):
            raise parameters.bad(f"`{self._model}` has no quality `{values['quality']}`", "use `high`")
        kept = ["quality", "background", "moderation"]
        if values["image"] or values["reference"]:
            kept.remove("moderation")
            if values["moderation"] != "auto":
                fact = f"`moderation` is `{values['moderation']}`, which OpenAI takes only without pictures"
                raise parameters.bad(fact, "leave it out")
        return {
            "model": self._model,
            "prompt": request.prompt,
            "n": 1,
            "size": sizes.written(request.size, self._model, self._shapes),
            "output_format": "png",
            **{name: values[name] for name in kept},
        }

    def _send(self, body: Mapping[str, Any]) -> Answer:
        images = self._client.images.with_raw_response
        try:
            raw = images.edit(**body) if "image" in body else images.generate(**body)
        except openai.APIStatusError as error:
            raise self._failed(web.answer(self._account, error.response)) from error
        except openai.APIConnectionError as error:
            raise web.broken(self._account, error.__cause__) from error
        return web.answer(self._account, raw.http_response)

    def _failed(self, answer: Answer) -> EngineError:
        error = dig(answer.said(), "error")
        code, message = str(dig(error, "code") or ""), str(dig(error, "message") or "")
        if code in _REFUSALS or dig(error, "moderation_details"):
            return verdict.refused(answer, f"`{code}`, {message}", billed=True)
        if code in _EMPTY or dig(error, "type") in _EMPTY:
            return verdict.as_kind(ErrorKind.QUOTA, answer, message)
        if code == "model_not_found" and self._model in self._account.ended:
            return verdict.retired(answer, self._model, message)
        return verdict.judged(answer, message, self._model, _wait(message))


def _pictures(values: Mapping[str, Any]) -> dict[str, Any]:
    """The files of a form: the picture to change comes first, and the mask is about the first."""
    pictures = given.read(values, ("image", "reference"), _TAKES)
    files: dict[str, Any] = {"image": [item.file for item in pictures]} if pictures else {}
    for mask in given.read(values, ("mask",), _MASK):
        _check_mask(mask, pictures[0])
        files["mask"] = mask.file
    return files


def _check_mask(mask: Given, image: Given) -> None:
    if mask.suffix != ".png":
        raise parameters.bad("`mask` is no PNG, the only format that OpenAI takes for it", "save it as a PNG")
    if mask.size != image.size:
        sizes = f"{mask.size[0]} x {mask.size[1]} pixels, and `image` {image.size[0]} x {image.size[1]}"
        raise parameters.bad(f"`mask` is {sizes}", "make them the same size")
    if not mask.clear:
        fact = "`mask` is nowhere transparent, and OpenAI changes only what is"
        raise parameters.bad(fact, "erase from it what is to be changed")


def _wait(message: str) -> float | None:
    """Seconds that the sentence `Please try again in 12s.` asks to wait."""
    _, found, rest = message.partition("try again in ")
    return duration(rest) if found else None
