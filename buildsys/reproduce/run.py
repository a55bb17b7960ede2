"""Reproducing assets: a run with engines, a scratch place and a journal, and what came of each asset.

Makes from no cache: the store is asked only for the bytes of inputs, and the manifest only for how to run
an engine. Writes nothing into the project, its store or its lock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from buildsys.lock.model import Lock
from buildsys.make.pool import Pool
from buildsys.make.progress import Event
from buildsys.make.purse import Purse
from buildsys.manifest.model import AssetName
from buildsys.reproduce import past
from buildsys.reproduce.again import Bench
from buildsys.reproduce.model import Reproduction, Wanted
from buildsys.session import PRIVATE, Session
from buildsys.workbench import interruptible, journalled


def reproduce(
    session: Session,
    names: Callable[[Lock], Collection[AssetName]],
    wanted: Wanted,
    tell: Callable[[Event], None],
) -> Iterator[Reproduction]:
    """Make assets again in a scratch place; `names` says which of a lock.

    Raises nothing for an asset that can't be made; `GitError`, `LockError` where the revision has no lock
    that can be read, and what `names` raises.
    """
    commit, lock = past.lock_at(session, wanted.revision) if wanted.revision else ("", session.lock)
    chosen = names(lock)
    private = session.root / PRIVATE
    with (
        interruptible(),
        journalled(session, "reproduce", wanted.jobs, tell) as journal,
        Pool(
            private,
            root=session.root,
            jobs=wanted.jobs,
            on_event=journal.before(tell),
            on_key=journal.conceal,
        ) as pool,
    ):
        # In the folder of the run: what a killed one leaves there, the next one removes.
        folder = pool.inputs / "reproduce"
        then = past.session_at(session, commit, lock, folder / "project") if commit else session
        engines = pool if wanted.budget is None else Purse(pool, wanted.budget)
        bench = Bench(then, session, wanted, engines, folder, journal, journal.before(tell))
        for name in chosen:
            yield bench.reproduce(lock.records[name])
