"""The one HTTP client: a paid POST and a plain GET, each sent exactly once.

No retry, no redirect, a limit in time and in bytes. Knows nothing of what an answer means.
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


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that this machine trusts: hundreds, read once in a process."""
    return httpx2.create_ssl_context()


def client(account: Account) -> httpx2.Client:
    """A client for `account`. It carries no key: each request brings its own."""
    return httpx2.Client(
        verify=_trust(),
        timeout=httpx2.Timeout(account.timeout, connect=min(_CONNECT, account.timeout)),
        follow_redirects=False,
        # A kept connection that the provider has closed meanwhile looks like a lost answer.
        limits=httpx2.Limits(max_keepalive_connections=0),
        headers={"user-agent": "artlock"},
    )


class Web:
    """Sends for one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._client = client(account)

    def post(self, path: str, headers: Mapping[str, str], **body: Any) -> Answer:  # noqa: ANN401 - httpx2's
        """Send a paid request, once. `body`: `json` or `files`, as httpx2 takes them.

        Raises `EngineError`: `transient` where nothing was sent, `uncertain` where the answer was lost.
        """
        url = f"{self.account.base_url}{path}"
        try:
            return self._send(self._client.build_request("POST", url, headers=dict(headers), **body))
        except (httpx2.RequestError, _CutOff) as error:
            raise broken(self.account, error) from error

    def fetch(self, url: str, request: str) -> Answer:
        """Get the picture at a temporary `url` of the provider's, without the key: it is another host.

        Raises `EngineError` (`uncertain`), since it is paid for by now; `request` is the provider's id.
        """
        ours, theirs = urlsplit(self.account.base_url), urlsplit(url)
        if theirs.scheme != "https" and (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc):
            raise lost(self.account, "the address of the picture is not a secure one", request)
        try:
            answer = self._send(self._client.build_request("GET", url))
        except (httpx2.RequestError, httpx2.InvalidURL, _CutOff) as error:
            why = f"the picture can't be fetched ({self.account.beginning(_reason(error))})"
            raise lost(self.account, why, request) from error
        if answer.status in _EXPIRED:
            why = f"the temporary address of the picture has expired ({answer.status})"
            raise lost(self.account, why, request)
        if answer.status != _OK:
            raise lost(self.account, f"the picture can't be fetched ({answer.status})", request)
        return answer

    def _send(self, request: httpx2.Request) -> Answer:
        until = time.monotonic() + self.account.timeout
        response = self._client.send(request, stream=True)
        parts, size = [], 0
        try:
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > _MOST:
                    raise _CutOff(f"it is longer than {_MOST // 2**20} MiB", response)
                if time.monotonic() > until:
                    # A server that sends a byte a second never lets a read time out.
                    raise _CutOff(f"it did not end within {self.account.timeout:g} seconds", response)
        except httpx2.RequestError as error:
            # A failure's status says all that counts, however much of its body came.
            if response.status_code == _OK:
                raise _CutOff(_reason(error), response) from error
        finally:
            response.close()
        return Answer(self.account, response.status_code, _lower(response), b"".join(parts))


class _CutOff(Exception):  # noqa: N818 - what happened to an answer; made into an error where it is known
    """An answer that began and did not end."""

    def __init__(self, why: str, response: httpx2.Response) -> None:
        super().__init__(why)
        self.response = response


def broken(account: Account, error: Exception) -> EngineError:
    """The error for a paid request that `error` of the transport ended."""
    host = urlsplit(account.base_url).netloc
    if isinstance(error, _UNSENT):
        message = f"{account.provider} can't be reached at `{host}`: {account.beginning(_reason(error))}"
        return EngineError(ErrorKind.TRANSIENT, message, hint="check the network")
    if isinstance(error, httpx2.ReadTimeout):
        return lost(account, f"none came within {account.timeout:g} seconds")
    known = request_id(account, _lower(error.response)) if isinstance(error, _CutOff) else ""
    return lost(account, account.beginning(_reason(error)), known)


def _lower(response: httpx2.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
