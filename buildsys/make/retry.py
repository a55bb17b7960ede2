"""Whether what failed is tried again, and when: the rule by the kind of the error.

Knows nothing of queues and processes. What ran out of memory follows `relief` first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from buildsys.make.failure import EngineFailed
from buildsys.manifest.model import Engine
from engines.protocol import ErrorKind

_TRIES: Final = {
    ErrorKind.INTERNAL: 2,
    ErrorKind.TRANSIENT: 2,
    ErrorKind.RATE_LIMITED: 5,
    ErrorKind.OUT_OF_MEMORY: 2,
}
"""Tries in all, by kind. What is not here fails the same way every time, whatever a manifest says."""

_TRIES_OUTSIDE: Final = {**_TRIES, ErrorKind.TRANSIENT: 3}
"""For an adapter that goes out: what is between here and a provider fails more often than a disk."""

_MAY_BE_PAID: Final = {ErrorKind.INTERNAL, ErrorKind.OUT_OF_MEMORY}
"""Kinds that say nothing of how far it came: an engine with a key may have paid for it by then."""

_LONGEST: Final = 60.0

LONGEST_WAIT: Final = 15 * 60.0
"""Seconds. What a provider may ask for and get: a person who builds should rather hear of more."""

_WAITED_FOR: Final = (ErrorKind.RATE_LIMITED, ErrorKind.TRANSIENT)
_HOUR: Final = 60


def tries_of(engine: Engine, kind: ErrorKind) -> int:
    """How often a request of `engine` that fails by `kind` is tried, in all."""
    defaults = _TRIES_OUTSIDE if engine.card.network else _TRIES
    return engine.limits.tries.get(kind, defaults[kind]) if kind in defaults else 1


def wait_for(engine: Engine, error: EngineFailed, failures: Sequence[ErrorKind]) -> float | None:
    """Seconds until a request should be tried again, or None where it has failed for good.

    Args:
        engine: whose limits hold.
        error: why it failed now.
        failures: the kinds of all its failures, this one included.
    """
    if engine.card.keys and error.kind in _MAY_BE_PAID:
        return None
    return _wait(engine, error, failures)


def _wait(engine: Engine, error: EngineFailed, failures: Sequence[ErrorKind]) -> float | None:
    times = failures.count(error.kind)
    if error.kind is ErrorKind.INTERNAL and not error.lost:
        return None  # a bug that the adapter survived will be there the next time
    if times >= tries_of(engine, error.kind):
        return None
    if (error.retry_after or 0.0) > LONGEST_WAIT:
        return None
    if error.kind is ErrorKind.RATE_LIMITED or (error.kind is ErrorKind.TRANSIENT and not error.lost):
        return max(backoff(times), error.retry_after or 0.0)
    return 0.0


def wait_to_load(engine: Engine, error: EngineFailed, failures: Sequence[ErrorKind]) -> float | None:
    """The same for an engine that could not load: what it says of itself then, it will say again."""
    return None if error.kind is ErrorKind.INTERNAL else _wait(engine, error, failures)


def told(error: EngineFailed) -> EngineFailed:
    """`error`, with the wait that was asked for where nobody waits that long."""
    seconds = error.retry_after or 0.0
    if seconds <= LONGEST_WAIT or error.kind not in _WAITED_FOR:
        return error
    minutes = math.ceil(seconds / 60)
    wait = f"{minutes} min" if minutes <= _HOUR else f"{math.ceil(minutes / _HOUR)} h"
    return EngineFailed(
        f"{error.message}: it asks to wait {wait}",
        f"build again in {wait}",
        kind=error.kind,
        host_bytes=error.host_bytes,
        log_tail=error.log_tail,
        retry_after=error.retry_after,
        lost=error.lost,
    )


def backoff(times: int) -> float:
    """Seconds to wait after `times` failures: 1, 2, 4 and so on up to 60, and up to one by chance.

    By chance, or all who were refused together would come back together.
    """
    import tenacity  # noqa: PLC0415 - 60 ms that only a failure may cost

    state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    state.attempt_number = times
    return tenacity.wait_exponential_jitter(max=_LONGEST)(state)
