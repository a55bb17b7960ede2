"""Merging locks asset by asset. Pure; knows nothing of TOML but the marks that git leaves in a text."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from buildsys.lock.model import Lock
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record

_MARK: Final = re.compile(r"(<{7}|\|{7}|={7}|>{7})(?: .*)?")


class Sides(NamedTuple):
    """The three texts in one that git left with conflicts."""

    base: str | None
    """None where git left no common ancestor (its style `merge`, unlike `diff3` and `zdiff3`)."""
    ours: str
    theirs: str


def sides(text: str) -> Sides | None:
    """What `text` was on either side; None where git left no mark. Raises `ValueError` with the line."""
    if "<<<<<<<" not in text and ">>>>>>>" not in text:
        return None
    texts: dict[str, list[str]] = {"ours": [], "base": [], "theirs": []}
    state, with_base, marked = "all", True, False
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
            state, marked = following, True
        elif state == "all":
            for side in texts.values():
                side.append(line)
        else:
            texts[state].append(line)
    if not marked:
        return None
    if state != "all":
        raise ValueError("the last mark of a merge conflict lacks its other half")
    base, ours, theirs = ("\n".join(texts[side]) for side in ("base", "ours", "theirs"))
    return Sides(base if with_base else None, ours, theirs)


def merge(base: Lock | None, ours: Lock, theirs: Lock) -> tuple[Lock, tuple[AssetName, ...]]:
    """Both sides' assets, and the names of those that the sides changed differently (ours is kept).

    Without a base nobody knows who changed an asset, or that one side removed it: a difference is a
    conflict, and an asset of one side stays, because a build drops what the manifest does not have.
    """
    records: dict[AssetName, Record] = {}
    conflicts: list[AssetName] = []
    for name in sorted(ours.records.keys() | theirs.records.keys()):
        mine, other = ours.records.get(name), theirs.records.get(name)
        if base is None:
            chosen, conflict = mine or other, None not in (mine, other) and mine != other
        else:
            chosen, conflict = _three_way(base.records.get(name), mine, other)
        if conflict:
            conflicts.append(name)
        if chosen is not None:
            records[name] = chosen
    revision = max(ours.revision, theirs.revision)
    stand_ins = {
        name: file
        for name, file in {**theirs.placeholders, **ours.placeholders}.items()
        # Made for real on one side: that side's file replaced the stand-in.
        if all(name in side.placeholders or name not in side.records for side in (ours, theirs))
    }
    merged = Lock(records=records, version=ours.version, revision=revision, placeholders=stand_ins)
    return merged, tuple(conflicts)


def _three_way(base: Record | None, ours: Record | None, theirs: Record | None) -> tuple[Record | None, bool]:
    if ours in (theirs, base):
        return theirs, False
    if theirs == base:
        return ours, False
    return ours or theirs, True
