"""The engine itself: one paid request, and its temporary address read at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from engines.hosted import asked, given, paid, picture, ratio, verdict
from engines.hosted.account import Account
from engines.hosted.answer import Answer, dig
from engines.hosted.fetch import fetch
from engines.hosted.given import MEGABYTE, Bounds, Given
from engines.hosted.web import Web
from engines.ideogram.models import MODELS, SEEDS
from engines.protocol import Done, EngineError, ErrorKind, Json, Open, Report, Request, Result

_UNPAID: Final = 402

_TAKES: Final = Bounds(provider="Ideogram", each=10 * MEGABYTE, together=10 * MEGABYTE)


class Ideogram:
    """See `protocol.Engine`."""

    def __init__(self, opening: Open) -> None:
        self._account = Account(Path(__file__).parent, opening, "Ideogram")
        self._model = MODELS[self._account.one_of(tuple(MODELS))]
        self._staging = Path(opening.staging)
        self._web = Web(self._account)

    def environment(self) -> Mapping[str, str]:
        """What speaks to the provider, and to which of its interfaces."""
        return {
            "httpx2": version("httpx2"),
            "interface": self._model.path,
            **self._account.environment(),
        }

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Make each request; one that fails leaves the others alone."""
        return paid.one_by_one(
            requests, lambda request: self._make(request, report), self._account, self._web.client
        )

    def _make(self, request: Request, report: Report) -> Done:
        values = asked.check(request, self._account, negative=self._model.takes.negative, seeds=SEEDS)
        body = self._model.body(request, values)
        pictures = given.read(values, ("reference",), _TAKES)
        report(request.id, 0, 2)
        # A form only where there are pictures: without, JSON keeps numbers as numbers.
        sent: dict[str, Any] = {"files": _form(body, pictures)} if pictures else {"json": body}
        answer = self._web.post(self._model.path, {"Api-Key": self._account.key}, **sent)
        if answer.status != verdict.OK:
            raise self._failed(answer)
        said = answer.json()
        made = dig(said, "data", 0)
        if dig(made, "is_image_safe") is False:
            raise verdict.refused(answer, "`is_image_safe` is false", billed=True)
        url = dig(made, "url")
        if not isinstance(url, str) or not url:
            raise answer.torn("it holds no address of a picture")
        report(request.id, 1, 2)
        fetched = fetch(self._account, url, answer.request_id)
        kept = picture.keep(fetched.body, fetched.mime, fetched, request.output, self._staging)
        ratio.check_made(request.size, kept.size, self._model.name)
        return Done(
            id=request.id,
            output=kept.name,
            sent=_sent(request, made),
            notes=(
                *self._notes(answer, said, request, made),
                *given.notes(pictures, self._account.provider),
            ),
        )

    def _failed(self, answer: Answer) -> EngineError:
        body = answer.said()
        error, why = dig(body, "error"), dig(body, "reject_reason")
        said = " ".join(str(part) for part in (error, why and f"({why})") if part)
        if answer.status == verdict.UNFIT and isinstance(error, str):
            return verdict.refused(answer, said, billed=False)
        if answer.status == _UNPAID or why in {"insufficient_funds", "daily_limit"}:
            return verdict.as_kind(ErrorKind.QUOTA, answer, said)
        return verdict.judged(answer, said, self._model.name)

    def _notes(self, answer: Answer, said: Json, request: Request, made: Json) -> tuple[str, ...]:
        notes = []
        if answer.headers.get("deprecation") or dig(said, "notice"):
            told = self._account.sentence(str(dig(said, "notice") or answer.headers["deprecation"]))
            notes.append(f"Ideogram will end this interface: {told}")
        if request.seed is not None and dig(made, "seed") not in {None, request.seed}:
            notes.append(f"Ideogram used the seed {dig(made, 'seed')}, not {request.seed}")
        return tuple(notes)


def _form(body: Mapping[str, Json], pictures: Sequence[Given]) -> list[tuple[str, Any]]:
    """The parts of a form: the keys of `body` as text, and each picture under the same name."""
    words = [(name, (None, str(value))) for name, value in body.items()]
    return [*words, *(("style_reference_images", item.file) for item in pictures)]


def _sent(request: Request, made: Any) -> dict[str, Json]:  # noqa: ANN401 - any JSON
    """What the provider says it used: its seed, and the prompt where it wrote another."""
    sent: dict[str, Json] = {}
    if isinstance(dig(made, "seed"), int):
        sent["seed"] = made["seed"]
    if isinstance(dig(made, "prompt"), str) and made["prompt"] != request.prompt:
        sent["prompt"] = made["prompt"]
    return sent
