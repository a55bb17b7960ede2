"""A frozen build: the files that the lock names, brought back or made again, whatever the manifest asks for.

Never writes the lock, and puts nothing in its place that the lock does not name.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from contextlib import ExitStack

import msgspec

from buildsys import files
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, DiskError, LockError, MakeError, did_you_mean
from buildsys.locked import Promise
from buildsys.lookup import Lookup
from buildsys.make import schedule
from buildsys.make.build import Build, Outcome
from buildsys.make.maker import Maker
from buildsys.make.pool import Pool
from buildsys.make.progress import Event
from buildsys.make.purse import Purse
from buildsys.make.restoring import Restoring
from buildsys.make.results import Raw
from buildsys.manifest.circles import untangled
from buildsys.manifest.model import Asset, AssetName, Engine, Input, Manifest
from buildsys.plan import companions, graph, recipe
from buildsys.plan.judge import Wishes
from buildsys.plan.record import Record, asset_of
from buildsys.plan.step import Plan, Reason, Step, Verdict, Why
from buildsys.remaking import engine_of, input_of
from buildsys.session import LOCK, PRIVATE, Session
from buildsys.workbench import interruptible, journalled


def names(session: Session, wanted: Collection[str]) -> tuple[AssetName, ...]:
    """The assets of the lock that the words of a command line name, with all scales and formats.

    All of the lock where there are no words. Raises `ArtlockError`, `LockError`.
    """
    if not (session.root / LOCK).is_file():
        raise LockError(f"there is no `{LOCK}` to build from", "run `artlock build` without `--frozen`")
    open_ = session.lock.conflicts
    known = (*session.lock.records, *open_)
    found: dict[AssetName, None] = {} if wanted else dict.fromkeys(known)
    for word in wanted:
        named = [name for name in known if name == word or name.startswith(f"{word}@")]
        if not named:
            hint = did_you_mean(word, known) or "run `artlock build` without `--frozen`"
            raise ArtlockError(f"asset `{word}` is not in the lock", hint)
        found.update(dict.fromkeys(named))
    if undecided := [name for name in found if name in open_]:
        fact = f"both sides of a merge changed `{undecided[0]}` in `{LOCK}`"
        raise LockError(fact, f"run `artlock resolve {undecided[0]}` first")
    return tuple(found)


def plan(session: Session, names: Collection[AssetName], *, force: frozenset[AssetName]) -> Plan:
    """What a frozen build of `names` would do."""
    found = _Entries(session, force).plan(names)
    session.index.save()
    return found


def build(
    session: Session,
    names: Collection[AssetName],
    *,
    force: frozenset[AssetName] = frozenset(),
    jobs: int = 0,
    tell: Callable[[Event], None] = lambda _: None,
    planned: Callable[[Plan], None] = lambda _: None,
    budget: float | None = None,
    remote: bool = True,
) -> Outcome:
    """Have the files of `names` lie there as the lock says.

    Args:
        session: the checkout; its manifest is asked only how to run engines.
        names: of the lock; what they are made from comes with them.
        force: assets whose files are overwritten where a hand edited them.
        jobs: engine processes of one kind side by side; 0 for one per processor.
        tell: given each event; called from several threads.
        planned: given the plan before anything is made.
        budget: US dollars that engines may take.
        remote: ask the remote, where the manifest names one, for what this machine lacks.

    Raises:
        KeyboardInterrupt: on INT, TERM or HUP; what was finished is kept.
    """
    jobs = jobs or schedule.default_jobs()
    private = session.root / PRIVATE
    with ExitStack() as closing:
        closing.enter_context(files.ExclusiveLock(private / "build.lock"))
        closing.enter_context(interruptible())
        closing.enter_context(session.store.leased(session.root))
        session.read_lock()
        closing.callback(session.index.save)
        lookup = Lookup(session, Wishes(), tell, remote=remote)
        entries = _Entries(session, force)
        _, drawn = lookup.plan(lambda: (entries, entries.plan(names)))
        planned(drawn)
        journal = closing.enter_context(journalled(session, "build", jobs, tell))
        told = journal.before(tell)
        pool = closing.enter_context(
            Pool(private, root=session.root, jobs=jobs, on_event=told, on_key=journal.conceal)
        )
        promise = Promise(session.lock.records, "--frozen")
        maker = Maker(
            root=session.root,
            manifest=entries.manifest(),
            store=session.store,
            engines=pool if budget is None else Purse(pool, budget),
            inputs=pool.inputs,
            locate=session.checkout.path,
            from_git=session.checkout.from_git,
            placing=promise.hold,
            ours=session.checkout.placed,
            force=force,
            supply=lookup,
            tell=told,
        )
        git = session.checkout.committed
        bulk = Restoring(session.root, session.store, from_git=git, note=promise.hold_all)
        carried = Build(
            plan=drawn,
            judge=entries,
            maker=_Remaker(session, maker),
            lose=session.checkout.lose,
            publish=lambda _: None,
            tell=told,
            bulk=bulk.restore,
            supply=lookup,
        )
        return carried.run(schedule.threads_for(jobs), pool.stop)


class _Entries:
    """Judges lock entries by nothing but what lies there: what `Build` asks, in place of the judge."""

    def __init__(self, session: Session, force: frozenset[AssetName]) -> None:
        self._session = session
        self._force = force
        self._records = session.lock.records
        self._engines: dict[str, Engine] = {}
        # The manifest has no circles, but a stranger's lock may.
        circles = untangled({name: _needs(record) for name, record in self._records.items()})[1]
        tangled = {name for circle in circles for name in circle}
        self._assets = {
            name: _asset(record, frozenset() if name in tangled else self._records.keys())
            for name, record in self._records.items()
        }

    def plan(self, names: Collection[AssetName]) -> Plan:
        """What is to be done for `names` and what they are made from."""
        wanted = graph.with_upstream(self._assets, names)
        ordered = [name for name in graph.order(self._assets) if name in wanted]
        return Plan(steps={name: self.step(name) for name in ordered})

    def step(self, name: AssetName) -> Step:
        """What is to be done for an asset, as things are now."""
        record = self._records[name]
        blank = Step(
            name=name,
            asset=self._assets[name],
            verdict=Verdict.FRESH,
            reasons=(),
            output=record.output,
            parts=record.parts,
            recipe=record.recipe,
            recorded=record,
            known=record,
            gates=record.gates,
        )
        try:
            differing = self._differing(record)
        except DiskError as error:
            return _blocked(blank, Reason(why=Why.DISK, new=error.message, hint=error.hint))
        blank = msgspec.structs.replace(blank, on_disk=differing.get(record.output, record.picture.file))
        if not differing:
            return blank
        edited = next((path for path, lies in differing.items() if self._is_edited(name, path, lies)), None)
        if edited is not None and name not in self._force:
            reason = Reason(why=Why.EDITED, field="" if edited == record.output else edited)
            return msgspec.structs.replace(blank, verdict=Verdict.EDITED, reasons=(reason,))
        missing = Reason(why=Why.EDITED if edited else Why.MISSING)
        if companions.restorable(record, record.output, self._session.checkout):
            return msgspec.structs.replace(blank, verdict=Verdict.RESTORE, reasons=(missing,))
        return self._make(blank, record, missing)

    def settle(self, step: Step, made: Digest | None = None) -> None:
        """Nothing hangs on it: each entry names the bytes that it is made from."""

    def pass_over(self, name: AssetName, engine: str, reason: Reason) -> None:
        """Nobody is passed over: the engine that made it makes it again, or none."""

    def manifest(self) -> Manifest:
        """The manifest with the assets of the lock, and its engines as they are met."""
        # Not copied: what was thought to be restorable, and is not, brings its engine while others are made.
        engines = ChainMap(self._engines, dict(self._session.runnable().engines))
        return msgspec.structs.replace(self._session.manifest, engines=engines, assets=self._assets)

    def _differing(self, record: Record) -> Mapping[str, Digest | None]:
        wanted = companions.files_of(record)
        lies = {path: self._session.checkout.file(path) for path in wanted}
        return {path: found for path, found in lies.items() if found != wanted[path]}

    def _is_edited(self, name: AssetName, path: str, lies: Digest | None) -> bool:
        ours = lies in (None, self._session.lock.placeholders.get(name))
        return not ours and lies is not None and not self._session.checkout.placed(path, lies)

    def _make(self, blank: Step, record: Record, missing: Reason) -> Step:
        try:
            engine = engine_of(self._session, record)
        except MakeError as error:
            return _blocked(blank, Reason(why=Why.ENGINE, new=error.message, hint=error.hint), missing)
        if not _is_drawn(self._session, record) and (obstacle := self._obstacle(engine)) is not None:
            return _blocked(blank, obstacle, missing)
        asset = msgspec.structs.replace(blank.asset, engine=self._own(engine))
        device = next(iter(engine.devices), "")
        return msgspec.structs.replace(
            blank, asset=asset, device=device, verdict=Verdict.BUILD, reasons=(missing,)
        )

    def _obstacle(self, engine: Engine) -> Reason | None:
        # To ask any other engine would cost, and what it draws would be refused at the end.
        if engine.card.constant:
            return self._session.checkout.blocked(engine)
        fact = f"its picture is in neither the store nor git, and `{engine.name}` makes none twice"
        return Reason(why=Why.ENGINE, new=fact, hint="run `artlock build` without `--frozen`")

    def _own(self, engine: Engine) -> str:
        """A name for `engine` that no other has: two entries may have been made by it with two models."""
        name, number = engine.name, 1
        while self._engines.get(name, engine) != msgspec.structs.replace(engine, name=name):
            number += 1
            name = f"{engine.name}#{number}"
            if name not in self._engines:
                break
        self._engines[name] = msgspec.structs.replace(engine, name=name)
        return name


class _Remaker:
    """Makes what lock entries say, of the bytes that they name."""

    def __init__(self, session: Session, maker: Maker) -> None:
        self._session = session
        self._maker = maker

    def make(self, step: Step) -> tuple[Record, tuple[str, ...]]:
        """Make an asset: its record, and notes for a person. Raises `MakeError`."""
        record = self._session.lock.records[step.name]
        if not _is_drawn(self._session, record):
            # What the store knows of this recipe is another picture, and would come out wrong for ever.
            self._session.store.forget(recipe.generate_key(record.parts))
        for wanted in {*record.parts.inputs.values()}:
            self._session.store.put_bytes(input_of(self._session, record, wanted), sync=False)
        return self._maker.make(step)

    def restore(self, step: Step) -> Record | None:
        """Bring back what the lock has, or None where the bytes turn out to be lost."""
        return self._maker.restore(step)


def _needs(record: Record) -> list[str]:
    return [name for path in record.paths.values() if (name := asset_of(path)) is not None]


def _asset(record: Record, known: AbstractSet[AssetName]) -> Asset:
    """The asset of an entry, made from those of the others that are `known`."""
    inputs = {}
    for field in record.parts.inputs:
        source = record.paths.get(field, "")
        upstream = asset_of(source)
        inputs[field] = Input(asset=upstream) if upstream in known and upstream else Input(path=source)
    return Asset(
        name=record.name,
        role="",
        engine=record.engine,
        finish=record.parts.finish,
        inputs=inputs,
        format=record.parts.format,
    )


def _is_drawn(session: Session, record: Record) -> bool:
    """Whether the store has what the engine handed over for it: then only its finishing is to do."""
    kept = session.store.recall(recipe.generate_key(record.parts), Raw)
    return kept is not None and kept.raw == record.raw and session.store.has(kept.file)


def _blocked(step: Step, *reasons: Reason) -> Step:
    return msgspec.structs.replace(step, verdict=Verdict.BLOCKED, reasons=reasons)
