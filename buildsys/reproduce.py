"""Reproducing: an asset made again from its lock entry alone, and held against it.

Makes from no manifest and no cache: the store is asked only for the bytes of inputs, and the manifest
only for how to run an engine. Writes nothing into the project.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from buildsys import digest
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, MakeError
from buildsys.journal.keeper import Journal
from buildsys.make.maker import Maker
from buildsys.make.pool import Pool
from buildsys.make.progress import Event
from buildsys.manifest import devices
from buildsys.manifest.cards import MEASURE, Cards
from buildsys.manifest.model import Asset, AssetName, Engine, Input
from buildsys.manifest.source import Fault
from buildsys.plan import recipe
from buildsys.plan.record import Record, asset_of
from buildsys.plan.step import Step, Verdict
from buildsys.session import PRIVATE, Session
from buildsys.store.objects import Store
from buildsys.workbench import interruptible, journalled
from engines.protocol import Determinism, Request


class Likeness(StrEnum):
    """How close the new picture is to the locked one."""

    BYTES = "identical-bytes"
    PIXELS = "identical-pixels"
    """Only the file's encoding differs."""
    DIFFERENT = "same-recipe-different-picture"
    IMPOSSIBLE = "impossible"
    """It can't be made here; `message` says why."""


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """How far two pictures are from each other, as the adapter `measure` says it."""

    hash_bits: int
    """Bits of 64 in which the perceptual hashes differ."""
    psnr: float | None = None
    """Peak signal-to-noise ratio in dB; None where nothing differs to the eye, or the locked one is gone."""
    ssim: float | None = None
    """Structural similarity, 1 for pictures that look equal."""
    resized: bool = False
    """Whether the sizes differ, and these two are those of both at the smaller width and height."""
    largest: int | None = None
    """Largest difference of a channel value, 0 to 255; None where the sizes differ."""
    changed: float | None = None
    """Share of pixels that differ, 0 to 1; None where the sizes differ."""


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """One asset made again."""

    name: AssetName
    likeness: Likeness
    determinism: Determinism | None = None
    """What the adapter promises: anything but identical bytes breaks `bitwise`."""
    distance: Distance | None = None
    message: str = ""
    hint: str = ""
    then: Mapping[str, str] = {}
    now: Mapping[str, str] = {}
    """The environments of the locked and of the new picture."""


def reproduce(
    session: Session, names: Collection[AssetName], jobs: int, tell: Callable[[Event], None]
) -> Iterator[Reproduction]:
    """Make each of `names` again in a scratch place. Raises nothing for an asset that can't be made."""
    private = session.root / PRIVATE
    with (
        interruptible(),
        journalled(session, "reproduce", jobs, tell) as journal,
        Pool(
            private, root=session.root, jobs=jobs, on_event=journal.before(tell), on_key=journal.conceal
        ) as pool,
    ):
        # In the folder of the run: what a killed one leaves there, the next one removes.
        folder = pool.inputs / "reproduce"
        for name in names:
            yield _one(session, session.lock.records[name], pool, folder, journal)


def _one(session: Session, record: Record, pool: Pool, folder: Path, journal: Journal) -> Reproduction:
    try:
        engine = engine_of(session, record)
        # A store of its own: nothing cached may answer, and a different picture must not become what
        # the recipe is known to give.
        store = Store(folder / "store")
        for wanted in {*record.parts.inputs.values()}:
            store.put_bytes(_input(session, record, wanted))
        manifest = msgspec.structs.replace(
            session.manifest, engines={**session.runnable().engines, engine.name: engine}
        )
        maker = Maker(
            root=folder,
            manifest=manifest,
            store=store,
            engines=pool,
            inputs=pool.inputs,
            locate=session.checkout.path,
            from_git=lambda _: None,
            rebuild=frozenset({record.name}),
            tell=journal.note,
        )
        step = _step(session, record, engine)
        with journal.asset(step):
            made, _ = maker.make(step)
        return _held_against(session, record, made, engine, pool, store, folder)
    except ArtlockError as error:
        return Reproduction(
            name=record.name, likeness=Likeness.IMPOSSIBLE, message=error.message, hint=error.hint
        )


