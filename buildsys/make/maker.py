"""Making one asset: snapshot its inputs, generate, finish, store, place.

Knows nothing of schedules, of the lock's file or of how an engine is run: it is given a step and
gives back a record. Called from several threads at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

import msgspec

from buildsys.digest import Digest
from buildsys.make.atlas import Packer
from buildsys.make.copies import Copies
from buildsys.make.failure import EngineFailed
from buildsys.make.gatekeeper import Gatekeeper
from buildsys.make.made import Engines, Made
from buildsys.make.placing import Placing
from buildsys.make.progress import Action, ActionRecalled, ActionStarted, Event, recalled
from buildsys.make.recording import record_of, relabelled
from buildsys.make.refusals import Refusals
from buildsys.make.results import Finished, Raw, damaged, picture_of, raw_of
from buildsys.make.sources import Sources
from buildsys.make.supply import NOBODY, Supply
from buildsys.make.turns import Turns
from buildsys.manifest.cards import FINISH, PACK, PLACEHOLDER
from buildsys.manifest.model import AssetName, Engine, Manifest
from buildsys.plan import handmade, price, provenance, recipe
from buildsys.plan.record import Parts, Record
from buildsys.plan.step import Step
from buildsys.store.objects import Store
from engines.protocol import ErrorKind, Request

_Result = TypeVar("_Result", Raw, Finished)


class Maker:
    """Makes and restores assets of one checkout.

    Args:
        root: the project.
        manifest: for its engines, the models of local ones as absolute paths.
        store: where results go before anything else happens.
        engines: what runs an engine.
        inputs: a private folder for the copies of inputs that engines read.
        locate: where a path of the manifest lies on this disk.
        from_git: bytes of a path in the last commit, or None.
        rebuild: assets that are made again whatever the store knows.
        retry_refused: ask again for what an engine refused before.
        gatekeeper: judges what is finished before it is adopted; None: all of it is.
        placing: told the path and the digest of each file just before it is put in its place.
        ours: whether a build put this very file at this path, and was killed before the lock told of it.
        force: assets whose files are overwritten even where a hand made or edited them.
        supply: knows what of the store came from elsewhere in this build.
        tell: given each action, as it goes to an engine or needs none; called from several threads.
    """

    def __init__(  # noqa: PLR0913 - all named where a maker is made
        self,
        *,
        root: Path,
        manifest: Manifest,
        store: Store,
        engines: Engines,
        inputs: Path,
        locate: Callable[[str], Path],
        from_git: Callable[[str], bytes | None],
        rebuild: frozenset[AssetName] = frozenset(),
        retry_refused: bool = False,
        gatekeeper: Gatekeeper | None = None,
        placing: Callable[[str, Digest], None] = lambda *_: None,
        ours: Callable[[str, Digest], bool] = lambda *_: True,
        force: frozenset[AssetName] = frozenset(),
        supply: Supply = NOBODY,
        tell: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self._manifest = manifest
        self._store = store
        self._engines = engines
        self._copies = Copies(store, inputs)
        self._sources = Sources(store, self._copies, manifest, locate)
        self._gatekeeper = gatekeeper
        self._rebuild = rebuild
        self._refusals = Refusals(store, retry=retry_refused)
        self._turns = Turns()
        self._placing = Placing(root, store, from_git=from_git, note=placing, ours=ours, force=force)
        self._supply = supply
        self._tell = tell

    def restore(self, step: Step) -> Record | None:
        """Bring back what is known, or None where the bytes turn out to be lost."""
        record = step.known
        if record is None or not self._placing.fetch(step, record):
            return None
        if self._gatekeeper is not None and record.gates != step.gates:
            if self._gatekeeper.another(step, record):
                return None
            self._gatekeeper.admit(step, record.picture)
        self._placing.place(step, record)
        self._tell(recalled(step, record, self._supply))
        return relabelled(record, step)

    def make(self, step: Step) -> tuple[Record, tuple[str, ...]]:
        """Make an asset: its record, and notes for a person. Raises `MakeError`."""
        record, notes = self.draw(step)
        return self.adopt(step, record), notes

    def draw(self, step: Step) -> tuple[Record, tuple[str, ...]]:
        """Make its picture, and put it nowhere but into the store."""
        parts = _ready(step)
        copies = self._sources.lend(step.asset.inputs, parts.inputs)
        if step.asset.engine == PACK:
            packer = Packer(self._manifest.engines[PACK], self._engines, self._store, self._tell)
            record, notes = packer.pack(step, parts, copies)
        else:
            with self._turns.of(recipe.generate_key(parts)):
                raw = self._generate(step, parts, copies)
            finished = self._finish(step, parts, raw, copies)
            record, notes = record_of(step, parts, raw, finished), raw.notes
        if step.asset.engine != PLACEHOLDER:
            self._store.record_action(record.recipe, msgspec.to_builtins(record), sync=False)
        return record, notes

    def adopt(self, step: Step, record: Record) -> Record:
        """Put the picture of `record` where `step` goes, if its gates let it pass. Raises `MakeError`."""
        if self._gatekeeper is not None:
            self._gatekeeper.admit(step, record.picture)
        self._placing.place(step, record)
        return relabelled(record, step)

    def _generate(self, step: Step, parts: Parts, copies: Mapping[str, Path]) -> Raw:
        if "image" in parts.inputs and step.asset.engine == FINISH:
            # Its raw picture is another asset's finished one, or a person's.
            return Raw(raw=parts.inputs["image"], credits=handmade.credits_of(step.asset))
        key = recipe.generate_key(parts)
        engine = step.asset.engine
        cached = self._recall(step, Action.GENERATE, engine, key, Raw)
        if cached is not None:
            self._refusals.forget(parts)
            return cached
        configured = self._manifest.engines[engine]
        self._refusals.check(parts, configured)
        request = Request(
            id=f"{step.label}#raw",
            asset=step.label,
            output=f"{key[:16]}.png",
            prompt=parts.prompt,
            negative=parts.negative,
            text=parts.text,
            seed=parts.seed,
            size=parts.size,
            parameters=parts.parameters,
            inputs={field: str(path) for field, path in copies.items() if not field.startswith("finish.")},
        )
        self._tell(ActionStarted(name=step.label, action=Action.GENERATE, engine=engine, key=key))
        done = self._drawn(configured, request, parts)
        dear, cost = _dear(configured), price.billed(configured, request, done)
        file = self._store.take_file(Path(done.output), sync=dear)
        result = raw_of(file, done, done.environment, cost)
        self._store.record_action(key, msgspec.to_builtins(result), sync=dear)
        self._turns.done(key)
        self._refusals.forget(parts)
        return result

    def _drawn(self, engine: Engine, request: Request, parts: Parts) -> Made:
        try:
            return self._engines.render(engine, request)
        except EngineFailed as error:
            # Told again: one that ends an engine's process is raised for every request that it had.
            failure = error.retold(error.message, engine.name)
            if failure.kind is ErrorKind.REFUSED:
                self._refusals.note(parts, engine, request, failure)
            raise failure from error

    def _finish(self, step: Step, parts: Parts, raw: Raw, copies: Mapping[str, Path]) -> Finished:
        # A provider's picture may be larger than the asset: it is brought to its size first.
        size = None if self._manifest.engines[step.asset.engine].card.exact else parts.size
        key = recipe.finish_key(parts, raw.raw, size)
        cached = self._recall(step, Action.FINISH, FINISH, key, Finished)
        if cached is not None:
            return cached
        image = (
            copies["image"]
            if step.asset.engine == FINISH
            else self._copies.lend(raw.raw, f"{PurePosixPath(step.name).name}{raw.suffix}")
        )
        request = Request(
            id=f"{step.label}#finish",
            asset=step.label,
            output=f"{key[:16]}.{parts.format}",
            parameters={
                "steps": [[item.name, dict(item.parameters)] for item in parts.finish],
                **({"size": list(size)} if size else {}),
                **({"metadata": marks} if (marks := provenance.marks(parts)) else {}),
            },
            inputs={
                "image": str(image),
                **{field: str(path) for field, path in copies.items() if field.startswith("finish.")},
            },
        )
        self._tell(ActionStarted(name=step.label, action=Action.FINISH, engine=FINISH, key=key))
        try:
            done = self._engines.render(self._manifest.engines[FINISH], request)
        except EngineFailed as error:
            if step.asset.engine != FINISH and error.kind is ErrorKind.BAD_REQUEST:
                self._blame(step, parts, request)
            raise
        finally:
            self._copies.give_back(image)
        picture = picture_of(self._store.take_file(Path(done.output), sync=False), done.facts)
        result = Finished(picture=picture, environment=done.environment)
        self._store.record_action(key, msgspec.to_builtins(result), sync=False)
        return result

    def _blame(self, step: Step, parts: Parts, request: Request) -> None:
        """Raise `MakeError` where the engine's picture is what `request` fails for, and no step of it.

        That shows when it is asked for without steps. The action is forgotten, so that a mended engine is
        asked anew; its bytes stay in the store, for they may have been paid for.
        """
        plain = replace(request, parameters={"steps": []}, inputs={"image": request.inputs["image"]})
        try:
            done = self._engines.render(self._manifest.engines[FINISH], plain)
            Path(done.output).unlink(missing_ok=True)
        except EngineFailed as error:
            if error.kind is ErrorKind.BAD_REQUEST:
                self._store.forget(recipe.generate_key(parts))
                raise damaged(self._manifest.engines[step.asset.engine], step.name) from error

    def _recall(
        self, step: Step, action: Action, engine: str, key: Digest, kind: type[_Result]
    ) -> _Result | None:
        anew = step.name in self._rebuild and not self._turns.is_done(key)
        cached = None if anew else self._store.recall(key, kind)
        if cached is None or not self._whole(cached.file):
            return None
        remote = self._supply.brought(cached.file)
        self._tell(ActionRecalled(name=step.label, action=action, engine=engine, key=key, remote=remote))
        return cached

    def _whole(self, wanted: Digest) -> bool:
        """Whether the store really has these bytes: a damaged object must be made again, not relied on."""
        return self._store.read(wanted) is not None


def _dear(engine: Engine) -> bool:
    """Whether a picture is worth two syncs of the disk: it was paid for, or a large model drew it.

    All other results are the kernel's to write, within half a minute. A power cut costs those, and no
    more: what is read is hashed, so what is torn is made again. A kill costs nothing either way.
    """
    return engine.card.network or bool(engine.devices)


def _ready(step: Step) -> Parts:
    if step.parts is None:
        detail = f"`{step.name}` was started before what it is made from"
        raise AssertionError(detail)
    return step.parts
