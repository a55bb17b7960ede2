"""One build: carries out a plan's steps, and keeps account of what became of each.

Knows nothing of the lock's file or of terminals: records go to `publish`, news to `tell`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeAlias

import msgspec

from buildsys.digest import Digest
from buildsys.errors import ArtlockError, MakeError
from buildsys.make import schedule
from buildsys.make.failure import EngineFailed, GateFailed
from buildsys.make.pool import Stopped
from buildsys.make.progress import AssetDone, AssetFailed, AssetsKept, Event, recalled, taken_up
from buildsys.make.purse import Withheld
from buildsys.make.recording import relabelled
from buildsys.make.succession import Judges, Makes, Succession
from buildsys.make.supply import NOBODY, Supply
from buildsys.manifest.model import AssetName
from buildsys.manifest.references import sources
from buildsys.plan.record import Record
from buildsys.plan.standins import blocked_told
from buildsys.plan.step import Plan, Step, Verdict
from engines.protocol import ErrorKind

DRAIN_SECONDS: Final = 10.0
"""How long an interrupted build waits for what is being stored. An engine is never waited for."""

Bulk: TypeAlias = Callable[[Collection[Step]], Iterable[Collection[tuple[Step, Record]]]]
"""See `buildsys.make.restoring`."""


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that was not made."""

    name: AssetName
    message: str
    hint: str = ""
    kind: str = ""
    """Of the engine's error; empty where no engine is to blame."""
    log: str = ""
    """The last lines of the engine's log, where they may tell the cause."""
    blocked: bool = False


