"""A comparison carried out: each picture made once, in its engine's own process, then measured.

Knows nothing of where the result goes. Nothing in the manifest, the lock or `out/` changes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product
from pathlib import Path

import msgspec

from buildsys.comparison.gauge import Cell, Drawn, Gauge, name_of
from buildsys.comparison.model import Comparison, Question
from buildsys.comparison.subject import adapted
from buildsys.digest import Digest
from buildsys.errors import ArtlockError
from buildsys.make.pool import Stopped
from buildsys.make.progress import Event
from buildsys.make.schedule import threads_for
from buildsys.manifest.model import AssetName
from buildsys.plan import price
from buildsys.plan.judge import Wishes
from buildsys.plan.price import Bill
from buildsys.plan.step import Plan, Step
from buildsys.session import Session
from buildsys.trial import Easel, easel, ready
from buildsys.workbench import interruptible


def compare(
    session: Session,
    question: Question,
    jobs: int,
    tell: Callable[[Event], None],
    *,
    budget: float | None = None,
    priced: Callable[[Bill], None] = lambda _: None,
) -> Comparison:
    """Make and measure. An engine that can't run or fails is an entry with its message.

    Args:
        session: the checkout.
        question: what to draw, and on what.
        jobs: as for a build.
        tell: given each event; called from several threads.
        budget: US dollars that engines may take; a picture that would pass it is an entry with a message.
        priced: given what the pictures should cost, before any is asked for.

    Raises `ArtlockError` where nothing can be laid out at all, and `KeyboardInterrupt` on INT, TERM or HUP.
    """
    cells = [
        _cell(session, question, place)
        for place in product(question.engines, range(len(question.settings)), question.seeds)
    ]
    assets = {cell.asset.name: cell.asset for cell in cells if cell.asset is not None}
    manifest = msgspec.structs.replace(session.manifest, assets={**session.manifest.assets, **assets})
    own = Session(session.root, manifest, session.lock, session.store)
    wishes = Wishes(retry_refused=question.retry_refused)
    plan = _priced_once(own, own.judge(wishes).plan(tuple(assets)))
    expected = price.total(plan)
    with (
        interruptible(),
        tempfile.TemporaryDirectory(prefix="artlock-compare-") as scratch,
        easel(
            own, Path(scratch), "compare", jobs, tell, budget=budget, retry_refused=question.retry_refused
        ) as bench,
    ):
        gauge = Gauge(own, bench, question)
        size = gauge.check_reference()
        priced(expected)
        pictures = _make(bench, [plan.steps[name] for name in assets], jobs)
        entries = tuple(gauge.entry(cell, pictures) for cell in cells)
        return Comparison(
            subject=question.subject,
            reference=question.reference_file or f"`{question.reference_engine}`, seed by seed",
            entries=entries,
            seeds=question.seeds,
            columns=question.columns,
            sheet=gauge.sheet(entries),
            expected=expected,
            cost=bench.cost,
            reference_bytes=question.reference,
            reference_size=size,
        )


def _priced_once(session: Session, plan: Plan) -> Plan:
    """`plan` with what its pictures should cost; of those with one recipe, the first is paid for."""
    plan = session.priced(plan, Wishes())
    firsts: dict[Digest | AssetName, AssetName] = {}
    for name in plan.costs:
        firsts.setdefault(plan.steps[name].recipe or name, name)
    return msgspec.structs.replace(plan, costs={name: plan.costs[name] for name in firsts.values()})


def _cell(session: Session, question: Question, place: tuple[str, int, int]) -> Cell:
    """The picture of an engine, of the settings by their number, and of a seed."""
    engine, number, seed = place
    settings = question.settings[number]
    parameters = {**question.subject.parameters, **settings}
    subject = msgspec.structs.replace(question.subject, parameters=parameters)
    blank = Cell(engine=engine, seed=seed, settings=settings, number=number)
    try:
        asset, notes = adapted(subject, session.manifest.engines[engine], seed, name_of(question, place))
    except ArtlockError as error:
        return msgspec.structs.replace(blank, refusal=error)
    return msgspec.structs.replace(blank, asset=asset, notes=notes)


def _make(bench: Easel, steps: list[Step], jobs: int) -> Mapping[AssetName, Drawn | ArtlockError]:
    """What became of each step; of those with one recipe, which differ in name only, the first is made."""
    executor = ThreadPoolExecutor(threads_for(jobs), thread_name_prefix="artlock-compare")
    once: dict[Digest | AssetName, Future[Drawn | ArtlockError]] = {}
    try:
        for step in steps:
            key = step.recipe or step.name
            if key not in once:
                once[key] = executor.submit(_attempt, bench, step)
        return {step.name: once[step.recipe or step.name].result() for step in steps}
    except BaseException:
        # Else the threads would wait for engines that nobody ends.
        bench.pool.stop()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def _attempt(bench: Easel, step: Step) -> Drawn | ArtlockError:
    try:
        record, notes = bench.make(ready(step))
    except Stopped:
        raise
    except ArtlockError as error:
        return error
    return Drawn(step=step, record=record, notes=notes)
