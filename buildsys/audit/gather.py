"""An audit, gathered: the lock's records, and what git, the store, the cards and the manifest add to them.

Reads, and writes nothing. Knows nothing of how an audit is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress

from buildsys.audit import making, people
from buildsys.audit.costs import Costs
from buildsys.audit.ground import Ground, check_whole
from buildsys.audit.inbound import Files, Seen
from buildsys.audit.making import Word
from buildsys.audit.model import UNKNOWN, Audit, Entry, Making, State, Used
from buildsys.audit.people import Manuscript
from buildsys.digest import Digest
from buildsys.errors import LockError, ManifestError, did_you_mean
from buildsys.manifest.cards import FINISH, PACK, Cards
from buildsys.manifest.model import AssetName, Card, Engine
from buildsys.manifest.source import Fault
from buildsys.plan import recipe
from buildsys.plan.companions import files_of
from buildsys.plan.credits import owed
from buildsys.plan.handmade import HAND_MADE
from buildsys.plan.record import Record, asset_of
from buildsys.session import Session


def gather(session: Session, ground: Ground, files: Files, names: Collection[str] = ()) -> Audit:
    """The audit of `names`, each with its other scales and formats, or of everything.

    Raises `LockError`, also for a name that the lock does not know.
    """
    check_whole(ground.lock)
    return _Gatherer(session, ground, files).audit(chosen(ground, names))


def chosen(ground: Ground, names: Collection[str]) -> tuple[AssetName, ...]:
    """The assets that the words of a command line name, sorted. Raises `LockError`."""
    records = ground.lock.records
    for name in names:
        if name not in records:
            hint = did_you_mean(name, records) or "run `artlock status` for the list"
            raise LockError(f"the lock has no asset `{name}`", hint)
    if not names:
        return tuple(sorted(records))
    assets = ground.manifest.assets
    return tuple(
        sorted(name for name in records if name in names or (name in assets and assets[name].main in names))
    )


def raw_of(record: Record, cards: Cards) -> tuple[Digest, str] | None:
    """The file that others made a record of, and where in the project it may lie; None where none did."""
    card = _card(cards, record.parts.adapter)
    if card is not None and card.encodes:
        return None
    if record.parts.adapter != FINISH:
        return record.raw, ""
    path = record.paths.get("image", "")
    return (record.raw, path) if path and asset_of(path) is None else None


class _Gatherer:
    def __init__(self, session: Session, ground: Ground, files: Files) -> None:
        self._ground = ground
        self._files = files
        self._costs = Costs(session)
        self._manuscript = Manuscript(ground)
        self._history = people.histories(ground)
        self._cards: Cards = ground.cards
        records = ground.lock.records
        self._lying = self._edits(records)
        changed = {
            name: found for name, (state, found) in self._lying.items() if found and state is State.EDITED
        }
        self._words = making.words(
            records, self._source_type, self._source, self._file, self._handed, changed
        )

    def audit(self, names: Collection[AssetName]) -> Audit:
        records = self._ground.lock.records
        entries = tuple(self._entry(records[name]) for name in names)
        raws = (raw_of(records[name], self._cards) for name in names)
        away = sum(not self._files.look(*found).here for found in raws if found is not None)
        store = f"of {away} assets the picture as it came is not here, so what it says of itself is not told"
        standins = len(self._ground.lock.placeholders)
        labelled = f"where {standins} assets go only placeholders lie, which are not told of"
        notes = (
            *self._ground.notes,
            *self._history.notes,
            *self._costs.notes,
            *((store,) if away else ()),
            *((labelled,) if standins else ()),
        )
        return Audit(
            project=self._ground.manifest.project.name,
            commit=self._ground.commit,
            working=self._ground.working,
            entries=entries,
            notes=notes,
        )

    def _entry(self, record: Record) -> Entry:
        name, parts = record.name, record.parts
        asset = self._ground.manifest.assets.get(name)
        state, found = self._lying[name]
        lying = found if state is State.EDITED else None
        word = making.edited(self._words[name]) if lying else self._words[name]
        raw = raw_of(record, self._cards)
        return Entry(
            asset=name,
            files=dict(sorted(files_of(record).items())),
            output=record.output,
            state=state,
            lying=lying,
            made_by=word.making,
            because=word.because,
            source_type=word.type,
            told=parts.metadata,
            engine=record.engine,
            adapter=parts.adapter,
            adapter_version=parts.adapter_version,
            model=parts.model,
            revision=parts.revision,
            licence=self._licence(record),
            instead_of=record.instead_of,
            recipe=record.recipe,
            prompt=parts.prompt,
            negative=parts.negative,
            text=parts.text,
            seed=parts.seed,
            size=parts.size,
            parameters=parts.parameters,
            finish=parts.finish,
            sent=record.sent,
            used=used(record, self._ground.lock.records),
            hands=people.hands(record, self._manuscript, asset, lying),
            choice=people.choice(record, asset, self._manuscript.of(name).number),
            brought=self._history.brought.get(name),
            accepted=people.accepted(self._ground.lock, record),
            frozen=name in self._ground.lock.frozen,
            cost=self._costs.of(record),
            spent=self._costs.spent(name),
            environment=dict(sorted(record.environment.items())),
            credits=tuple(owed(record, self._ground.lock.records)),
            pixels=record.picture.pixels,
            raw=record.raw,
            phash=record.picture.phash,
            c2pa=self._files.look(*raw).c2pa if raw else None,
        )

    def _edits(self, records: Mapping[AssetName, Record]) -> dict[AssetName, tuple[State, Digest | None]]:
        """What lies where each asset goes; what a picture's companions are, `check` tells."""
        lying = self._ground.lying(record.output for record in records.values())
        stored = self._ground.manifest.project.outputs == "store"
        found: dict[AssetName, tuple[State, Digest | None]] = {}
        for name, record in records.items():
            there = lying[record.output]
            if there is None:
                # Where finished files are not in git, the store has them, and the lock names them.
                state = State.LOCKED if stored and not self._ground.working else State.MISSING
            else:
                state = State.LOCKED if there == record.picture.file else State.EDITED
            found[name] = state, there
        return found

    def _source_type(self, record: Record) -> str:
        card = _card(self._cards, record.parts.adapter)
        return card.source_type if card is not None else ""

    def _source(self, record: Record) -> Word:
        seen = self._files.look(record.raw, record.paths.get("image", ""))
        author = next(
            (item.author for item in record.credits if item.source == HAND_MADE and item.author), ""
        )
        word = _told(seen, author)
        if not self._manuscript.of(record.name).adopted:
            return word
        return making.adopted(word, self._before(record))

    def _handed(self, record: Record) -> Word | None:
        found = raw_of(record, self._cards)
        if found is None:
            return None
        seen = self._files.look(*found)
        return making.of_file(seen.c2pa, seen.texts, "")

    def _file(self, path: str, digest: Digest) -> Word:
        return _told(self._files.look(digest, path), "", path)

    def _before(self, record: Record) -> Word | None:
        """What made the picture that a person changed and adopted."""
        brought = self._history.brought.get(record.name)
        engines = self._ground.manifest.engines
        engine = engines.get(brought.replaced) if brought and brought.replaced != FINISH else None
        if engine is None:
            written = self._manuscript.of(record.name)
            name = written.value
            if written.key == "role":
                by_profile = self._ground.manifest.roles.get(name, {})
                name = by_profile.get(self._ground.manifest.profile) or by_profile.get("*", "")
            engine = engines.get(name)
        return making.of_adapter(engine.card.name, engine.card.source_type) if engine else None

    def _licence(self, record: Record) -> str:
        """Of the model, as an engine of the manifest or a preset tells it."""
        if record.parts.adapter in (FINISH, PACK):
            return ""
        engines = self._ground.manifest.engines
        told = [engines[record.engine]] if record.engine in engines else []
        told += [engine for name, engine in sorted(engines.items()) if name != record.engine]
        for engine in told:
            if engine.licence and _same_model(engine, record):
                return engine.licence
        word = making.of_adapter(record.parts.adapter, self._source_type(record))
        return "" if word.making is Making.PROCEDURAL else UNKNOWN


