"""Merging locks asset by asset. Pure; knows nothing of TOML but the marks that git leaves in a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple, TypeVar

import msgspec

from buildsys.digest import Digest
from buildsys.lock.model import Approval, Conflict, Lock
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record

_Line = TypeVar("_Line")

_MARK: Final = re.compile(r"(<{7}|\|{7}|={7}|>{7})(?: .*)?")

OURS: Final = "<<<<<<< artlock: ours"
BASE: Final = "||||||| artlock: base"
THEIRS: Final = "======="
END: Final = ">>>>>>> artlock: theirs"
"""The marks of a conflict that artlock writes: whole records between them, never single lines."""


class Sides(NamedTuple):
    """The three texts of a merge."""

    base: str | None
    """None where git left no common ancestor (its style `merge`, unlike `diff3` and `zdiff3`)."""
    ours: str
    theirs: str
    sorted: bool = False
    """Whether artlock wrote the marks, so that what is between them is all that is still open."""


def sides(text: str) -> Sides | None:
    """What `text` was on either side; None where git left no mark. Raises `ValueError` with the line."""
    if "<<<<<<<" not in text and ">>>>>>>" not in text:
        return None
    texts: dict[str, list[str]] = {"ours": [], "base": [], "theirs": []}
    state, with_base, begun = "all", True, set[str]()
    after = {"all": {"<": "ours"}, "ours": {"|": "base", "=": "theirs"}, "base": {"=": "theirs"}}
    after["theirs"] = {">": "all"}
    for number, line in enumerate(text.split("\n"), 1):
        # Longer runs are the marks of a conflict inside the common ancestor; they stay in its text.
        if mark := _MARK.fullmatch(line):
            following = after[state].get(mark[0][0])
            if following is None:
                detail = f"line {number}: a mark of a merge conflict without its other half"
                raise ValueError(detail)
            with_base = with_base and (state, following) != ("ours", "theirs")
            if following == "ours":
                begun.add(line)
            state = following
        elif state == "all":
            for side in texts.values():
                side.append(line)
        else:
            texts[state].append(line)
    if not begun:
        return None
    if state != "all":
        raise ValueError("the last mark of a merge conflict lacks its other half")
    base, ours, theirs = ("\n".join(texts[side]) for side in ("base", "ours", "theirs"))
    return Sides(base if with_base else None, ours, theirs, begun == {OURS})


def merge(base: Lock | None, ours: Lock, theirs: Lock) -> Lock:
    """Both sides' assets; those that the sides changed differently are its conflicts.

    Without a base nobody knows who changed an asset, or that one side removed it: a difference is a
    conflict, and an asset of one side stays, because a build drops what the manifest does not have.
    """
    records: dict[AssetName, Record] = {}
    conflicts: dict[AssetName, Conflict] = {}
    for name in sorted(ours.records.keys() | theirs.records.keys()):
        before = None if base is None else base.records.get(name)
        mine, other = ours.records.get(name), theirs.records.get(name)
        if base is None:
            chosen, conflict = mine or other, None not in (mine, other) and mine != other
        else:
            chosen, conflict = _three_way(before, mine, other)
        if conflict:
            conflicts[name] = Conflict(base=before, ours=mine, theirs=other)
        elif chosen is not None:
            records[name] = chosen
    frozen = _lines(base, ours, theirs, lambda lock: lock.frozen)
    for name in [name for name, file in frozen.items() if _is_moved(records.get(name), file)]:
        # One side froze a picture that the other replaced: which of them stays is for a person to say.
        mine, other = ours.records.get(name), theirs.records.get(name)
        if mine != other:
            before = None if base is None else base.records.get(name)
            conflicts[name] = Conflict(base=before, ours=mine, theirs=other)
            del records[name]
    stand_ins = {
        name: file
        for name, file in {**theirs.placeholders, **ours.placeholders}.items()
        # Made for real on one side: that side's file replaced the stand-in.
        if all(name in side.placeholders or name not in side.records for side in (ours, theirs))
    }
    return Lock(
        records=records,
        version=ours.version,
        revision=max(ours.revision, theirs.revision),
        placeholders=stand_ins,
        conflicts={
            name: approved(name, conflict, base, ours, theirs) for name, conflict in sorted(conflicts.items())
        },
        approvals=_approvals(records, conflicts, base, ours, theirs),
        frozen=frozen,
        marked=True,
    )


def approved(name: AssetName, conflict: Conflict, base: Lock | None, ours: Lock, theirs: Lock) -> Conflict:
    """The conflict with what the locks say of the picture of either side."""
    mine, other = (
        None if record is None else _approval(name, record, base, ours, theirs)
        for record in (conflict.ours, conflict.theirs)
    )
    return msgspec.structs.replace(conflict, approvals=(mine, other))


def _approvals(
    records: Mapping[AssetName, Record],
    conflicts: Collection[AssetName],
    base: Lock | None,
    ours: Lock,
    theirs: Lock,
) -> dict[AssetName, Approval]:
    """One of the picture that the merge took, whoever said it; else what is said beside the records.

    Those of conflicts stay with these, until a person takes one of the pictures.
    """
    lines = _lines(base, ours, theirs, lambda lock: lock.approvals)
    names = records.keys() & (ours.approvals.keys() | theirs.approvals.keys())
    valid = {name: _approval(name, records[name], base, ours, theirs) for name in names}
    found = {**lines, **{name: word for name, word in valid.items() if word is not None}}
    return {name: word for name, word in sorted(found.items()) if name not in conflicts}


def _approval(
    name: AssetName, record: Record, base: Lock | None, ours: Lock, theirs: Lock
) -> Approval | None:
    """Of the picture of `record`: ours before theirs, but not what a side took back that has this picture.

    A side that has another picture now took nothing back: there, the approval lapsed.
    """
    pixels, both = record.picture.pixels, (ours, theirs)
    before = None if base is None else base.approvals.get(name)
    is_over = any(
        side.approvals.get(name) != before
        for side in both
        if name in side.records and side.records[name].picture.pixels == pixels
    )
    words = (word for side in both if (word := side.approvals.get(name)) and word.pixels == pixels)
    return next((word for word in words if word != before or not is_over), None)


def _is_moved(record: Record | None, file: Digest) -> bool:
    return record is not None and record.picture.file != file


def _lines(
    base: Lock | None, ours: Lock, theirs: Lock, of: Callable[[Lock], Mapping[AssetName, _Line]]
) -> dict[AssetName, _Line]:
    """What both sides say of single assets beside their records: what one side added or took back counts.

    Where both said something else of an asset, ours stays.
    """
    before, mine, other = ({} if lock is None else of(lock) for lock in (base, ours, theirs))
    found = {}
    for name in sorted(mine.keys() | other.keys()):
        line = mine.get(name)
        if line == before.get(name):
            line = other.get(name)
        if line is not None:
            found[name] = line
    return found


def _three_way(base: Record | None, ours: Record | None, theirs: Record | None) -> tuple[Record | None, bool]:
    if ours in (theirs, base):
        return theirs, False
    if theirs == base:
        return ours, False
    return None, True


def said(merged: Lock, whole: tuple[Lock, Lock, Lock], text: tuple[Lock, Lock]) -> Lock:
    """`merged`, of the `whole` locks of a merge, with what a person has decided in the marked text since.

    That shows where both sides of the `text` hold the same of an asset: a record of one of the whole locks,
    or none. Any other is lines of two records, which git took for one: the whole locks know better.
    """
    records, conflicts = dict(merged.records), dict(merged.conflicts)
    approvals = dict(merged.approvals)
    for name in frozenset[AssetName]().union(*(lock.records for lock in whole)):
        mine, other = (side.records.get(name) for side in text)
        if mine != other or (mine is not None and mine not in [lock.records.get(name) for lock in whole]):
            continue
        conflicts.pop(name, None)
        records.pop(name, None)
        if mine is not None:
            records[name] = mine
            if (word := _approval(name, mine, *whole)) is not None:
                approvals[name] = word
    return msgspec.structs.replace(
        merged,
        records=dict(sorted(records.items())),
        conflicts=conflicts,
        approvals=dict(sorted(approvals.items())),
    )
