"""The rows of the journal as values, read back and checked: any program may have written there.

Knows nothing of what is made of them. Reads while a build writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import msgspec

from buildsys.journal import database
from buildsys.journal.presence import lives

Amount: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
"""Seconds or US dollars. No run takes 30,000 years: beyond that the sums would overflow."""
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Bytes: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Moment: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,6})?Z$")
]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    id: int
    started: Moment
    ended: str | None
    command: str
    profile: str
    jobs: Count
    artlock: str
    python: str
    machine: str
    revision: str
    process: int
    built: Count
    restored: Count
    fresh: Count
    edited: Count
    blocked: Count
    failed: Count
    seconds: Amount | None
    ending: str | None
    """None: it goes on, or it was killed."""
    dirty: Count | None = None
    """Whether a tracked file differed from the commit when it began; None where nobody noted it."""
    alive: bool = False
    """Whether it goes on as far as one can tell, where it has no ending."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One action of an asset."""

    run: int
    at: Moment
    asset: str
    action: str
    key: str
    recipe: str
    engine: str
    queue_seconds: Amount
    load_seconds: Amount
    make_seconds: Amount
    finish_seconds: Amount
    host_bytes: Bytes
    device_bytes: Bytes
    tries: Count
    error: str
    message: str
    cost: Amount | None
    hit: Count

    @property
    def work_seconds(self) -> float:
        """At work on it, in an engine."""
        return self.make_seconds + self.finish_seconds

    @property
    def made(self) -> bool:
        """Whether an engine did it."""
        return not self.hit and not self.error


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """One engine process."""

    run: int
    engine: str
    device: str
    load_seconds: Amount | None
    lost_kind: str
    lost_reason: str


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """All that a journal holds, oldest first."""

    runs: tuple[Run, ...] = ()
    actions: tuple[Action, ...] = ()
    workers: tuple[Worker, ...] = ()


class Unreadable(Exception):  # noqa: N818 - as in a sentence: the journal is unreadable
    """There is a journal, and it can't be read; the text says why, as half a sentence."""


_RUN: Final = tuple(name for name in Run.__struct_fields__ if name != "alive")


def read(path: Path) -> Rows | None:
    """Everything in the journal at `path`, or None where there is none. Raises `Unreadable`."""
    try:
        database.refuse_odd(path)
        if not path.exists():
            return None
        with closing(database.open_to_read(path)) as connection:
            # One moment for all three, while a build goes on.
            connection.execute("BEGIN")
            rows = msgspec.convert(
                {
                    "runs": _all(connection, "run", _RUN),
                    "actions": _all(connection, "action", Action.__struct_fields__),
                    "workers": _all(connection, "worker", Worker.__struct_fields__),
                },
                Rows,
            )
        for run in rows.runs:
            datetime.fromisoformat(run.started)
    except database.Odd as error:
        raise Unreadable(f"it {error}") from None
    except database.Foreign:
        raise Unreadable("it was written by another version of artlock") from None
    except (sqlite3.Error, OSError, ValueError) as error:
        raise Unreadable(f"it is damaged or out of reach ({error})") from error
    runs = tuple(
        msgspec.structs.replace(run, alive=run.ending is None and lives(path, run.process))
        for run in rows.runs
    )
    return msgspec.structs.replace(rows, runs=runs)


def last_made(path: Path) -> Mapping[str, Action]:
    """The last making of each picture that the journal at `path` knows, by the key of its generate action.

    Nothing where it can't be read: the numbers are a courtesy.
    """
    try:
        rows = read(path)
    except Unreadable:
        return {}
    return {row.key: row for row in rows.actions if row.made} if rows else {}


def _all(connection: sqlite3.Connection, table: str, names: tuple[str, ...]) -> list[dict[str, object]]:
    # Of an older journal, which is not ours to mend while we read, a column may lack: `Rows` says which may.
    known = database.columns(connection, table)
    there = [name for name in names if name in known]
    found = connection.execute(f"SELECT {', '.join(there)} FROM {table} ORDER BY id")  # noqa: S608 - names of ours
    return [dict(zip(there, row, strict=True)) for row in found]
