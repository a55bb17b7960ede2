"""One run's rows: opens the journal, adds to it, ends the run.

Knows nothing of events. Raises what SQLite and the disk say; `keeper` bears it.
"""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from sqlite3 import Cursor
from typing import Any, Final

import msgspec

from buildsys import __version__, digest, git
from buildsys.digest import Digest
from buildsys.errors import GitError
from buildsys.files import make_folder
from buildsys.journal import database
from buildsys.journal.presence import Presence

KEPT_ACTIONS: Final = 100_000
KEPT_RUNS: Final = 2_000
"""The most rows that outlive the start of a run; the oldest runs go first."""

_LARGEST: Final = 2**63 - 1
"""What SQLite can hold."""

MASK: Final = "[key]"
_SHORTEST_SECRET: Final = 6


class Ending(StrEnum):
    """How a run ended, in its own words; one without an ending was killed."""

    DONE = "done"
    FAILED = "failed"
    """An asset failed or was blocked, or an error ended it."""
    INTERRUPTED = "interrupted"


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is."""

    command: str
    profile: str = ""
    jobs: int = 0


class RunRows:
    """The rows of one run. Raises `sqlite3.Error`, `OSError`.

    Args:
        path: the database.
        heading: what the run is.
        secrets: texts that no row may hold, wherever they come from; more may be added later.
        started: when it began, by the clock on the wall and by the monotonic one.
    """

    def __init__(
        self, path: Path, heading: Heading, secrets: Collection[str], started: tuple[str, float]
    ) -> None:
        self._secrets = secrets
        self._started = started[1]
        self._environments: dict[Digest, int] = {}
        make_folder(path.parent)
        self._presence = Presence(path)
        try:
            self._connection, self.note = database.open_to_write(path)
        except BaseException:
            self._presence.end()
            raise
        try:
            self._prune()
            self._id = self._head(path.parent.parent, heading, started[0])
        except BaseException:
            self.close()
            raise

    def _head(self, root: Path, heading: Heading, started: str) -> int:
        system = os.uname()
        return self.insert(
            "run",
            {
                "started": started,
                "command": heading.command,
                "profile": heading.profile,
                "jobs": heading.jobs,
                "artlock": __version__,
                "python": platform.python_version(),
                "machine": f"{system.sysname} {system.release} {system.machine}",
                "process": os.getpid(),
                **_place_in_history(root),
            },
        )

    def _prune(self) -> None:
        """Keep the newest rows. By their numbers, which rise: counting them would read the whole table."""
        found = self.write(
            "SELECT run FROM action WHERE id <= (SELECT max(id) FROM action) - ? ORDER BY id DESC LIMIT 1",
            (KEPT_ACTIONS,),
        ).fetchone()
        (newest,) = self.write("SELECT coalesce(max(id), 0) FROM run").fetchone()
        last = max(found[0] if found else 0, newest - KEPT_RUNS)
        if self.write("SELECT 1 FROM run WHERE id <= ? LIMIT 1", (last,)).fetchone():
            self.write("DELETE FROM action WHERE run <= ?", (last,))
            self.write("DELETE FROM worker WHERE run <= ?", (last,))
            self.write("DELETE FROM run WHERE id <= ?", (last,))
            self.write(
                "DELETE FROM environment WHERE id NOT IN "
                "(SELECT environment FROM action WHERE environment IS NOT NULL)"
            )

    def add(self, table: str, row: Mapping[str, Any]) -> int:
        """Add a row of this run, and return its number."""
        return self.insert(table, {"run": self._id, **row})

    def insert(self, table: str, row: Mapping[str, Any]) -> int:
        """Add a row, and return its number."""
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        values = [self._fitting(value) for value in row.values()]
        done = self.write(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)  # noqa: S608 - names of ours
        return done.lastrowid or 0

    def _fitting(self, value: Any) -> Any:  # noqa: ANN401 - of any column
        """`value` as a column can hold it: one that can't is an engine's, and no reason to lose the row."""
        match value:
            case str():
                return self.clean(value)
            case int():
                return max(-_LARGEST, min(value, _LARGEST))
            case float() if not math.isfinite(value):
                return 0.0
            case _:
                return value

    def count(self, what: str, number: int) -> None:
        """Add to one of the run's counts."""
        if number:
            self.write(f"UPDATE run SET {what} = {what} + ? WHERE id = ?", (number, self._id))  # noqa: S608 - a column's name, of ours

    def lose(self, worker: int, engine: str, kind: str, reason: str) -> None:
        """Note the loss of the worker in row `worker`; 0: of one that has none, for it never said hello."""
        loss = {"lost_kind": kind, "lost_reason": self.clean(reason)}
        if worker:
            self.write(
                "UPDATE worker SET lost_kind = ?, lost_reason = ? WHERE id = ?", (*loss.values(), worker)
            )
        else:
            self.add("worker", {"engine": engine, "device": "", "confined": "[]", **loss})

    def explain(self, asset: str, engine: str, message: str) -> None:
        """Note why the requests of an asset to an engine failed, where their rows are there already."""
        self.write(
            "UPDATE action SET message = ? WHERE run = ? AND asset = ? AND engine = ? AND error != ''",
            (self.clean(message), self._id, self.clean(asset), self.clean(engine)),
        )

    def environment(self, value: Mapping[str, str]) -> int:
        """The number of an environment: each is kept once, however many rows name it."""
        text = self.clean(digest.canonical(dict(value)).decode("utf-8", "replace"))
        name = digest.of_bytes(text.encode())
        if name not in self._environments:
            self.write("INSERT OR IGNORE INTO environment (digest, value) VALUES (?, ?)", (name, text))
            found = self.write("SELECT id FROM environment WHERE digest = ?", (name,)).fetchone()
            self._environments[name] = found[0]
        return self._environments[name]

    def end(self, error: type[BaseException] | None) -> None:
        """Say how the run ended; `error` is what ended it too early, if anything did."""
        early = "" if error is None else Ending.FAILED
        if error is not None and issubclass(error, KeyboardInterrupt):
            early = Ending.INTERRUPTED
        self.write(
            "UPDATE run SET ended = ?1, seconds = ?2, "
            "ending = CASE WHEN ?3 != '' THEN ?3 WHEN blocked + failed THEN ?4 ELSE ?5 END WHERE id = ?6",
            (now(), time.monotonic() - self._started, early, Ending.FAILED, Ending.DONE, self._id),
        )

    def close(self) -> None:
        """Let go of the file."""
        try:
            self._connection.close()
        finally:
            self._presence.end()

    def write(self, statement: str, values: Collection[Any] = ()) -> Cursor:
        """Carry out one statement, which is a transaction of its own."""
        return self._connection.execute(statement, tuple(values))

    def clean(self, text: str) -> str:
        """`text` as SQLite can hold it, without a key: an engine's complaint may quote the one it got."""
        for secret in self._secrets:
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, MASK)
        return text.encode("utf-8", "replace").decode()


def now() -> str:
    """This moment in ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _place_in_history(root: Path) -> dict[str, str | int | None]:
    """The commit that the checkout is at, and whether a file that git tracks is another by now.

    Empty and None where there is no commit, or git does not tell. A file that git does not track is new
    work, and no change to what was committed: `git describe --dirty` says so, too.
    """
    try:
        if git.is_repository(root):
            commit = git.commit(root, "HEAD")
            changes = git.run(root, "status", "--porcelain", "--untracked-files=no")
            return {"revision": commit, "dirty": int(bool(changes))}
    except GitError:
        pass
    return {"revision": "", "dirty": None}
