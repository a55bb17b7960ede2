"""Two locks held against each other: what was added, removed, renamed or changed, and why.

Pure. Knows nothing of git or pictures: which files are not those of their lock comes in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

import msgspec

from buildsys.digest import Digest
from buildsys.lock.model import Lock
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record
from buildsys.review.causes import Origins, causes
from buildsys.review.fields import fields
from buildsys.review.model import Change, Kind, Side


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One side as a whole."""

    lock: Lock
    edited: Mapping[AssetName, Digest] = {}
    """Files that lie there, where they are not what the lock tells of."""

    def side(self, name: AssetName) -> Side:
        """The asset `name` on this side."""
        record, edited = self.lock.records[name], self.edited.get(name)
        approval = self.lock.approvals.get(name)
        if approval is not None and (edited or approval.pixels != record.picture.pixels):
            approval = None
        frozen = self.lock.frozen.get(name) == record.picture.file
        return Side(record=record, approval=approval, frozen=frozen, edited=edited)


def compare(
    before: Snapshot, after: Snapshot, wanted: Callable[[AssetName], bool] = lambda _: True
) -> tuple[tuple[Change, ...], int]:
    """Every change of an asset that is `wanted`, by name, and how many of these did not change."""
    gone = [name for name in before.lock.records if name not in after.lock.records]
    added = [name for name in after.lock.records if name not in before.lock.records]
    # In conflict, an asset is in neither: nobody knows yet what becomes of it.
    open_questions = {*before.lock.conflicts, *after.lock.conflicts}
    renamed = dict(_renames(before, after, gone, added))
    found: list[Change] = []
    unchanged = 0
    for name, record in after.lock.records.items():
        was = name if name in before.lock.records else renamed.get(name)
        if name in open_questions and was is None:
            continue
        change = _change(before.side(was) if was is not None else None, after.side(name))
        if change is not None:
            found.append(change)
        else:
            unchanged += wanted(record.name)
    moved = {*renamed.values()}
    found += [
        Change(kind=Kind.REMOVED, before=before.side(name))
        for name in gone
        if name not in moved and name not in open_questions
    ]
    explained = _explained(found)
    chosen = [change for change in explained if any(wanted(name) for name in _names(change))]
    return tuple(sorted(chosen, key=lambda change: change.name)), unchanged


def _names(change: Change) -> Iterator[AssetName]:
    """The names that it goes by."""
    for side in (change.before, change.after):
        if side is not None:
            yield side.record.name


def _renames(
    before: Snapshot, after: Snapshot, gone: list[AssetName], added: list[AssetName]
) -> Iterator[tuple[AssetName, AssetName]]:
    """The new name and the old one of each file that is there under another name only.

    Of several with the same bytes, those of one recipe belong together, and then as they stand.
    """
    waiting: dict[Digest, list[Record]] = defaultdict(list)
    for name in gone:
        record = before.lock.records[name]
        waiting[record.picture.file].append(record)
    for name in added:
        record = after.lock.records[name]
        same = waiting[record.picture.file]
        if same:
            old = next((other for other in same if other.recipe == record.recipe), same[0])
            same.remove(old)
            yield name, old.name


def _change(before: Side | None, after: Side) -> Change | None:
    """What became of an asset; None where nothing did."""
    if before is None:
        return Change(kind=Kind.ADDED, after=after, notes=tuple(_edited(after)))
    old, new = before.record, after.record
    found = fields(old, new)
    same = before.shown == after.shown
    # What both sides have was changed by hand before.
    notes = (*(() if same else _edited(after)), *_beside(before, after))
    if old.name != new.name and same:
        found = tuple(field for field in found if field.name != "output")
        return Change(kind=Kind.RENAMED, before=before, after=after, fields=found, notes=notes)
    if same and not found and not notes and _marks(before) == _marks(after):
        return None
    kind = Kind.RECORD if same else Kind.CHANGED
    if not same and not (before.edited or after.edited) and old.picture.pixels == new.picture.pixels:
        kind = Kind.ENCODING
    why = causes(found, same_bytes=same, edited=bool(after.edited))
    return Change(kind=kind, before=before, after=after, fields=found, causes=why, notes=notes)


def _marks(side: Side) -> tuple[bool, bool]:
    return side.approval is not None, side.frozen


def _edited(after: Side) -> Iterator[str]:
    if after.edited is not None:
        yield f"`{after.record.output}` is not the file that the lock tells of: it was changed by hand"


def _beside(before: Side, after: Side) -> Iterator[str]:
    """What a person said of the picture, and the files beside it."""
    old, new = before.record, after.record
    if suffixes := sorted(
        suffix
        for suffix in {*old.companions, *new.companions}
        if old.companions.get(suffix) != new.companions.get(suffix)
    ):
        yield f"its further files changed: {', '.join(f'`{suffix}`' for suffix in suffixes)}"
    if before.approval and not after.approval:
        yield f"its approval by {before.approval.by} holds no more"
    if after.approval and after.approval != before.approval:
        yield f"approved by {after.approval.by}"
    if before.frozen != after.frozen:
        yield "frozen" if after.frozen else "thawed"


def _explained(found: list[Change]) -> list[Change]:
    """`found` with what is made from other assets followed to where it began."""
    origins = Origins({change.name: change for change in found})
    return [msgspec.structs.replace(change, notes=(*change.notes, *origins.of(change))) for change in found]
