"""What Gemini's answers mean: the picture among the parts, blocks that come as 200, and its errors.

Sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from engines.hosted import verdict
from engines.hosted.answer import Answer, dig, duration
from engines.protocol import EngineError, ErrorKind, Json

_ENDED_WELL: Final = ("", "STOP", "MAX_TOKENS", "FINISH_REASON_UNSPECIFIED")
"""Reasons to finish that are no refusal; any other without a picture is one."""

_BAD_REQUEST: Final = 400
_NEVER: Final = re.compile(r"\blimit: 0\b")
"""In a refusal for too many requests: the account has no share at all, so no wait will help."""


def picture_of(answer: Answer, said: Mapping[str, Json]) -> Mapping[str, Json]:
    """The `inlineData` of the picture. Raises `EngineError`: `refused`, or `internal` where there is none."""
    for part in _parts(said):
        found = part.get("inlineData")
        if isinstance(found, dict):
            return found
    if block := dig(said, "promptFeedback", "blockReason"):
        raise verdict.refused(answer, f"the prompt is blocked as `{block}`", billed=True)
    finish = str(dig(said, "candidates", 0, "finishReason") or "")
    why = dig(said, "candidates", 0, "finishMessage") or " ".join(words_of(said))
    if finish not in _ENDED_WELL:
        raise verdict.refused(answer, f"`{finish}`{f', {why}' if why else ''}", billed=True)
    raise answer.unexpected("no picture", str(why), "ask for a picture in the prompt")


def words_of(said: Mapping[str, Json]) -> list[str]:
    """The text that came beside the picture."""
    return [part["text"] for part in _parts(said) if isinstance(part.get("text"), str)]


def _parts(said: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    """The parts of the first candidate, without the sketches that the model made while it thought."""
    parts = dig(said, "candidates", 0, "content", "parts")
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, dict) and not part.get("thought"):
            yield part


def failed(answer: Answer, model: str) -> EngineError:
    """The error for an answer whose status is not 200."""
    error = dig(answer.said(), "error")
    status, message = dig(error, "status"), dig(error, "message")
    said = ": ".join(str(part) for part in (status, message) if part)
    details = [item for item in dig(error, "details") or [] if isinstance(item, dict)]
    if answer.status == _BAD_REQUEST and any(item.get("reason") == "API_KEY_INVALID" for item in details):
        return verdict.as_kind(ErrorKind.AUTH, answer, said)
    if answer.status == verdict.TOO_MANY and (_has_ended(details) or _NEVER.search(said)):
        return verdict.as_kind(ErrorKind.QUOTA, answer, said)
    waits = [item["retryDelay"] for item in details if isinstance(item.get("retryDelay"), str)]
    return verdict.judged(answer, said, model, duration(waits[0]) if waits else None)


def _has_ended(details: list[dict[str, Json]]) -> bool:
    """Whether it is the day's share that is used up, not the minute's."""
    for item in details:
        violations = item.get("violations")
        for violation in violations if isinstance(violations, list) else []:
            if "PerDay" in str(dig(violation, "quotaId")):
                return True
    return False
