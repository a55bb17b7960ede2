"""The journal while a command runs: events in, rows out, each written as it happens.

Only what is restored in bulk is written in groups. Knows nothing of who tells. Nothing that goes wrong here
reaches a build: the journal gives up, and says so once.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from buildsys.errors import ArtlockError
from buildsys.journal import database
from buildsys.journal.run import Heading, RunRows, now
from buildsys.make.events import RequestFailed, RequestSpent, WorkerLost, WorkerStarted
from buildsys.make.failure import GateFailed
from buildsys.make.progress import (
    Action,
    ActionRecalled,
    ActionStarted,
    AssetDone,
    AssetFailed,
    AssetHandedOn,
    AssetsKept,
    AssetStarted,
    CandidateOut,
    Event,
    taken_up,
)
from buildsys.make.purse import UNBILLED, Withheld
from buildsys.manifest.cards import FINISH
from buildsys.plan.step import Step, Verdict, asset_of

_Group = TypeVar("_Group")

OUTSIDE: Final = "outside"
"""The error kind of an asset that failed before or after an engine, such as for a lost input."""

FROM_REMOTE: Final = "from the remote"
"""The message of an action that needed no engine because the remote had its result."""

_TROUBLE: Final = (sqlite3.Error, OSError, ArithmeticError, ValueError)
"""What a file, a disk or a value that an engine told can come to. Anything else is a bug of ours: it may end
a build, so that it is seen."""

_COUNTS: Final = {
    Verdict.BUILD: "built",
    Verdict.RESTORE: "restored",
    Verdict.FRESH: "fresh",
    Verdict.EDITED: "edited",
    Verdict.BLOCKED: "blocked",
}


class Journal:
    """One run's part of the journal; nothing is opened before the first event.

    Raises nothing, whatever an engine says and a disk does.

    Args:
        path: the database.
        heading: what the run is.
        secrets: texts that no row may hold, wherever they come from.
        free: engines that take no money, whatever comes of a request.
    """

    def __init__(
        self, path: Path, heading: Heading, secrets: Collection[str] = (), free: Collection[str] = ()
    ) -> None:
        self.trouble = ""
        """What a person should know of the journal itself."""
        self._path = path
        self._heading = heading
        self._secrets = list(secrets)
        self._free = free
        self._started = now(), time.monotonic()
        self._guard = threading.Lock()
        self._rows: RunRows | None = None
        self._closed = False
        self._taken: dict[str, AssetStarted] = {}
        self._asked: dict[tuple[str, str], ActionStarted] = {}
        self._failing: dict[tuple[str, str], str] = {}
        """Assets and engines of which a request failed, with what the build said of it."""
        self._workers: dict[int, int] = {}
        """The row of each process that said hello, by its number."""

    def note(self, event: Event) -> None:
        """Take in what happened. Called from several threads."""
        with self._guard:
            if self._closed:
                return
            try:
                if self._rows is None:
                    self._rows = RunRows(self._path, self._heading, self._secrets, self._started)
                    self.trouble = self._rows.note
                self._take(event, self._rows)
            except _TROUBLE as error:
                self._give_up(error)

    @contextmanager
    def asset(self, step: Step) -> Iterator[None]:
        """Take in an asset that is made outside a build."""
        self.note(taken_up(step))
        started = time.monotonic()
        try:
            yield
        except ArtlockError as error:
            blocked = isinstance(error, Withheld)
            failed = AssetFailed(name=step.name, message=error.message, hint=error.hint, blocked=blocked)
            self.note(failed)
            raise
        self.note(AssetDone(name=step.name, verdict=step.verdict, seconds=time.monotonic() - started))

    def at_once(self, groups: Iterable[_Group]) -> Iterator[_Group]:
        """Each of `groups`; what is told of one is written at once, or lost if the process is killed.

        For what took no money: of a build that restores ten thousand assets, a row at a time took a tenth.
        """
        for group in groups:
            self._say("BEGIN IMMEDIATE")
            try:
                yield group
            finally:
                self._say("COMMIT")

    def _say(self, statement: str) -> None:
        with self._guard:
            try:
                if self._rows is not None:
                    self._rows.write(statement)
            except _TROUBLE as error:
                self._give_up(error)

    def before(self, tell: Callable[[Event], None]) -> Callable[[Event], None]:
        """A listener that takes an event in, and passes it on to `tell`."""

        def both(event: Event) -> None:
            self.note(event)
            tell(event)

        return both

    def conceal(self, secret: str) -> None:
        """Let no row from now on hold `secret`. Called from several threads."""
        with self._guard:
            self._secrets.append(secret)

    def close(self, error: type[BaseException] | None = None) -> None:
        """End the run; `error` is what ended it too early, if anything did."""
        with self._guard:
            try:
                if self._rows is not None:
                    self._rows.end(error)
            except _TROUBLE as refusal:
                self._give_up(refusal)
            self._let_go()

    def _take(self, event: Event, rows: RunRows) -> None:  # noqa: C901 - one arm for each event
        match event:
            case WorkerStarted():
                self._hello(event, rows)
            case WorkerLost():
                rows.lose(self._workers.get(event.worker, 0), event.engine, event.kind, event.reason)
            case AssetStarted():
                self._taken[event.name] = event
            case ActionStarted():
                self._asked[event.name, event.engine] = event
            case ActionRecalled():
                told = FROM_REMOTE if event.remote else ""
                hit = {"engine": event.engine, "key": event.key, "version": "", "hit": 1, "message": told}
                rows.add("action", self._row(event.name, event.action) | hit)
            case RequestFailed():
                self._failing.setdefault((event.asset, event.engine), "")
            case RequestSpent():
                self._spent(event, rows)
            case AssetsKept():
                rows.count("fresh", event.fresh)
                rows.count("edited", event.edited)
            case AssetDone():
                rows.count(_COUNTS[event.verdict], 1)
            case AssetHandedOn() | CandidateOut():
                self._explain((event.name, event.engine), event.message, rows)
            case AssetFailed():
                rows.count("blocked" if event.blocked else "failed", 1)
                self._failed(event, rows)
            case _:
                pass

    def _hello(self, event: WorkerStarted, rows: RunRows) -> None:
        row = {
            "engine": event.engine,
            "device": event.device,
            "load_seconds": event.seconds,
            "confined": _json(event.confined),
        }
        self._workers[event.worker] = rows.add("worker", row)

    def _spent(self, event: RequestSpent, rows: RunRows) -> None:
        started = self._asked.pop((event.asset, event.engine), None)
        if started is None:
            # No action of an asset, but a measurement, such as when `reproduce` compares two pictures.
            return
        finish = started.action is Action.FINISH
        row = {
            "engine": event.engine,
            "key": started.key,
            "version": event.version,
            "environment": rows.environment(event.environment) if event.environment else None,
            "queue_seconds": event.queue_seconds,
            "load_seconds": event.load_seconds,
            "make_seconds": 0.0 if finish else event.make_seconds,
            "finish_seconds": event.make_seconds if finish else 0.0,
            "host_bytes": max(event.host_bytes, 0),
            "device_bytes": max(event.device_bytes, 0),
            "tries": event.tries,
            "error": event.error or "",
            "message": self._failing.get((event.asset, event.engine), "") if event.error else "",
            "cost": self._cost(event),
        }
        rows.add("action", self._row(started.name, started.action) | row)

    def _cost(self, event: RequestSpent) -> float | None:
        """What it took; None where nobody knows. A picture that was refused or lost may have been billed."""
        if event.error is None:
            return event.cost
        nothing = event.error in UNBILLED or event.engine in self._free or not event.tries
        return 0.0 if nothing else None

    def _failed(self, event: AssetFailed, rows: RunRows) -> None:
        # What an engine was passed over for is told already.
        failing = [key for key, told in self._failing.items() if asset_of(key[0]) == event.name and not told]
        if failing:
            for key in failing:
                self._explain(key, event.message, rows)
        elif event.name in self._taken and not event.blocked:
            derived = self._taken[event.name].engine == FINISH
            action, kind = Action.FINISH if derived else Action.GENERATE, OUTSIDE
            if event.kind == GateFailed.kind:
                action, kind = Action.JUDGE, event.kind
            outside = {"engine": "", "key": "", "version": "", "error": kind, "message": event.message}
            rows.add("action", self._row(event.name, action) | outside)

    def _explain(self, key: tuple[str, str], message: str, rows: RunRows) -> None:
        # The row of the request may be there already, or still to come.
        self._failing[key] = message
        rows.explain(*key, message)

    def _row(self, asset: str, action: Action) -> dict[str, Any]:
        """What every row of an action says."""
        taken = self._taken.get(asset_of(asset))
        return {
            "at": now(),
            "asset": asset,
            "action": action,
            "recipe": (taken.recipe if taken else None) or "",
            "verdict": taken.verdict if taken else "",
            "reasons": _json(taken.reasons if taken else ()),
        }

    def _give_up(self, error: Exception) -> None:
        self._let_go()
        self.trouble = f"the journal is not kept: {error}"
        if isinstance(error, sqlite3.Error) and database.damaged(error):
            try:
                database.put_aside(self._path)
            except OSError:
                return
            self.trouble = f"the journal was damaged ({error}); it is kept as `{database.ASIDE}`"

    def _let_go(self) -> None:
        self._closed = True
        rows, self._rows = self._rows, None
        try:
            if rows is not None:
                rows.close()
        except sqlite3.Error as error:
            self.trouble = self.trouble or f"the journal may lack this run: {error}"


def _json(value: Any) -> str:  # noqa: ANN401 - whatever JSON can carry
    return msgspec.json.encode(value).decode()
