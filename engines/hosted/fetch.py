"""A picture at a temporary address: paid for by now, and free to be fetched as often as it takes.

Tried again by the builder's own rule, after 1, 2, 4 … seconds, or when the server says. The builder can't do
it: all that it could ask for again is another picture. Knows nothing of the request that was paid for.
"""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import urlsplit

import httpx2
import tenacity

from engines.hosted import web
from engines.hosted.account import Account
from engines.hosted.answer import Answer, lost

_OK: Final = 200
_EXPIRED: Final = (401, 403, 404, 410)
"""What an address answers once its time is over."""

_PASSING: Final = (408, 429, 500, 502, 503, 504)
"""What another try may mend."""

_SILENCE: Final = 30.0
"""Seconds without a byte after which a server is asked again: it had all the time to draw before."""

_LEAST: Final = 0.01
_BACKOFF: Final = tenacity.wait_exponential_jitter(max=60.0)


class _Missed(Exception):  # noqa: N818 - no error of anyone's yet: it is tried again
    """A try that brought nothing; the next one may."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


def fetch(account: Account, url: str, request: str) -> Answer:
    """Get the picture at a temporary `url` of the provider's, without the key: it is another host.

    Tried until it comes, its address has expired or the account's timeout is over; that counts for all tries
    together. Raises `EngineError` (`uncertain`), since it is paid for; `request` is the provider's id.
    """
    try:
        ours, theirs = urlsplit(account.base_url), urlsplit(url)
    except ValueError as error:
        why = f"`{account.beginning(url)}` is no address of a picture"
        raise lost(account, why, request) from error
    if theirs.scheme != "https" and (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc):
        raise lost(account, "the address of the picture is not a secure one", request)
    until = time.monotonic() + account.timeout
    tries = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_Missed),
        wait=_wait,
        stop=tenacity.stop_before_delay(account.timeout),
        reraise=True,
    )
    try:
        return tries(_tried, account, url, request, until)
    except _Missed as missed:
        number = tries.statistics["attempt_number"]
        times = f", tried {number} times" if number > 1 else ""
        raise lost(account, f"the picture can't be fetched ({missed}{times})", request) from missed


def _wait(state: tenacity.RetryCallState) -> float:
    missed = state.outcome.exception() if state.outcome else None
    return max(_BACKOFF(state), missed.wait if isinstance(missed, _Missed) else 0.0)


def _tried(account: Account, url: str, request: str, until: float) -> Answer:
    left = max(until - time.monotonic(), _LEAST)
    try:
        with web.Client(account, seconds=left, silence=_SILENCE) as client:
            got = web.answer(account, client.get(url))
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        why = account.beginning(web.reason(error))
        # Too long, say, or no address at all: it would be so the next time.
        if isinstance(error, httpx2.InvalidURL) or (isinstance(error, web.CutOff) and not error.__cause__):
            raise lost(account, f"the picture can't be fetched ({why})", request) from error
        raise _Missed(why) from error
    if got.status == _OK:
        return got
    if got.status in _EXPIRED:
        why = f"the temporary address of the picture has expired ({got.status})"
        raise lost(account, why, request)
    if got.status in _PASSING:
        raise _Missed(str(got.status), got.retry_after() or 0.0)
    raise lost(account, f"the picture can't be fetched ({got.status})", request)
