"""One asset made again: its inputs found, its engine asked anew, what came out held against the lock.

Knows nothing of how a run begins and ends.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from buildsys import files
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, MakeError
from buildsys.journal.keeper import Journal
from buildsys.make.made import Engines
from buildsys.make.maker import Maker
from buildsys.make.progress import Event
from buildsys.manifest.model import AssetName, Engine
from buildsys.plan.companions import files_of
from buildsys.plan.record import Record, asset_of
from buildsys.remaking import engine_of, input_of, origin, step_of
from buildsys.reproduce import verdict
from buildsys.reproduce.afar import Afar
from buildsys.reproduce.distance import Gauge
from buildsys.reproduce.held import Lookup
from buildsys.reproduce.model import Held, Likeness, Reproduction, Wanted
from buildsys.reproduce.past import with_adapter
from buildsys.session import Session
from buildsys.store.objects import Store


class Bench:
    """Makes assets of one lock again, one after the other.

    Args:
        then: the session whose lock it is, of today or of a revision.
        today: the session of the project as it lies there.
        wanted: what a person asks for.
        engines: what runs an engine.
        folder: the scratch place.
        journal: told of every action.
        tell: told where the remote can't be asked.
    """

    def __init__(
        self,
        then: Session,
        today: Session,
        wanted: Wanted,
        engines: Engines,
        folder: Path,
        journal: Journal,
        tell: Callable[[Event], None],
    ) -> None:
        self._then = then
        self._today = today
        self._wanted = wanted
        self._engines = engines
        self._folder = folder
        self._journal = journal
        # A store of its own: nothing cached may answer, and a different picture must not become what
        # the recipe is known to give.
        self._store = Store(folder / "store")
        self._gauge = Gauge(today.manifest, engines, folder / "compared")
        commits = (then.checkout.from_git, today.checkout.from_git) if then is not today else ()
        afar = Afar(today.manifest.remote if wanted.remote else None, self._store, tell)
        self._held = Lookup(today.root, today.store, commits or (today.checkout.from_git,), afar.read)
        self._named: dict[str, Engine] = {}
        self._made: set[AssetName] = set()

    def reproduce(self, record: Record) -> Reproduction:
        """Make it again. Raises nothing where that can't be done, but says where the locked one is."""
        try:
            engine = self._engine(record)
            self._fetch_inputs(record)
            made = self._make(record, engine)
            found = self._judged(record, made, engine)
            return msgspec.structs.replace(found, put=self._put(files_of(made)))
        except ArtlockError as error:
            return self._impossible(record, error)

    def _engine(self, record: Record) -> Engine:
        """The engine that makes it again. Raises `MakeError` where it can't run here and now."""
        engine = engine_of(self._then, record)
        obstacle = self._today.checkout.blocked(engine)
        if obstacle is not None:
            raise MakeError(obstacle.new, obstacle.hint)
        engine = with_adapter(self._then, engine)
        name, number = engine.name, 1
        # Two entries may have been made by it with two models, and a pool knows engines by their names.
        while (known := self._named.get(name)) and known != msgspec.structs.replace(engine, name=name):
            number += 1
            name = f"{engine.name}#{number}"
        return self._named.setdefault(name, msgspec.structs.replace(engine, name=name))

    def _fetch_inputs(self, record: Record) -> None:
        """Have its inputs in the scratch store; what it is made from is made again first where it is lost.

        Raises `MakeError`.
        """
        waiting = [record]
        while waiting:
            lost = self._lost_input(waiting[-1])
            if lost is None:
                upstream = waiting.pop()
                if waiting:
                    self._make_first(upstream, waiting[-1].name)
                continue
            parent, error = lost
            if parent is None or parent in waiting:
                raise error
            if parent.name in self._made:
                fact = f"{error.message}, and `{parent.name}`, made again, came out otherwise"
                raise MakeError(fact, error.hint)
            waiting.append(parent)

    def _lost_input(self, record: Record) -> tuple[Record | None, MakeError] | None:
        """The first input whose bytes are nowhere: the asset that it was, if any, and what to tell."""
        for field, wanted in sorted(record.parts.inputs.items()):
            if self._store.has(wanted):
                continue
            try:
                data = input_of(self._then, record, wanted)
            except MakeError as error:
                found, _ = self._held.find(wanted, origin(self._then, record, field))
                if found is None:
                    name = asset_of(record.paths.get(field, ""))
                    return (self._then.lock.records.get(name) if name else None), error
                data = found
            self._store.put_bytes(data, sync=False)
        return None

    def _make_first(self, record: Record, why: AssetName) -> None:
        try:
            self._make(record, self._engine(record))
        except ArtlockError as error:
            fact = f"`{why}` is made from `{record.name}`, whose picture is lost: {error.message}"
            raise MakeError(fact, error.hint) from error

    def _make(self, record: Record, engine: Engine) -> Record:
        self._made.add(record.name)
        manifest = self._today.runnable()
        maker = Maker(
            root=self._folder,
            manifest=msgspec.structs.replace(manifest, engines={**manifest.engines, engine.name: engine}),
            store=self._store,
            engines=self._engines,
            inputs=self._folder / "inputs",
            locate=self._then.checkout.path,
            from_git=lambda _: None,
            rebuild=frozenset({record.name}),
            tell=self._journal.note,
        )
        step = step_of(self._then, record, engine)
        with self._journal.asset(step):
            made, _ = maker.make(step)
        return made

    def _judged(self, record: Record, made: Record, engine: Engine) -> Reproduction:
        determinism = verdict.class_of(engine, record.environment, made.environment)
        kept = verdict.promised(determinism, record, made)
        found = Reproduction(
            name=record.name,
            likeness=verdict.likeness_of(record, made),
            determinism=determinism,
            promised=kept,
            then=record.environment,
            now=made.environment,
        )
        if found.likeness is not Likeness.DIFFERENT:
            return found
        before, _ = self._held.find(record.picture.file, record.output)
        distance = self._gauge.distance(record, made, before, self._store.read(made.picture.file))
        others = verdict.differing(record, made)
        # The data of an atlas must be exact: a frame that is elsewhere is no matter of degree.
        close = None if others else verdict.closeness(determinism, kept, distance, self._wanted.tolerance)
        return msgspec.structs.replace(
            found,
            likeness=Likeness.CLOSE if close else Likeness.DIFFERENT,
            distance=distance,
            closeness=close,
            differing=others,
            message="" if before else "the locked picture is lost, so only the hashes are compared",
        )

    def _impossible(self, record: Record, error: ArtlockError) -> Reproduction:
        found = [self._held.find(wanted, path) for path, wanted in files_of(record).items()]
        lost = any(data is None for data, _ in found)
        for data, _ in found:
            if data is not None and self._wanted.to is not None:
                self._store.put_bytes(data, sync=False)
        return Reproduction(
            name=record.name,
            likeness=Likeness.IMPOSSIBLE,
            held=Held.LOST if lost else found[-1][1],
            put=() if lost else self._put(files_of(record)),
            message=error.message,
            hint=error.hint,
            then=record.environment,
        )

    def _put(self, wanted: dict[str, Digest]) -> tuple[str, ...]:
        """Put files where a person asked for them: their paths. Raises `DiskError`."""
        if self._wanted.to is None:
            return ()
        put = []
        for path, file in wanted.items():
            target = self._wanted.to / path
            files.write_durably(target, self._store.read(file) or b"")
            put.append(str(target))
        return tuple(put)
