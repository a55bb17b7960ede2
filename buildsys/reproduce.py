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
from buildsys.errors import ArtlockError
from buildsys.journal.keeper import Journal
from buildsys.make.maker import Maker
from buildsys.make.pool import Pool
from buildsys.make.progress import Event
from buildsys.manifest.cards import MEASURE
from buildsys.manifest.model import AssetName, Engine
from buildsys.plan.record import Record
from buildsys.remaking import engine_of, input_of, step_of
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
            store.put_bytes(input_of(session, record, wanted))
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
        step = step_of(session, record, engine)
        with journal.asset(step):
            made, _ = maker.make(step)
        return _held_against(session, record, made, engine, pool, store, folder)
    except ArtlockError as error:
        return Reproduction(
            name=record.name, likeness=Likeness.IMPOSSIBLE, message=error.message, hint=error.hint
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
