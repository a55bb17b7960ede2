"""What happens while engines work, told to whoever shows it.

Knows nothing of terminals, and nothing of the pool that tells it.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from engines.protocol import ErrorKind


class WorkerStarted(msgspec.Struct, frozen=True):
    """An engine process said hello."""

    engine: str
    seconds: float
    """How long it took to load."""


class WorkerLost(msgspec.Struct, frozen=True):
    """An engine process died, hung or broke the protocol, and was ended with its whole tree."""

    engine: str
    reason: str


class RequestStarted(msgspec.Struct, frozen=True):
    """A request was sent to an engine."""

    engine: str
    asset: str


class StepMade(msgspec.Struct, frozen=True):
    """An engine said how far a request is."""

    engine: str
    asset: str
    step: int
    steps: int


class RequestDone(msgspec.Struct, frozen=True):
    """A request's picture was handed over and found fit."""

    engine: str
    asset: str
    seconds: float
    """Since it was sent."""


class RequestFailed(msgspec.Struct, frozen=True):
    """A request failed and is not tried again."""

    engine: str
    asset: str
    kind: ErrorKind


Event: TypeAlias = WorkerStarted | WorkerLost | RequestStarted | StepMade | RequestDone | RequestFailed
