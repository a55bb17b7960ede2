"""Requests made one by one, and what fails on our side told as paid for once one was sent.

A disk that is full, a bug of an adapter, an answer of a shape that nobody foresaw: the builder must not take
that for a request which never left. Knows nothing of what went wrong.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator

from engines import protocol
from engines.hosted import web
from engines.hosted.account import Account
from engines.hosted.answer import BILLED, LOST, lost
from engines.protocol import Done, EngineError, ErrorKind, Request, Result


def one_by_one(
    requests: Iterable[Request], make: Callable[[Request], Done], account: Account, client: web.Client
) -> Iterator[Result]:
    """As `protocol.one_by_one`, for a `make` that sends its one paid request through `client`."""
    return protocol.one_by_one(requests, lambda request: _made(request, make, account, client))


def _made(request: Request, make: Callable[[Request], Done], account: Account, client: web.Client) -> Done:
    client.sent, client.answer = False, None
    try:
        done = make(request)
        protocol.encode(done)  # what can't be told to the builder is lost to it
    except EngineError:
        raise
    except Exception as error:
        if not client.sent:
            raise
        traceback.print_exception(error)
        raise _failure(account, client, error) from error
    return done


def _failure(account: Account, client: web.Client, error: Exception) -> EngineError:
    what = f"`{account.beginning(f'{type(error).__name__}: {error}')}`"
    if client.answer is None:
        return lost(account, f"artlock failed while it waited, {what}")
    known = web.answer(account, client.answer).request_id
    named = f" (request `{known}`)" if known else ""
    message = f"artlock failed over the answer of {account.provider}{named}: {what}. {LOST}"
    return EngineError(ErrorKind.INTERNAL, message, hint=BILLED)
