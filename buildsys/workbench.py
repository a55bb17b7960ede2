"""The workbench: what a build needs, opened in order and closed whatever ends it.

Knows nothing of terminals: it tells what happens through events.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import FrameType, TracebackType
from typing import Self

from buildsys import files, renaming
from buildsys.errors import MakeError
from buildsys.journal.database import NAME as JOURNAL
from buildsys.journal.keeper import Journal
from buildsys.journal.run import Heading
from buildsys.ledger import Ledger
from buildsys.locked import changes
from buildsys.lookup import Lookup
from buildsys.make import gatekeeper, schedule
from buildsys.make.build import Build, Failed, Outcome
from buildsys.make.candidates import Candidates
from buildsys.make.maker import Maker
from buildsys.make.pool import Pool
from buildsys.make.progress import Event, JournalTrouble
from buildsys.make.purse import Purse
from buildsys.make.restoring import Restoring, keep_moving
from buildsys.manifest.cards import MEASURE
from buildsys.manifest.model import AssetName
from buildsys.plan import price
from buildsys.plan.judge import Judge, Wishes
from buildsys.plan.placeholder import placeholder
from buildsys.plan.step import Plan, Step, Verdict, Why
from buildsys.session import LOCK, PRIVATE, Session


def build(  # noqa: PLR0913 - all named where a build is asked for
    session: Session,
    names: Collection[AssetName] | None = None,
    *,
    wishes: Wishes | None = None,
    jobs: int = 0,
    tell: Callable[[Event], None] = lambda _: None,
    planned: Callable[[Plan], None] = lambda _: None,
    placeholders: bool = False,
    budget: float | None = None,
    remote: bool = True,
) -> tuple[Outcome, tuple[AssetName, ...]]:
    """Make what is stale, and write the lock.

    Args:
        session: the checkout.
        names: the assets wanted; None for all.
        wishes: what to rebuild or overwrite. With `locked`, it raises `MakeError` before anything is made
            if the lock would change, and an asset that comes out other than the lock says fails.
        jobs: engine processes of one kind side by side; 0 for one per processor.
        tell: given each event; called from several threads.
        planned: given the plan before anything is made.
        placeholders: put labelled stand-ins where assets are blocked.
        budget: US dollars that engines may take; what would pass it, or has no known price, is blocked.
        remote: ask the remote, where the manifest names one, for what this machine lacks.

    Returns:
        What became of every asset, and the names of those that got a stand-in.

    Raises:
        KeyboardInterrupt: on INT, TERM or HUP; what was finished is kept.
    """
    with Workbench(
        session, names, wishes=wishes, jobs=jobs, tell=tell, budget=budget, remote=remote
    ) as workbench:
        planned(workbench.plan)
        outcome = workbench.build.run(schedule.threads_for(workbench.jobs), workbench.pool.stop)
        fine = (*outcome.built, *outcome.restored, *outcome.fresh)
        gatekeeper.put_away(session.root, (workbench.plan.steps[name] for name in fine))
        return outcome, workbench.stand_in(outcome.blocked) if placeholders else ()


class Workbench:
    """One build's tools: the lock file held, the plan, the engines, the ledger. Close it, or use `with`.

    See `build` for the arguments; `command` is the run's name in the journal, `hire` makes the pool.
    """

    def __init__(  # noqa: PLR0913 - all named where a workbench is opened
        self,
        session: Session,
        names: Collection[AssetName] | None = None,
        *,
        wishes: Wishes | None = None,
        jobs: int = 0,
        tell: Callable[[Event], None] = lambda _: None,
        budget: float | None = None,
        remote: bool = False,
        command: str = "build",
        hire: Callable[..., Pool] = Pool,
    ) -> None:
        wishes = wishes or Wishes()
        self.jobs = jobs = jobs or schedule.default_jobs()
        self._session = session
        self._everything = names is None
        self._closing = ExitStack()
        with ExitStack() as opening:
            private = session.root / PRIVATE
            opening.enter_context(files.ExclusiveLock(private / "build.lock"))
            opening.enter_context(interruptible())
            opening.enter_context(session.store.leased(session.root))
            # Read again: another build may have written it while this one waited.
            session.read_lock()
            self.ledger = Ledger(session.root / LOCK, session.lock, locked=wishes.locked)
            lookup = Lookup(session, wishes, tell, remote=remote)
            self._judge, self.plan = lookup.plan(lambda: _drawn(session, wishes, names))
            self.ledger.renamed(_renamed(self.plan.steps))
            if wishes.locked and (told := changes(self.plan, session.lock, everything=self._everything)):
                raise MakeError(
                    "the lock would change:\n  " + "\n  ".join(told),
                    "run `artlock build` without `--locked`",
                )
            keep_moving(session.root, session.store, self.plan.having(Verdict.RESTORE))
            opening.callback(self._save)
            journal = opening.enter_context(journalled(session, command, jobs, tell))
            tell = journal.before(tell)
            self.pool = opening.enter_context(
                hire(private, root=session.root, jobs=jobs, on_event=tell, on_key=journal.conceal)
            )
            keeper = gatekeeper.Gatekeeper(
                root=session.root,
                manifest=session.manifest,
                store=session.store,
                engines=self.pool,
                inputs=self.pool.inputs / "gates",
                locate=session.checkout.path,
                retry=wishes.retry_refused,
                tell=tell,
            )
            self.maker = Maker(
                root=session.root,
                manifest=session.runnable(),
                store=session.store,
                engines=self.pool if budget is None else Purse(self.pool, budget),
                inputs=self.pool.inputs,
                locate=session.checkout.path,
                from_git=session.checkout.from_git,
                rebuild=wishes.rebuild,
                retry_refused=wishes.retry_refused,
                gatekeeper=keeper,
                placing=self.ledger.placing,
                ours=session.checkout.placed,
                force=wishes.force,
                supply=lookup,
                tell=tell,
            )
            chooser = opening.enter_context(
                Candidates(
                    self.maker,
                    keeper,
                    root=session.root,
                    store=session.store,
                    measure=session.manifest.engines[MEASURE],
                    engines=self.pool,
                    inputs=self.pool.inputs / "candidates",
                    threads=schedule.threads_for(jobs),
                    tell=tell,
                )
            )
            bulk = Restoring(
                session.root,
                session.store,
                from_git=session.checkout.committed,
                note=self.ledger.placing_all,
            )
            self.build = Build(
                plan=self.plan,
                judge=self._judge,
                maker=chooser,
                lose=session.checkout.lose,
                publish=self.ledger.publish,
                tell=tell,
                bulk=lambda steps: journal.at_once(bulk.restore(steps)),
                supply=lookup,
                locked=wishes.locked,
            )
            self._closing = opening.pop_all()

    def close(self) -> None:
        """End the engines, write the lock, let the next build in."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # With what ended it: the journal tells an interrupted run from one that went through.
        self._closing.__exit__(kind, error, trace)

    def stand_in(self, blocked: Collection[Failed]) -> tuple[AssetName, ...]:
        """Put a labelled placeholder where each blocked asset goes and nothing of a person lies."""
        stood_in = []
        for item in blocked:
            step = self.plan.steps[item.name]
            if any(reason.why in (Why.DISK, Why.CONFLICT) for reason in step.reasons) or step.asset.pack:
                continue  # an atlas of no sprites would say that there are none
            left = any(reason.why is Why.LEFT for reason in step.reasons)
            if step.on_disk in (None, self._session.lock.placeholders.get(item.name)) or left:
                made, _ = self.maker.make(placeholder(self._session.manifest, step, item.message))
                self.ledger.stand_in(made)
                stood_in.append(item.name)
        return tuple(stood_in)

    def _save(self) -> None:
        renames = _renamed(self._judge.steps)
        self.ledger.renamed(renames)
        left = renaming.vacate(self._session, self.ledger, renames, self.plan.orphans)
        if self._everything:
            self.ledger.forget(self.ledger.abandoned(self.plan.orphans))
        self._session.lock = self.ledger.save()
        renaming.remove(self._session, self.ledger, left)
        self._session.index.save()


