"""Candidates made: all of an asset at once, each measured and judged, and the best one adopted.

By `first` they are made one after the other, until one passes its gates, and none is measured.

An asset without candidates is the maker's alone. Called from several threads at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

import msgspec

from buildsys.errors import ArtlockError
from buildsys.files import write_durably
from buildsys.make.copies import Copies
from buildsys.make.entrants import Entrants, faults_of
from buildsys.make.failure import EngineFailed, GateFailed
from buildsys.make.gatekeeper import Gatekeeper
from buildsys.make.made import Engines
from buildsys.make.maker import Maker
from buildsys.make.pool import Stopped
from buildsys.make.progress import CandidateOut, Event
from buildsys.make.recording import relabelled
from buildsys.make.scoring import Scoring
from buildsys.manifest.candidates import FIRST
from buildsys.manifest.model import AssetName, Engine
from buildsys.plan import candidates
from buildsys.plan.candidates import Entrant
from buildsys.plan.record import Record
from buildsys.plan.step import Step
from buildsys.store.objects import Store
from engines.protocol import ErrorKind

Attempt: TypeAlias = tuple[Entrant, tuple[str, ...]] | EngineFailed
"""A candidate and the notes of its engine, or why it is out."""

SHEETS: Final = ".artlock/candidates"
"""Where the contact sheets lie, in the project."""

OUT: Final = frozenset({ErrorKind.REFUSED, ErrorKind.BAD_REQUEST})
"""Errors that belong to one candidate and come again, so that the others may do without it. After any
other, which one is the best would hang on luck: the asset fails, and the next build asks for the rest."""


class Candidates:
    """Makes and restores assets, as the maker does; of one with candidates, the best of them.

    Close it, or use `with`.

    Args:
        maker: makes one picture.
        gatekeeper: judges one.
        root: the project.
        store: where pictures lie, and what is known of them.
        measure: the engine that measures.
        engines: what runs an engine.
        inputs: a private folder for copies that engines read.
        threads: candidates under way at once, of all assets.
        tell: given each candidate that is out; called from several threads.
    """

    def __init__(  # noqa: PLR0913 - all named where it is made
        self,
        maker: Maker,
        gatekeeper: Gatekeeper,
        *,
        root: Path,
        store: Store,
        measure: Engine,
        engines: Engines,
        inputs: Path,
        threads: int,
        tell: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self._maker = maker
        self._gatekeeper = gatekeeper
        self._root = root
        self._store = store
        self._entrants = Entrants(store, measure.card.version)
        self._scoring = Scoring(measure, engines, self._entrants, Copies(store, inputs))
        # One for all assets: each has a thread of the build's own, which waits.
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="artlock-candidate")
        self._closed = False
        self._tell = tell

    def close(self) -> None:
        """Let the threads go: what has not begun by now never does."""
        self._closed = True
        # Nothing is cancelled: of a future that is cancelled before its turn, `wait` never hears.
        self._executor.shutdown(wait=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def restore(self, step: Step) -> Record | None:
        """Bring back what is known, or None where the bytes turn out to be lost."""
        return self._maker.restore(step)

    def make(self, step: Step) -> tuple[Record, tuple[str, ...]]:
        """Make an asset: its record, and notes for a person. Raises `MakeError`."""
        if not step.asset.candidates:
            return self._maker.make(step)
        entrants, notes, refusal = self._drawn(step)
        chosen = candidates.best(entrants, step.asset.choose)
        shown = self._show(step, entrants, chosen)
        if chosen is None or chosen.record is None:
            if refusal is not None and not any(one.record for one in entrants):
                raise refusal
            raise self._rejected(step, entrants, shown)
        record = relabelled(msgspec.structs.replace(chosen.record, candidate=chosen.number), step)
        # Named by what was asked for: the next build finds it without a look at the others.
        self._store.record_action(step.recipe or record.recipe, msgspec.to_builtins(record), sync=False)
        record = self._maker.adopt(step, record)
        return record, (*_told(step, entrants, chosen, shown), *dict.fromkeys(notes))

    def _drawn(self, step: Step) -> tuple[list[Entrant], list[str], EngineFailed | None]:
        """The candidates made, the notes of their engine, and the error of the first one that is out."""
        steps = candidates.each(step)
        entrants: list[Entrant] = []
        notes: list[str] = []
        refusal: EngineFailed | None = None
        for one, done in self._one_by_one(steps) if step.asset.choose == FIRST else self._at_once(steps):
            if isinstance(done, EngineFailed):
                refusal = refusal or done
                self._tell(CandidateOut(name=one.label, engine=one.asset.engine, message=done.message))
                entrants.append(self._entrants.one(one, message=done.message))
            else:
                entrants.append(done[0])
                notes += done[1]
        return entrants, notes, refusal

    def _one_by_one(self, steps: Sequence[Step]) -> Iterator[tuple[Step, Attempt]]:
        """Until one passes: what comes after it is neither drawn nor paid for."""
        for step in steps:
            done = self._attempt(step, scored=False)
            yield step, done
            if not isinstance(done, EngineFailed) and not done[0].faults:
                return

    def _at_once(self, steps: Sequence[Step]) -> Iterator[tuple[Step, Attempt]]:
        try:
            asked = [self._executor.submit(self._attempt, step, scored=True) for step in steps]
        except RuntimeError:
            self._check_open()  # it was closed meanwhile, or no thread could be started
            raise
        # All of them, whatever becomes of one: the others may be paid for already.
        wait(asked)
        if error := _worst(asked):
            raise error
        yield from zip(steps, (future.result() for future in asked), strict=True)

    def _check_open(self) -> None:
        """Raise `Stopped` once it is closed."""
        if self._closed:
            raise Stopped("the build was stopped")

    def _attempt(self, step: Step, *, scored: bool) -> Attempt:
        self._check_open()
        try:
            record, notes = self._maker.draw(step)
        except EngineFailed as error:
            if error.kind in OUT:
                return error
            raise
        if scored:
            self._scoring.measure(step, record.picture)
        faults = faults_of(self._gatekeeper.judge(step, record.picture))
        return msgspec.structs.replace(self._entrants.one(step, record), faults=faults), notes

    def _rejected(self, step: Step, entrants: Sequence[Entrant], shown: str) -> GateFailed:
        fact = f"none of the {len(entrants)} candidates of `{step.name}` passed its gates"
        lines = [f"  {one.number}: {'; '.join(one.faults) or one.message}" for one in entrants]
        told = "\n".join([fact, *lines])
        hint = self._gatekeeper.remember(step, told)  # without the sheet: another checkout has none
        return GateFailed(told + (f"\nthe sheet lies at `{shown}`" if shown else ""), hint)

    def _show(self, step: Step, entrants: Sequence[Entrant], chosen: Entrant | None) -> str:
        """Put the contact sheet where a person finds it: its path, empty where there is none."""
        place = sheet_of(step.name)
        try:
            write_durably(self._root / place, self._scoring.sheet(step, entrants, chosen))
        except Stopped:
            raise
        except ArtlockError:
            return ""  # what was made is none the worse without it
        return place


def sheet_of(name: AssetName) -> str:
    """Where the contact sheet of an asset lies, relative to the project."""
    return f"{SHEETS}/{name}.png"


def _worst(asked: Sequence[Future[Attempt]]) -> BaseException | None:
    """The error to end with, if any: a stop before all others, and then the first."""
    found = [error for future in asked if (error := future.exception()) is not None]
    return next((error for error in found if isinstance(error, Stopped)), found[0] if found else None)


def _told(step: Step, entrants: Sequence[Entrant], chosen: Entrant, shown: str) -> tuple[str, ...]:
    out = len(entrants) - sum(one.record is not None and not one.faults for one in entrants)
    told = f"candidate {chosen.number} of {step.asset.candidates} was chosen"
    told += f", {out} out" if out else ""
    return (told + (f": see `{shown}`" if shown else ""),)
