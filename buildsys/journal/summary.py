"""The values of a report, which `--json` prints as they are.

Knows nothing of how they are summed up (`account`) or shown.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from buildsys.journal.spends import Spends

SCHEMA: Final = 1
"""Of the JSON value that `Account` becomes; raised when a program that reads it would break."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the journal is asked for."""

    last: int | None = None
    """The newest so many runs."""
    since: datetime | None = None
    """Runs that began then or later."""
    engine: str = ""


class EngineAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What one engine did."""

    engine: str
    made: int
    """Actions that it carried out: pictures, or finishings for `finish`."""
    failed: int
    retries: int
    """Tries beyond the first, whatever came of them."""
    hits: int
    """Actions that needed no engine: the store had the result."""
    median_seconds: float | None
    p95_seconds: float | None
    """At work on one; None where it made none."""
    queue_seconds: float
    load_seconds: float
    """Spent waiting by its actions, all together."""
    work_seconds: float
    loads: int
    """Processes that said hello."""
    median_load_seconds: float | None
    lost: int
    """Processes that died, hung or lied."""
    cost: float
    """US dollars, without what is unknown."""
    unknown: int
    """Actions of which nobody knows what they did cost."""
    saved_seconds: float
    saved_cost: float
    """What its hits would have taken: what the same action took when it was made, else the median."""
    host_bytes: int
    device_bytes: int
    """The most that a process of it had; 0: unknown."""


class EngineTime(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of one engine went in one run."""

    engine: str
    queue_seconds: float
    load_seconds: float
    make_seconds: float
    finish_seconds: float


class RunAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What one run did."""

    id: int
    started: str
    seconds: float | None
    """None where it has no end."""
    command: str
    profile: str
    jobs: int
    artlock: str
    python: str
    machine: str
    revision: str
    dirty: bool | None
    """Whether the work tree differed from that commit; None where nobody noted it."""
    ending: str
    """`done`, `failed`, `interrupted`, `killed`, or `running`."""
    built: int
    restored: int
    fresh: int
    edited: int
    blocked: int
    failed: int
    made: int
    hits: int
    cost: float
    unknown: int
    """As for an engine."""
    engines: tuple[EngineTime, ...]


class SlowAsset(msgspec.Struct, frozen=True, kw_only=True):
    """An asset's slowest making."""

    asset: str
    engine: str
    seconds: float
    """In engines, waiting left out."""
    run: int
    at: str


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An action that failed."""

    asset: str
    engine: str
    error: str
    message: str
    run: int
    at: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report."""

    schema: int
    runs: tuple[RunAccount, ...]
    """Newest first."""
    engines: tuple[EngineAccount, ...]
    """By the time that they worked, longest first."""
    slowest: tuple[SlowAsset, ...]
    failures: tuple[Failure, ...]
    """Newest first."""
    spends: Spends
