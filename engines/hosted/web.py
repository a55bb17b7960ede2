"""The one HTTP client: a paid POST and a plain GET, each sent exactly once.

No retry, no redirect, a limit in time and in bytes. Knows nothing of what an answer means. A provider's
own SDK sends through `client` too, so that the same holds for it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from engines.hosted.account import Account
from engines.hosted.answer import Answer, lost, request_id
from engines.protocol import EngineError, ErrorKind

_CONNECT: Final = 15.0
"""Seconds to get through; nothing is sent, and nothing paid, before."""

_MOST: Final = 256 * 1024 * 1024
"""Bytes in one answer: what the builder takes in one picture."""

_OK: Final = 200
_EXPIRED: Final = (401, 403, 404, 410)
"""What an address answers once its time is over."""

_UNSENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)
"""What can only happen before the request has left this machine."""

_DECODED: Final = ("content-encoding", "content-length", "transfer-encoding")
"""Headers that are no longer true of a body that was read."""


class CutOff(httpx2.RequestError):
    """An answer that began and did not end."""

    def __init__(self, why: str, response: httpx2.Response) -> None:
        super().__init__(why, request=response.request)
        self.headers = _lower(response)


class Client(httpx2.Client):
    """Reads every answer whole, or raises `CutOff`. `most`: bytes in one answer."""

    def __init__(self, account: Account, most: int = _MOST) -> None:
        super().__init__(
            verify=_trust(),
            timeout=httpx2.Timeout(account.timeout, connect=min(_CONNECT, account.timeout)),
            follow_redirects=False,
            # A kept connection that the provider has closed meanwhile looks like a lost answer.
            limits=httpx2.Limits(max_keepalive_connections=0),
            headers={"user-agent": "artlock"},
        )
        self._seconds = account.timeout
        self._most = most

    def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:  # noqa: ANN401 - handed on
        """As httpx2's, but with a limit to the whole answer; `stream` changes nothing."""
        del stream
        until = time.monotonic() + self._seconds
        response = super().send(request, stream=True, **options)
        try:
            body = self._read(response, until)
        finally:
            response.close()
        headers = [(name, value) for name, value in response.headers.items() if name not in _DECODED]
        return httpx2.Response(response.status_code, headers=headers, content=body, request=request)

    def _read(self, response: httpx2.Response, until: float) -> bytes:
        parts, size = [], 0
        try:
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                # A server that sends a byte a second never lets a read time out.
                if size > self._most or time.monotonic() > until:
                    break
            else:
                return b"".join(parts)
        except httpx2.RequestError as error:
            # A failure's status says all that counts, however much of its body came.
            if response.status_code != _OK:
                return b"".join(parts)
            raise CutOff(_reason(error), response) from error
        if size > self._most:
            raise CutOff(f"it is longer than {self._most // 2**20} MiB", response)
        raise CutOff(f"it did not end within {self._seconds:g} seconds", response)


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that this machine trusts: hundreds, read once in a process."""
    return httpx2.create_ssl_context()


class Web:
    """Sends for one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._client = Client(account)

    def post(self, path: str, headers: Mapping[str, str], **body: Any) -> Answer:  # noqa: ANN401 - httpx2's
        """Send a paid request, once. `body`: `json` or `files`, as httpx2 takes them.

        Raises `EngineError`: `transient` where nothing was sent, `uncertain` where the answer was lost.
        """
        url = f"{self.account.base_url}{path}"
        try:
            return answer(self.account, self._client.post(url, headers=dict(headers), **body))
        except httpx2.RequestError as error:
            raise broken(self.account, error) from error

    def fetch(self, url: str, request: str) -> Answer:
        """Get the picture at a temporary `url` of the provider's, without the key: it is another host.

        Raises `EngineError` (`uncertain`), since it is paid for by now; `request` is the provider's id.
        """
        ours, theirs = urlsplit(self.account.base_url), urlsplit(url)
        if theirs.scheme != "https" and (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc):
            raise lost(self.account, "the address of the picture is not a secure one", request)
        try:
            got = answer(self.account, self._client.get(url))
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            why = f"the picture can't be fetched ({self.account.beginning(_reason(error))})"
            raise lost(self.account, why, request) from error
        if got.status in _EXPIRED:
            why = f"the temporary address of the picture has expired ({got.status})"
            raise lost(self.account, why, request)
        if got.status != _OK:
            raise lost(self.account, f"the picture can't be fetched ({got.status})", request)
        return got


def answer(account: Account, response: httpx2.Response) -> Answer:
    """What `response` says."""
    return Answer(account, response.status_code, _lower(response), response.content)


def broken(account: Account, error: BaseException | None) -> EngineError:
    """The error for a paid request that `error` of the transport ended."""
    host = urlsplit(account.base_url).netloc
    if isinstance(error, _UNSENT):
        message = f"{account.provider} can't be reached at `{host}`: {account.beginning(_reason(error))}"
        return EngineError(ErrorKind.TRANSIENT, message, hint="check the network")
    if isinstance(error, httpx2.ReadTimeout):
        return lost(account, f"none came within {account.timeout:g} seconds")
    known = request_id(account, error.headers) if isinstance(error, CutOff) else ""
    return lost(account, account.beginning(_reason(error)), known)


def _lower(response: httpx2.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _reason(error: BaseException | None) -> str:
    return str(error) or type(error).__name__
