"""An audit, gathered: the lock's records, and what git, the store, the cards and the manifest add to them.

Reads, and writes nothing. Knows nothing of how an audit is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from buildsys.audit import making, people
from buildsys.audit.costs import Costs
from buildsys.audit.ground import Ground, check_whole
from buildsys.audit.inbound import Files
from buildsys.audit.makers import Makers, by_hand, raw_of
from buildsys.audit.model import Audit, Entry, State, Used
from buildsys.audit.people import Manuscript
from buildsys.digest import Digest
from buildsys.lockwords import meant
from buildsys.manifest.cards import Cards
from buildsys.manifest.model import AssetName
from buildsys.plan.companions import files_of
from buildsys.plan.credits import owed
from buildsys.plan.record import Record, asset_of
from buildsys.session import Session


def gather(session: Session, ground: Ground, files: Files, names: Collection[str] = ()) -> Audit:
    """The audit of `names`, each with its other scales and formats, or a pattern; or of everything.

    Raises `LockError`, also for a name that the lock does not know.
    """
    check_whole(ground.lock)
    return _Gatherer(session, ground, files).audit(chosen(ground, names))


def chosen(ground: Ground, names: Collection[str]) -> tuple[AssetName, ...]:
    """The assets that the words of a command line mean, sorted; all without any. Raises `LockError`."""
    records = ground.lock.records
    return tuple(sorted(meant(names, records) if names else records))


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
        self._makers = Makers(ground, files, self._manuscript, self._history.drawn)
        self._words = self._makers.words(records, changed)

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
            licence=self._makers.licence(record),
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
            hands=people.hands(record, self._manuscript, asset, lying, replaced=name in self._history.drawn),
            adopted=self._makers.adopted(record) if by_hand(record) else None,
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
