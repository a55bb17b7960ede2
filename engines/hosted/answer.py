"""What a provider answered: its status, its headers, its body, and how long it asks to wait.

Knows nothing of what any one provider's answers mean.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Final

from engines.hosted.account import Account
from engines.protocol import EngineError, ErrorKind, Json

_REQUEST_IDS: Final = ("x-request-id", "request-id", "x-goog-request-id")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)(?![a-z])")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

_BETWEEN: Final = "check `base_url`, and what stands between"

LOST: Final = "The picture may have been made, and billed"

BILLED: Final = "look at the account's usage before you build it again"
"""The hint where money may be gone for nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end, or as far as it came where its status says that it failed."""

    account: Account
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def mime(self) -> str:
        """The MIME type that the answer claims, without parameters; empty where it claims none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def request_id(self) -> str:
        """What the provider calls this request, or an empty string."""
        return request_id(self.account, self.headers)

    def named(self, request: Json) -> Answer:
        """This answer, called `request` where its headers give it no name of their own."""
        if self.request_id or not isinstance(request, str):
            return self
        return replace(self, headers={**self.headers, _REQUEST_IDS[0]: request})

    @property
    def text(self) -> str:
        """The body as text, the key concealed."""
        return self.account.conceal(self.body.decode("utf-8", "replace"))

    def json(self) -> dict[str, Json]:
        """The body's JSON object. Raises `EngineError`: `internal` for what is none, `uncertain` if torn."""
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError) as error:
            if self.mime != "application/json" and not self.body.lstrip().startswith(b"{"):
                raise self.unexpected(f"`{self.mime or 'something'}` instead of JSON") from error
            raise self.torn("its JSON is cut off or damaged") from error
        if not isinstance(value, dict):
            raise self.unexpected("JSON that is no object")
        return value

    def said(self) -> Json:
        """The JSON of an error's body, whatever it is; None where there is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    def unexpected(self, what: str, body: str = "", hint: str = _BETWEEN) -> EngineError:
        """The error for an answer that the provider's documentation does not know.

        `body` is what to show the beginning of, where it is not the whole body's.
        """
        account = self.account
        shown = account.beginning(body or self.text)
        message = f"{account.provider} answered with {what} ({self.status}): `{shown}`"
        return EngineError(ErrorKind.INTERNAL, message, hint=hint)

    def torn(self, why: str) -> EngineError:
        """The error for a picture that was made and did not come whole."""
        return lost(self.account, why, self.request_id)

    def base64(self, text: Json) -> bytes:
        """The bytes in `text`. Raises `EngineError` (`uncertain`) where it is cut off."""
        if not isinstance(text, str) or not text:
            raise self.unexpected("no picture")
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise self.torn("its base64 is cut off or damaged") from error

    def retry_after(self) -> float | None:
        """Seconds that the headers ask to wait, or None."""
        if (milliseconds := _number(self.headers.get("retry-after-ms", ""))) is not None:
            return milliseconds / 1000
        given = self.headers.get("retry-after", "").strip()
        if not given or (seconds := _number(given)) is not None:
            return seconds if given else None
        # Held against the provider's own clock: this machine's may be wrong by hours.
        now = _date(self.headers.get("date", "")) or dt.datetime.now(dt.UTC)
        until = _date(given)
        return max(0.0, (until - now).total_seconds()) if until else None


def lost(account: Account, why: str, request: str = "") -> EngineError:
    """The error for a paid request whose answer did not arrive; `request` is the provider's id for it."""
    named = f" (request `{request}`)" if request else ""
    message = f"{account.provider} took the request{named} and its answer was lost: {why}"
    return EngineError(ErrorKind.UNCERTAIN, f"{message}. {LOST}", hint=BILLED)


def request_id(account: Account, headers: Mapping[str, str]) -> str:
    """What the provider calls this request, or an empty string."""
    return next((account.beginning(headers[name]) for name in _REQUEST_IDS if headers.get(name)), "")


def duration(text: str) -> float | None:
    """The first span of time in `text` in seconds: `34s`, `1.5 s`, `200ms`, `2m`, `1m30s`, or None."""
    first = _DURATION.search(text)
    if first is None:
        return None
    seconds, end = float(first[1]) * _UNITS[first[2]], first.end()
    while found := _DURATION.match(text, end):
        seconds, end = seconds + float(found[1]) * _UNITS[found[2]], found.end()
    return seconds


def dig(value: Json, *path: str | int) -> Json:
    """What lies at `path` in JSON that may have another shape; None where it has."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def _date(text: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