def _renamed(steps: Mapping[AssetName, Step]) -> dict[AssetName, AssetName]:
    """The assets that the lock has under other names."""
    return {name: step.renamed_from for name, step in steps.items() if step.renamed_from}


def _drawn(session: Session, wishes: Wishes, names: Collection[AssetName] | None) -> tuple[Judge, Plan]:
    judge = session.judge(wishes)
    return judge, judge.plan(names)


@contextmanager
def journalled(session: Session, command: str, jobs: int, tell: Callable[[Event], None]) -> Iterator[Journal]:
    """A run in the journal of the checkout. What is wrong with the journal itself is told at the end."""
    heading = Heading(command=command, profile=session.manifest.profile, jobs=jobs)
    names = {name for engine in session.manifest.engines.values() for name in engine.card.keys}
    # Bare, as an adapter has it: one that was read from a file ends with a newline.
    keys = [os.environ[name].strip() for name in sorted(names) if name in os.environ]
    free = {name for name, engine in session.manifest.engines.items() if price.bounds(engine) == (0, 0)}
    journal = Journal(session.root / PRIVATE / JOURNAL, heading, secrets=keys, free=free)
    ended_by: type[BaseException] | None = None
    try:
        yield journal
    except BaseException as error:
        ended_by = type(error)
        raise
    finally:
        journal.close(ended_by)
        if journal.trouble:
            tell(JournalTrouble(message=journal.trouble))


@contextmanager
def interruptible() -> Iterator[None]:
    """TERM and HUP end the build as ctrl-C does: engines gone, results kept, lock written.

    One that is ignored stays so: that is how `nohup` keeps a build alive.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    heard = [
        number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN
    ]
    old = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
