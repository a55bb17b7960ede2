"""What a provider's status means to the builder: one kind of error for each, in one place.

An adapter looks for its provider's own words first: a refusal, an empty account, a model that ended.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from engines.hosted.answer import Answer
from engines.protocol import EngineError, ErrorKind

OK: Final = 200
NOT_FOUND: Final = 404
GONE: Final = 410
UNFIT: Final = 422
FORBIDDEN: Final = 403
TOO_MANY: Final = 429

_KINDS: Final = {
    400: ErrorKind.BAD_REQUEST,
    401: ErrorKind.AUTH,
    402: ErrorKind.QUOTA,
    403: ErrorKind.AUTH,
    404: ErrorKind.BAD_REQUEST,
    408: ErrorKind.TRANSIENT,
    410: ErrorKind.RETIRED,
    413: ErrorKind.BAD_REQUEST,
    415: ErrorKind.BAD_REQUEST,
    422: ErrorKind.BAD_REQUEST,
    429: ErrorKind.RATE_LIMITED,
}
_LOST: Final = {502: "a gateway got no answer", 504: "it took too long", 524: "it took too long"}
"""A gateway (524: Cloudflare's) that had no answer from who draws, or waited no longer: the picture may have
been made, and billed. A 500 or 503 is the provider's own word that it was not."""

_OVER: Final = re.compile(
    r"\bmodels?\b.{0,80}?\b(is|are|was|has been|have been)\b.{0,12}?"
    r"\b(retired|deprecated|discontinued|decommissioned|sunset|shut ?down|no longer (available|supported))\b",
    re.IGNORECASE,
)
"""That a model has ended; a parameter that is deprecated for a model is another matter."""

_ENDINGS: Final = (400, 404, 410, 422)
"""Statuses with which a provider may tell that a model is gone."""


def judged(answer: Answer, said: str, model: str, wait: float | None = None) -> EngineError:
    """The error for an `answer` whose status is not 200; `said` is the provider's own sentence about it.

    `wait`: seconds that the body asks to wait, where the headers say nothing.
    """
    if _has_ended(answer, said, model):
        return retired(answer, model, said)
    if 300 <= answer.status < 400:  # noqa: PLR2004 - redirects
        where = answer.account.beginning(urlsplit(answer.headers.get("location", "")).netloc)
        message = f"{answer.account.provider} sends the request on to `{where}` ({answer.status})"
        return EngineError(ErrorKind.INTERNAL, message, hint="correct `base_url`: a key follows no redirect")
    if answer.status in _LOST:
        told = answer.account.sentence(said) or answer.account.beginning(answer.text)
        return answer.torn(f"{_LOST[answer.status]} ({answer.status}){': ' if told else ''}{told}")
    kind = _KINDS.get(answer.status, ErrorKind.TRANSIENT if answer.status >= 500 else ErrorKind.INTERNAL)  # noqa: PLR2004 - the server's own failures
    return as_kind(kind, answer, said, wait)


def as_kind(kind: ErrorKind, answer: Answer, said: str = "", wait: float | None = None) -> EngineError:
    """The error of `kind` for `answer`, in the words that all providers share; `wait` as for `judged`."""
    fact, hint = _WORDS[kind]
    account = answer.account
    fact = fact.format(provider=account.provider, variable=account.variable)
    told = account.sentence(said) or account.beginning(answer.text)
    if answer.status == 401:  # noqa: PLR2004 - what a provider says here quotes parts of the key
        told = ""
    asked = answer.retry_after()
    return EngineError(
        kind,
        f"{fact} ({answer.status}){': ' if told else ''}{told}",
        hint=hint.format(variable=account.variable),
        retry_after=wait if asked is None else asked,
    )


def refused(answer: Answer, said: str, *, billed: bool) -> EngineError:
    """The error for a prompt or a picture that the provider's safety rules refuse."""
    account = answer.account
    bill = "it may have been billed" if billed else "it was not billed"
    message = f"{account.provider} refused it, and {bill}: {account.sentence(said)}"
    return EngineError(ErrorKind.REFUSED, message, hint="change the prompt")


def retired(answer: Answer, model: str, said: str) -> EngineError:
    """The error for a `model` that the provider has ended."""
    account = answer.account
    since = f" on {account.ended[model]}" if model in account.ended else ""
    told = account.sentence(said) or account.beginning(answer.text)
    message = f"{account.provider} has ended the model `{model}`{since} ({answer.status}): {told}"
    return EngineError(ErrorKind.RETIRED, message, hint="choose another model: nothing is put in its place")


def _has_ended(answer: Answer, said: str, model: str) -> bool:
    if answer.status == GONE or (answer.status == NOT_FOUND and model in answer.account.ended):
        return True
    return answer.status in _ENDINGS and bool(_OVER.search(said))


_WORDS: Final = {
    ErrorKind.BAD_REQUEST: ("{provider} does not take the request", "change what it names"),
    ErrorKind.AUTH: ("{provider} does not accept the key in `{variable}`", "set `{variable}` to a valid key"),
    ErrorKind.QUOTA: ("the account at {provider} is used up", "look at the account's balance and limits"),
    ErrorKind.RATE_LIMITED: ("{provider} asks to slow down", "lower `concurrent` or `per_minute`"),
    ErrorKind.TRANSIENT: ("{provider} can't serve now", "build again later"),
    ErrorKind.INTERNAL: ("{provider} gave an unknown answer", "check `base_url`"),
}
