"""What happens while engines work, told to whoever shows it.

Knows nothing of terminals, and nothing of the pool that tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from engines.protocol import ErrorKind


class WorkerLoading(msgspec.Struct, frozen=True):
    """A worker began to load, or one that did has loaded, was lost, or was told to end."""

    engine: str
    device: str = ""
    """Its device; empty where its adapter needs none."""
    loading: int = 1
    """So many workers of the engine load now; 0: none any more."""


class WorkerStarted(msgspec.Struct, frozen=True):
    """An engine process said hello."""

    engine: str
    seconds: float
    """How long it took to load."""
    device: str = ""
    """The device that it owns; empty where its adapter needs none."""
    version: str = ""
    """Of its adapter."""
    environment: Mapping[str, str] = {}
    confined: tuple[str, ...] = ()
    """What holds the process; see `engines.protocol.Hello`."""
    worker: int = 0
    """The number of the process in this run; 0: unknown."""


class WorkerLost(msgspec.Struct, frozen=True):
    """An engine process died, hung or broke the protocol, and was ended with its whole tree."""

    engine: str
    reason: str
    kind: ErrorKind = ErrorKind.INTERNAL
    worker: int = 0
    """As `WorkerStarted` told it, if it came so far."""


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


class RequestPutOff(msgspec.Struct, frozen=True):
    """A request failed and will be tried again."""

    engine: str
    asset: str
    kind: ErrorKind
    seconds: float
    """From now until then, at the earliest."""


class RequestSpent(msgspec.Struct, frozen=True, kw_only=True):
    """What a request took in all its tries, told once it is done or has failed and its batch has ended."""

    engine: str
    asset: str
    version: str
    """Of the adapter."""
    device: str = ""
    environment: Mapping[str, str] = {}
    """What the worker that had it last makes pictures with; empty where none ever had it."""
    tries: int = 1
    queue_seconds: float = 0.0
    """Waiting for a worker that was busy, for a device, or for a limit."""
    load_seconds: float = 0.0
    """Waiting for a worker to load."""
    make_seconds: float = 0.0
    """At work on it; of a batch, its share."""
    host_bytes: int = 0
    """The most main memory that its process had so far; 0: unknown."""
    device_bytes: int = 0
    cost: float | None = None
    """US dollars."""
    error: ErrorKind | None = None
    """None where it was made."""


Event: TypeAlias = (
    WorkerLoading
    | WorkerStarted
    | WorkerLost
    | RequestStarted
    | StepMade
    | RequestDone
    | RequestFailed
    | RequestPutOff
    | RequestSpent
)