def engine_of(session: Session, record: Record) -> Engine:
    """The engine of a lock entry: what to make from its parts, how to run from the manifest, if there."""
    parts = record.parts
    try:
        card = Cards(session.root).load(parts.adapter)
    except Fault as fault:
        raise MakeError(fault.fact, fault.hint) from fault
    if card.version != parts.adapter_version:
        own = card.name.endswith(".py")
        raise MakeError(
            f"`{record.name}` was made by adapter `{card.name}` {parts.adapter_version}; "
            f"{'its card says' if own else 'this artlock has'} {card.version}",
            f"check out `{card.name}` and its card as they were then"
            if own
            else "install the version of artlock that the lock was written with",
        )
    current = session.runnable().engines.get(record.engine)
    same = current is not None and current.card.name == card.name
    if parts.model == recipe.FOLDER and not (same and current and current.model):
        raise MakeError(
            f"`{record.name}` was made with a local model, and no engine says where it lies",
            f"declare `[engines.{record.engine}]` with its `model`",
        )
    if parts.model == recipe.FOLDER and current and session.checkout.revision(current) != parts.revision:
        raise MakeError(
            f"the weights of `{record.engine}` are not those that `{record.name}` was made with",
            f"point `model` of `[engines.{record.engine}]` at the weights {parts.revision[:12]}",
        )
    if same and current:
        # How to run it: device, limits, walls, interpreter.
        model = current.model if parts.model == recipe.FOLDER else parts.model
        return msgspec.structs.replace(current, model=model, revision=parts.revision)
    defaults = {name: item.default for name, item in card.settings.items() if item.default is not None}
    return Engine(
        name=record.engine,
        card=card,
        model=parts.model,
        revision=parts.revision,
        settings=defaults,
        limits=card.limits,
        devices=devices.settle(card, {}, defaults),
    )


def _input(session: Session, record: Record, wanted: Digest) -> bytes:
    """The bytes of an input: from the store, from where it lay, or from git."""
    found = session.store.read(wanted)
    if found is not None:
        return found
    field = next(field for field, item in record.parts.inputs.items() if item == wanted)
    source = _origin(session, record, field)
    if source:
        path = session.checkout.path(source)
        for data in (path.read_bytes() if path.is_file() else None, session.checkout.from_git(source)):
            if data is not None and digest.of_bytes(data) == wanted:
                return data
    why = f"`{source}` holds other bytes now" if source else "the lock does not know what it was made from"
    raise MakeError(
        f"input `{field}` of `{record.name}` is gone: {why}",
        f"restore the file whose SHA-256 begins with {wanted[:12]}",
    )


def _origin(session: Session, record: Record, field: str) -> str:
    """Where an input lay in the project; empty where the lock does not know the asset that it was."""
    source = record.paths.get(field, "")
    name = asset_of(source)
    if name is None:
        return source
    upstream = session.lock.records.get(name)
    return upstream.output if upstream else ""


def _step(session: Session, record: Record, engine: Engine) -> Step:
    parts = record.parts
    asset = Asset(
        name=record.name,
        role="",
        engine=engine.name,
        finish=parts.finish,
        # A path, also where it was an asset: the manifest may not know that one any more.
        inputs={field: Input(path=_origin(session, record, field)) for field in parts.inputs},
        format=parts.format,
    )
    return Step(
        name=record.name,
        asset=asset,
        verdict=Verdict.BUILD,
        reasons=(),
        output=record.output,
        parts=parts,
        recipe=record.recipe,
    )


def _held_against(
    session: Session, record: Record, made: Record, engine: Engine, pool: Pool, store: Store, folder: Path
) -> Reproduction:
    old, new = record.picture, made.picture
    likeness = Likeness.DIFFERENT
    if (old.file, record.companions) == (new.file, made.companions):
        likeness = Likeness.BYTES
    elif old.pixels == new.pixels and not record.companions:
        likeness = Likeness.PIXELS
    distance = None
    if likeness is Likeness.DIFFERENT:
        distance = _distance(session, record, made, pool, store, folder)
    return Reproduction(
        name=record.name,
        likeness=likeness,
        determinism=engine.card.determinism,
        distance=distance,
        then=record.environment,
        now=made.environment,
    )


def _distance(
    session: Session, record: Record, made: Record, pool: Pool, store: Store, folder: Path
) -> Distance:
    bits = (int(record.picture.phash, 16) ^ int(made.picture.phash, 16)).bit_count()
    old = session.store.read(record.picture.file) or session.checkout.from_git(record.output)
    path = session.root / record.output
    if old is None and path.is_file():
        old = path.read_bytes()
    new = store.read(made.picture.file)
    if old is None or new is None or digest.of_bytes(old) != record.picture.file:
        return Distance(hash_bits=bits)
    # Names of ours: the format in a stranger's lock may be a path. Who decodes them looks at the bytes.
    reference, image = folder / "then", folder / "now"
    reference.write_bytes(old)
    image.write_bytes(new)
    request = Request(
        id="compare",
        asset=record.name,
        output="compared.png",
        parameters={"work": "compare"},
        inputs={"image": str(image), "reference": str(reference)},
    )
    facts = pool.render(session.manifest.engines[MEASURE], request).facts
    known = {field: facts[field] for field in Distance.__struct_fields__ if field in facts}
    return msgspec.convert(known, Distance)