def _card(cards: Cards, adapter: str) -> Card | None:
    """The card of an adapter; None where it is of another artlock, or gone from the project."""
    with suppress(Fault, ManifestError):
        return cards.load(adapter)
    return None


def used(record: Record, records: Mapping[AssetName, Record]) -> tuple[Used, ...]:
    """All that went into a picture, down to the roots."""
    direct: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for parameter, digest in sorted(record.parts.inputs.items()):
        direct[record.paths.get(parameter, ""), digest].append(parameter)
    all_: dict[tuple[str, str], None] = dict.fromkeys(direct)
    seen = {record.name}
    waiting = [name for path, _ in direct if (name := asset_of(path)) is not None]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in records:
            continue
        seen.add(name)
        for parameter, digest in records[name].parts.inputs.items():
            path = records[name].paths.get(parameter, "")
            all_[path, digest] = None
            waiting += [other] if (other := asset_of(path)) is not None else []
    return tuple(
        Used(
            digest=Digest(digest),
            path="" if asset_of(path) else path,
            asset=asset_of(path) or "",
            parameters=tuple(direct.get((path, digest), ())),
            root=asset_of(path) not in records,
        )
        for path, digest in sorted(all_)
    )


def _told(seen: Seen, author: str, path: str = "") -> Word:
    if not seen.here and not author:
        which = f"`{path}`" if path else "its source"
        return Word(Making.UNKNOWN, "", f"{which} is not on this machine, so nobody can say what made it")
    return making.of_file(seen.c2pa, seen.texts, author)


def _same_model(engine: Engine, record: Record) -> bool:
    """Whether a record was made by the model that an engine names: a licence is a model's, not a name's."""
    parts = record.parts
    if engine.card.name != parts.adapter:
        return False
    if recipe.is_folder(engine.model):
        # Which weights lie there now, only their digest would tell; the name of the engine stands for them.
        return engine.name == record.engine and parts.model == recipe.FOLDER
    return (engine.model or engine.card.model) == parts.model
