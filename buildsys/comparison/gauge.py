"""The gauge of a comparison: measures its pictures, and lays them out on a sheet.

In the process of the adapter `measure`: nothing here decodes a picture. Knows nothing of how they are made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from buildsys import digest
from buildsys.comparison.model import Distance, Entry, Question
from buildsys.comparison.sheet import layout
from buildsys.comparison.words import told
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, MakeError
from buildsys.journal.database import NAME as JOURNAL
from buildsys.journal.rows import last_made
from buildsys.make.pool import Stopped
from buildsys.make.results import Raw
from buildsys.manifest.cards import MEASURE
from buildsys.manifest.model import Asset, AssetName
from buildsys.plan.recipe import generate_key
from buildsys.plan.record import Record
from buildsys.plan.step import Step
from buildsys.session import PRIVATE, Session
from buildsys.store.objects import Store
from buildsys.trial import Easel
from engines.protocol import Json, Request

PLACE: Final = "artlock-compare"
"""Where the names of compared pictures begin: the journal has them under these."""


_STRANGE: Final = re.compile(r"[^A-Za-z0-9_.=+-]")
"""What no name of a file needs."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One picture to make, or why it can't be."""

    engine: str
    seed: int
    settings: Mapping[str, Json] = {}
    number: int = 0
    """Of the settings among those that are tried."""
    asset: Asset | None = None
    notes: tuple[str, ...] = ()
    refusal: ArtlockError | None = None


