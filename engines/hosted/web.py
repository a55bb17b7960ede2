"""The one HTTP client: a paid POST, sent exactly once.

No retry, no redirect, a limit in time and in bytes. Knows nothing of what an answer means. A provider's
own SDK sends through `Client` too, so that the same holds for it.
"""

from __future__ import annotations

import math
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
    """Reads every answer whole, or raises `CutOff`.

    Args:
        account: whose timeout holds.
        most: bytes in one answer.
        seconds: for one whole answer, where it is not the account's timeout.
        silence: the most seconds without a byte of it.
    """

    def __init__(
        self,
        account: Account,
        most: int = _MOST,
        *,
        seconds: float | None = None,
        silence: float = math.inf,
    ) -> None:
        self._seconds = account.timeout if seconds is None else seconds
        super().__init__(
            verify=_trust(),
            timeout=httpx2.Timeout(min(self._seconds, silence), connect=min(_CONNECT, self._seconds)),
            follow_redirects=False,
            # A kept connection that the provider has closed meanwhile looks like a lost answer.
            limits=httpx2.Limits(max_keepalive_connections=0),
            headers={"user-agent": "artlock"},
        )
        self._most = most
        self.sent = False
        """Whether a request has left, or may have."""
        self.answer: httpx2.Response | None = None
        """The last answer that came whole."""

    def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:  # noqa: ANN401 - handed on
        """As httpx2's, but with a limit to the whole answer; `stream` changes nothing."""
        del stream
        until = time.monotonic() + self._seconds
        self.sent, self.answer = True, None
        response = super().send(request, stream=True, **options)
        try:
            body = self._read(response, until)
        finally:
            response.close()
        headers = [(name, value) for name, value in response.headers.items() if name not in _DECODED]
        self.answer = httpx2.Response(response.status_code, headers=headers, content=body, request=request)
        return self.answer

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
            raise CutOff(reason(error), response) from error
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
        self.client = Client(account)

    def post(self, path: str, headers: Mapping[str, str], **body: Any) -> Answer:  # noqa: ANN401 - httpx2's
        """Send a paid request, once. `body`: `json` or `files`, as httpx2 takes them.

        Raises `EngineError`: `transient` where nothing was sent, `uncertain` where the answer was lost.
        """
        url = f"{self.account.base_url}{path}"
        try:
            return answer(self.account, self.client.post(url, headers=dict(headers), **body))
        except httpx2.RequestError as error:
            raise broken(self.account, error) from error


def answer(account: Account, response: httpx2.Response) -> Answer:
    """What `response` says."""
    return Answer(account, response.status_code, _lower(response), response.content)


def broken(account: Account, error: BaseException | None) -> EngineError:
    """The error for a paid request that `error` of the transport ended."""
    host = urlsplit(account.base_url).netloc
    if isinstance(error, _UNSENT):
        message = f"{account.provider} can't be reached at `{host}`: {account.beginning(reason(error))}"
        return EngineError(ErrorKind.TRANSIENT, message, hint="check the network")
    if isinstance(error, httpx2.ReadTimeout):
        return lost(account, f"none came within {account.timeout:g} seconds")
    known = request_id(account, error.headers) if isinstance(error, CutOff) else ""
    return lost(account, account.beginning(reason(error)), known)


def _lower(response: httpx2.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def reason(error: BaseException | None) -> str:
    """What `error` says, or at least what it is."""
    return str(error) or type(error).__name__
