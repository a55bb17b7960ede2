"""Refreshing: assets made again on purpose because their environment changed, and how far they moved.

Knows nothing of terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from buildsys.drift import drifted
from buildsys.errors import MakeError
from buildsys.make import schedule
from buildsys.make.build import Outcome
from buildsys.make.progress import Event
from buildsys.manifest.model import AssetName
from buildsys.plan import graph
from buildsys.plan.judge import Wishes
from buildsys.plan.record import Record
from buildsys.plan.step import Plan
from buildsys.reproduce import verdict
from buildsys.reproduce.distance import Gauge
from buildsys.reproduce.held import Lookup
from buildsys.reproduce.model import Likeness, Reproduction
from buildsys.session import Session
from buildsys.workbench import Workbench


def chosen(
    session: Session, names: Collection[AssetName] | None
) -> tuple[tuple[AssetName, ...], frozenset[AssetName]]:
    """What to look at, of everything or of `names`, and what of it has another environment by now.

    With these come the assets that are made from them, which are made again only where the bytes that they
    are made from came out otherwise.
    """
    moved = frozenset(drift.name for drift in drifted(session, names))
    reached = set(moved)
    for name in graph.order(session.manifest.assets):
        if reached.intersection(graph.upstream(session.manifest.assets[name])):
            reached.add(name)
    return tuple(sorted(reached)), moved


def build(  # noqa: PLR0913 - all named where a build is asked for
    session: Session,
    names: Collection[AssetName],
    moved: frozenset[AssetName],
    *,
    wishes: Wishes,
    jobs: int = 0,
    tell: Callable[[Event], None] = lambda _: None,
    planned: Callable[[Plan], None] = lambda _: None,
    budget: float | None = None,
    remote: bool = True,
) -> tuple[Outcome, tuple[Reproduction, ...]]:
    """Build `names`, as `workbench.build` does, and say of each of `moved` that was made how far it moved.

    The lock gets what these are made with now, even where their bytes are what they were.

    Raises:
        KeyboardInterrupt: on INT, TERM or HUP; what was finished is kept.
    """
    wishes = msgspec.structs.replace(wishes, rebuild=wishes.rebuild | moved)
    with Workbench(
        session, names, wishes=wishes, jobs=jobs, tell=tell, budget=budget, remote=remote
    ) as bench:
        planned(bench.plan)
        bench.ledger.renew(moved)
        old = {name: session.lock.records[name] for name in moved if name in session.lock.records}
        held = Lookup(session.root, session.store, (session.checkout.from_git,))
        for record in old.values():
            # Before the new ones take their places. The store may have lost them, or never had them.
            data, _ = held.find(record.picture.file, record.output)
            if data is not None:
                session.store.put_bytes(data, sync=False)
        outcome = bench.build.run(schedule.threads_for(bench.jobs), bench.pool.stop)
        gauge = Gauge(session.manifest, bench.pool, bench.pool.inputs / "refreshed")
        made = bench.ledger.records()
        return outcome, tuple(
            _held(session, gauge, old[name], made[name]) for name in outcome.built if name in old
        )


def _held(session: Session, gauge: Gauge, old: Record, new: Record) -> Reproduction:
    likeness = verdict.likeness_of(old, new)
    found = Reproduction(
        name=new.name,
        likeness=likeness,
        differing=verdict.differing(old, new),
        then=old.environment,
        now=new.environment,
    )
    if likeness is not Likeness.DIFFERENT:
        return found
    before, after = (session.store.read(record.picture.file) for record in (old, new))
    try:
        distance = gauge.distance(old, new, before, after)
    except MakeError as error:
        # It is made, and in its place: that it could not be measured fails no build.
        return msgspec.structs.replace(found, message=error.message, hint=error.hint)
    return msgspec.structs.replace(found, distance=distance)