class Standin(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that another engine made than the one asked for."""

    name: AssetName
    engine: str
    instead_of: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every asset that was asked for; names in the plan's order."""

    built: tuple[AssetName, ...] = ()
    restored: tuple[AssetName, ...] = ()
    fresh: tuple[AssetName, ...] = ()
    edited: tuple[AssetName, ...] = ()
    blocked: tuple[Failed, ...] = ()
    failed: tuple[Failed, ...] = ()
    standins: tuple[Standin, ...] = ()
    """Of those built, restored or fresh."""
    remote: tuple[AssetName, ...] = ()
    """Of those restored, what came from the remote in this build."""
    poisoned: Mapping[Digest, str] = {}
    """What the remote has with other bytes than those of its name, and where; it was refused."""
    seconds: float = 0.0


class Build:
    """Carries out one plan.

    Args:
        plan: what to do.
        judge: the judge that drew it up, asked again where inputs were not made yet.
        maker: makes and restores.
        lose: told of bytes that were believed to be restorable, and are not.
        publish: given each record as soon as its file is in place.
        tell: given each event; called from several threads.
        bulk: brings back at once, before any other step, those of some steps that need nothing else.
        supply: asked for what this machine lacks, once a step's recipe is known.
        locked: the lock may not change, so no other engine may make what the lock has from one.
    """

    def __init__(  # noqa: PLR0913 - all named where a build is made
        self,
        *,
        plan: Plan,
        judge: Judges,
        maker: Makes,
        lose: Callable[[Digest], None],
        publish: Callable[[Record], None],
        tell: Callable[[Event], None],
        bulk: Bulk = lambda _: (),
        supply: Supply = NOBODY,
        locked: bool = False,
    ) -> None:
        self._plan = plan
        self._judge = judge
        self._bulk = bulk
        self._supply = supply
        self._succession = Succession(judge, maker, lose=lose, supply=supply.bring, tell=tell, locked=locked)
        self._publish = publish
        self._tell = tell
        self._standins: dict[AssetName, Standin] = {}
        self._remote: set[AssetName] = set()
        self._verdicts: dict[AssetName, Verdict] = {}
        self._failures: dict[AssetName, Failed] = {}
        self._bugs: list[Exception] = []
        self._active = 0
        self._stopped = False
        self._quiet = threading.Condition()

    def run(self, threads: int, stop: Callable[[], None]) -> Outcome:
        """Carry it out. An interrupt calls `stop`, waits for what is being stored, and is raised again."""
        started = time.monotonic()
        fresh, edited = (len(self._plan.having(verdict)) for verdict in (Verdict.FRESH, Verdict.EDITED))
        self._tell(AssetsKept(fresh=fresh, edited=edited))
        for step in self._plan.having(Verdict.FRESH, Verdict.EDITED):
            self._note(step)
            self._relabel(step)
        for step in self._plan.having(Verdict.BLOCKED):
            self._block(step)
        doable = self._plan.having(Verdict.BUILD, Verdict.RESTORE)
        try:
            done = self._restore_in_bulk(doable)
            if left := [step for step in doable if step.name not in done]:
                schedule.run(schedule.tasks(left, self.make, everything=False), threads)
        except BaseException:
            # First: doit's threads outlive its loop, and would take up one asset after the other.
            with self._quiet:
                self._stopped = True
            stop()
            self._drain()
            raise
        if self._bugs:
            raise self._bugs[0]
        self._blame_upstream(doable)
        return self._outcome(time.monotonic() - started)

    def _restore_in_bulk(self, steps: Collection[Step]) -> set[AssetName]:
        """Bring back what needs nothing made; the names of what is done with."""
        done: set[AssetName] = set()
        started = time.monotonic()
        for found in self._bulk(steps):
            seconds = (time.monotonic() - started) / max(len(found), 1)
            for step, record in found:
                self._tell(taken_up(step))
                self._tell(recalled(step, record, self._supply))
                done.add(step.name)
                try:
                    self._take_in(step, record, seconds)
                except ArtlockError as error:
                    self._fail(step.name, error)
            started = time.monotonic()
        return done

    def make(self, name: AssetName) -> None:
        """Carry out one step; raises `ArtlockError` where the asset can't be made."""
        with self._quiet:
            if self._stopped:
                raise Stopped("the build was stopped")
            self._active += 1
        try:
            self._carry_out(name)
        except Stopped:
            # Nobody's failure, and the interrupt has its own last word.
            raise
        except Withheld as error:
            self._leave_out(Failed(name=name, message=error.message, hint=error.hint, blocked=True))
            raise
        except ArtlockError as error:
            self._fail(name, error)
            raise
        except Exception as bug:
            self._bugs.append(bug)
            self._fail(name, MakeError(f"{type(bug).__name__}: {bug}"))
            raise
        finally:
            with self._quiet:
                self._active -= 1
                self._quiet.notify_all()

    def _carry_out(self, name: AssetName) -> None:
        started = time.monotonic()
        step = self._plan.steps[name]
        if step.parts is None:
            # It waited for what it is made from; now its recipe is known, and may prove it fresh.
            step = self._judge.step(name)
            if self._supply.bring(step):
                step = self._judge.step(name)
        self._tell(taken_up(step))
        step, record, notes = self._succession.carry_out(step)
        if step.verdict is Verdict.BLOCKED:
            self._block(step)
            raise MakeError(blocked_told(step), step.reasons[0].hint)
        self._take_in(step, record, time.monotonic() - started, notes)

    def _take_in(
        self, step: Step, record: Record | None, seconds: float, notes: tuple[str, ...] = ()
    ) -> None:
        """Note and tell what came of a step, for those that are made from it as well. Raises `MakeError`."""
        if record is not None:
            self._publish(record)
        self._relabel(step)
        self._judge.settle(step, record.picture.file if record else None)
        self._note(step)
        restored = record if step.verdict is Verdict.RESTORE else None
        remote = restored is not None and self._supply.brought(restored.picture.file)
        if remote:
            self._remote.add(step.name)
        self._tell(
            AssetDone(name=step.name, verdict=step.verdict, seconds=seconds, notes=notes, remote=remote)
        )

    def _note(self, step: Step) -> None:
        self._verdicts[step.name] = step.verdict
        if step.instead_of and step.verdict is not Verdict.EDITED:
            self._standins[step.name] = Standin(
                name=step.name, engine=step.asset.engine, instead_of=step.instead_of
            )

    def _relabel(self, step: Step) -> None:
        """Keep the names in the record of a fresh asset true: its engine or its source may have a new one."""
        if step.verdict is Verdict.FRESH and step.recorded is not None:
            record = relabelled(step.recorded, step)
            if record != step.recorded:
                self._publish(record)

    def _block(self, step: Step) -> None:
        self._verdicts[step.name] = Verdict.BLOCKED
        hint = step.reasons[0].hint
        self._leave_out(Failed(name=step.name, message=blocked_told(step), hint=hint, blocked=True))

    def _leave_out(self, failed: Failed) -> None:
        self._failures[failed.name] = failed
        self._tell(AssetFailed(name=failed.name, message=failed.message, hint=failed.hint, blocked=True))

    def _fail(self, name: AssetName, error: ArtlockError) -> None:
        if name not in self._failures:
            kind = error.kind if isinstance(error, EngineFailed | GateFailed) else ""
            self._failures[name] = Failed(
                name=name, message=error.message, hint=error.hint, kind=kind, log=_last_lines(error)
            )
            self._tell(AssetFailed(name=name, message=error.message, hint=error.hint, kind=kind))

    def _blame_upstream(self, doable: Collection[Step]) -> None:
        """Say why doit left alone what is made from a failed asset."""
        for step in doable:
            if step.name in self._verdicts or step.name in self._failures:
                continue
            source = next(
                (item.asset for item in sources(step.asset).values() if item.asset in self._failures), ""
            )
            cause = self._failures.get(AssetName(source))
            if cause is not None and cause.blocked:
                message = f"made from `{source}`, which is blocked"
                self._leave_out(msgspec.structs.replace(cause, name=step.name, message=message))
            else:
                self._fail(
                    step.name, MakeError(f"made from `{source}`, which failed", f"mend `{source}` first")
                )

    def _drain(self) -> None:
        """Wait until no thread is between storing a result and publishing it."""
        with self._quiet:
            self._quiet.wait_for(lambda: self._active == 0, timeout=DRAIN_SECONDS)

    def _outcome(self, seconds: float) -> Outcome:
        def having(verdict: Verdict) -> tuple[AssetName, ...]:
            return tuple(name for name in self._plan.steps if self._verdicts.get(name) is verdict)

        failures = [self._failures[name] for name in self._plan.steps if name in self._failures]
        return Outcome(
            built=having(Verdict.BUILD),
            restored=having(Verdict.RESTORE),
            fresh=having(Verdict.FRESH),
            edited=having(Verdict.EDITED),
            blocked=tuple(item for item in failures if item.blocked),
            failed=tuple(item for item in failures if not item.blocked),
            standins=tuple(self._standins[name] for name in self._plan.steps if name in self._standins),
            remote=tuple(name for name in self._plan.steps if name in self._remote),
            poisoned=self._supply.refused(),
            seconds=seconds,
        )


def _last_lines(error: ArtlockError) -> str:
    """What an engine wrote last, where it died or broke; not where it said itself what is wrong."""
    if isinstance(error, EngineFailed) and (error.lost or error.kind is ErrorKind.INTERNAL):
        return error.log_tail
    return ""
