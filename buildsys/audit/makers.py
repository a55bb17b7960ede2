"""What made each record of a lock, and under which licence, as cards, files, git and the manifest tell.

Knows nothing of who did it, and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from buildsys.audit import making
from buildsys.audit.ground import Ground
from buildsys.audit.history import Drawn
from buildsys.audit.inbound import Files, Seen
from buildsys.audit.making import Word
from buildsys.audit.model import UNKNOWN, Adopted, Making
from buildsys.audit.people import Manuscript
from buildsys.digest import Digest
from buildsys.errors import ManifestError
from buildsys.lock.model import Lock
from buildsys.manifest.cards import FINISH, PACK, Cards
from buildsys.manifest.model import AssetName, Card, Engine
from buildsys.manifest.source import Fault
from buildsys.plan import recipe
from buildsys.plan.handmade import HAND_MADE
from buildsys.plan.record import Record, asset_of


def raw_of(record: Record, cards: Cards) -> tuple[Digest, str] | None:
    """The file that others made a record of, and where in the project it may lie; None where none did."""
    card = _card(cards, record.parts.adapter)
    if card is not None and card.encodes:
        return None
    if record.parts.adapter != FINISH:
        return record.raw, ""
    path = record.paths.get("image", "")
    return (record.raw, path) if path and asset_of(path) is None else None


def by_hand(record: Record) -> bool:
    """Whether a record is made of the project's own picture."""
    path = record.paths.get("image", "")
    return record.parts.adapter == FINISH and bool(path) and asset_of(path) is None


class Makers:
    """What made the pictures of a project, today and before.

    Args:
        ground: where it is looked at.
        files: what files say of themselves.
        manuscript: what the manifest's text says.
        drawn: what the project's own pictures took the place of, as git has it.
    """

    def __init__(
        self, ground: Ground, files: Files, manuscript: Manuscript, drawn: Mapping[str, Drawn]
    ) -> None:
        self._ground = ground
        self._files = files
        self._manuscript = manuscript
        self._drawn = drawn
        self._cards: Cards = ground.cards
        self._locks: dict[str, Lock | None] = {}
        self._past: dict[str, Mapping[AssetName, Word]] = {}

    def words(
        self, records: Mapping[AssetName, Record], lying: Mapping[AssetName, Digest]
    ) -> dict[AssetName, Word]:
        """What made each of `records`; `lying`: what lies where a file was changed by hand."""
        return making.words(records, self._source_type, self._source, self._file, self._handed, lying)

    def before(self, name: AssetName) -> Record | None:
        """The record that git has of a picture before the project's own took its place."""
        drawn = self._drawn.get(name)
        if drawn is None:
            return None
        if drawn.commit not in self._locks:
            self._locks[drawn.commit] = self._ground.lock_of(drawn.commit)
        lock = self._locks[drawn.commit]
        return None if lock is None else lock.records.get(AssetName(drawn.name))

    def adopted(self, record: Record) -> Adopted | None:
        """What an engine drew that a person's picture took the place of."""
        old = self.before(record.name)
        if old is not None:
            return Adopted(
                commit=self._drawn[record.name].commit,
                engine=old.engine,
                adapter=old.parts.adapter,
                model=old.parts.model,
                revision=old.parts.revision,
                licence=self.licence(old),
                prompt=old.parts.prompt,
                seed=old.parts.seed,
            )
        engine = self._engine(record.name) if self._manuscript.of(record.name).adopted else None
        if engine is None:
            return None
        model = recipe.FOLDER if recipe.is_folder(engine.model) else engine.model or engine.card.model
        return Adopted(engine=engine.name, adapter=engine.card.name, model=model, licence=engine.licence)

    def licence(self, record: Record) -> str:
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

    def _source_type(self, record: Record) -> str:
        card = _card(self._cards, record.parts.adapter)
        return card.source_type if card is not None else ""

    def _source(self, record: Record) -> Word:
        seen = self._files.look(record.raw, record.paths.get("image", ""))
        author = next(
            (item.author for item in record.credits if item.source == HAND_MADE and item.author), ""
        )
        word = _told(seen, author)
        if self._manuscript.of(record.name).adopted:
            return making.adopted(word, self._by_git(record) or self._by_comment(record))
        asset = self._ground.manifest.assets.get(record.name)
        told = asset.source_type if asset is not None else ""
        models = (Making.GENERATIVE, Making.COMPOSITE)
        claimed = making.OF_TYPE.get(told)
        own = word.making in models or (record.name in self._drawn and claimed not in models)
        if claimed is not None and not own:
            return Word(claimed, told, f"the manifest says `{told}`")
        if record.name in self._drawn:
            return making.replaced(word, self._by_git(record))
        return word

    def _handed(self, record: Record) -> Word | None:
        found = raw_of(record, self._cards)
        if found is None:
            return None
        seen = self._files.look(*found)
        return making.of_file(seen.c2pa, seen.texts, "")

    def _file(self, path: str, digest: Digest) -> Word:
        return _told(self._files.look(digest, path), "", path)

    def _by_git(self, record: Record) -> Word | None:
        """What made the picture before a person's took its place; all of that lock counts."""
        old = self.before(record.name)
        if old is None:
            return None
        commit = self._drawn[record.name].commit
        if commit not in self._past:
            self._past[commit] = {}  # two locks may ask for each other, where assets came and went
            lock = self._locks[commit]
            self._past[commit] = self.words(lock.records, {}) if lock is not None else {}
        return self._past[commit].get(old.name)

    def _by_comment(self, record: Record) -> Word | None:
        """As `adopt` noted it: for a shallow clone, or a picture that never was committed before."""
        engine = self._engine(record.name)
        return making.of_adapter(engine.card.name, engine.card.source_type) if engine else None

    def _engine(self, asset: AssetName) -> Engine | None:
        written = self._manuscript.of(asset)
        name = written.value
        if written.key == "role":
            by_profile = self._ground.manifest.roles.get(name, {})
            name = by_profile.get(self._ground.manifest.profile) or by_profile.get("*", "")
        return self._ground.manifest.engines.get(name)


def _card(cards: Cards, adapter: str) -> Card | None:
    """The card of an adapter; None where it is of another artlock, or gone from the project."""
    with suppress(Fault, ManifestError):
        return cards.load(adapter)
    return None


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