def name_of(question: Question, place: tuple[str, int, int]) -> AssetName:
    """The name of the picture of an engine, of the settings by their number, and of a seed."""
    engine, number, seed = place
    row = f"{engine}@{number}" if number else engine
    return AssetName(f"{PLACE}/{question.subject.name or 'prompt'}/{row}/{seed}")


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that an engine drew, or the store had."""

    step: Step
    record: Record
    notes: tuple[str, ...]


class Gauge:
    """Measures pictures and lays out their sheet, in the process of the adapter `measure`."""

    def __init__(self, session: Session, bench: Easel, question: Question) -> None:
        self._engine = session.manifest.engines[MEASURE]
        self._bench = bench
        self._store: Store = session.store
        self._question = question
        self._paths: dict[Digest, Path] = {}
        self._past = last_made(session.root / PRIVATE / JOURNAL)

    def check_reference(self) -> tuple[int, int]:
        """The size of the file that is the reference; zeros where it is none.

        Raises `ArtlockError` for one that is no picture, before anything is made or paid for.
        """
        if not self._question.reference_file:
            return 0, 0
        try:
            _, facts = self._ask("reference", {"work": "compare"}, {"image": str(self._reference_file())})
        except Stopped:
            raise
        except ArtlockError as error:
            fact = f"the reference `{self._question.reference_file}` is no use: {error.message}"
            raise ArtlockError(fact, "name another one with `--reference`") from error
        return facts["image"]["width"], facts["image"]["height"]

    def entry(self, cell: Cell, pictures: Mapping[AssetName, Drawn | ArtlockError]) -> Entry:
        """What is told of one cell."""
        made = cell.refusal if cell.asset is None else pictures[cell.asset.name]
        if not isinstance(made, Drawn):
            error = made or MakeError("it was not made", "this is a bug in artlock: report it")
            return Entry(
                engine=cell.engine,
                seed=cell.seed,
                settings=cell.settings,
                message=error.message,
                hint=error.hint,
                notes=cell.notes,
            )
        record = made.record
        # Another cell with this recipe stands for it: what it took was taken once.
        first = cell.asset is not None and made.step.name == cell.asset.name
        spent = self._bench.spent(made.step)
        took = spent or self._past.get(generate_key(record.parts))
        entry = Entry(
            engine=cell.engine,
            seed=record.parts.seed,
            settings=cell.settings,
            file=f"{'-'.join([cell.engine, *_written(cell.settings), str(cell.seed)])}.{record.parts.format}",
            notes=(*cell.notes, *_answered(record), *_shared(cell, made), *made.notes),
            from_store=spent is None or not first,
            make_seconds=took.make_seconds if took else None,
            load_seconds=took.load_seconds if took else None,
            cost=took.cost if took else self._paid(record),
            picture=record.picture,
            file_bytes=self._copy(record.picture.file).stat().st_size,
            is_reference=cell.engine == self._question.reference_engine and not cell.number,
        )
        return self._measured(entry, record, self._reference(cell, pictures))

    def sheet(self, entries: tuple[Entry, ...]) -> Digest:
        """The contact sheet, put into the store."""
        parameters, pictures = layout(self._question, entries)
        inputs = {
            name: str(self._copy(file) if file else self._reference_file()) for name, file in pictures.items()
        }
        return self._store.put_file(Path(self._ask("sheet", parameters, inputs)[0]))

    def _paid(self, record: Record) -> float | None:
        """What a picture did cost that another checkout has made: the store knows."""
        raw = self._store.recall(generate_key(record.parts), Raw)
        return None if raw is None else raw.cost

    def _measured(self, entry: Entry, record: Record, reference: Path | None) -> Entry:
        inputs = {"image": str(self._copy(record.picture.file))}
        if reference is not None and not entry.is_reference:
            inputs["reference"] = str(reference)
        try:
            _, facts = self._ask(f"compare-{entry.file}", {"work": "compare"}, inputs)
        except Stopped:
            raise
        except ArtlockError as error:
            return msgspec.structs.replace(entry, notes=(*entry.notes, f"not compared: {error.message}"))
        image = facts["image"]
        known = {key: value for key, value in facts.items() if key in Distance.__struct_fields__}
        return msgspec.structs.replace(
            entry,
            opaque=image["opaque"],
            alpha=image["opaque"] < 1,
            distance=msgspec.convert(known, Distance) if known else None,
        )

    def _reference(self, cell: Cell, pictures: Mapping[AssetName, Drawn | ArtlockError]) -> Path | None:
        """The picture to hold a cell's against; None where that engine made none."""
        engine = self._question.reference_engine
        if not engine:
            return self._reference_file()
        made = pictures.get(name_of(self._question, (engine, 0, cell.seed)))
        return self._copy(made.record.picture.file) if isinstance(made, Drawn) else None

    def _reference_file(self) -> Path:
        return self._copy(digest.of_bytes(self._question.reference), self._question.reference)

    def _copy(self, wanted: Digest, data: bytes | None = None) -> Path:
        """A private copy for the engine, which never reads the store itself."""
        if wanted not in self._paths:
            found = data if data is not None else self._store.read(wanted)
            if found is None:
                raise MakeError("a picture is lost from the store", "run the command again")
            path = self._bench.pool.inputs / f"{wanted[:16]}-compared"
            path.write_bytes(found)
            self._paths[wanted] = path
        return self._paths[wanted]

    def _ask(
        self, name: str, parameters: Mapping[str, Json], inputs: Mapping[str, str]
    ) -> tuple[str, Mapping[str, Json]]:
        request = Request(
            id=f"{name}#measure",
            asset=str(PurePosixPath(PLACE) / name),
            output=f"{digest.of_bytes(name.encode())[:16]}.png",
            parameters=parameters,
            inputs=inputs,
        )
        done = self._bench.pool.render(self._engine, request)
        return done.output, done.facts


def _written(settings: Mapping[str, Json]) -> list[str]:
    """`settings` as a file's name can tell them."""
    return [_STRANGE.sub("_", f"{key}={told(value)}")[:40] for key, value in settings.items()]


def _shared(cell: Cell, made: Drawn) -> tuple[str, ...]:
    """Engines may differ in settings only, which are no part of a recipe."""
    other = made.step.asset
    if cell.asset is None or other.name == cell.asset.name:
        return ()
    if other.engine == cell.engine:
        return ("has the recipe of another one: made once for both",)
    return (f"has the recipe of `{other.engine}`: made once for both",)


def _answered(record: Record) -> tuple[str, ...]:
    """What the provider says it did otherwise."""
    sent, parts = record.sent, record.parts
    notes = []
    if sent.get("prompt") not in (None, "", parts.prompt):
        notes.append("its provider rewrote the prompt")
    if parts.seed is not None and sent.get("seed") not in (None, parts.seed):
        notes.append(f"its provider used seed {sent['seed']}")
    return tuple(notes)
