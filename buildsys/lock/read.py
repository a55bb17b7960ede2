"""The one reader of the lock: its file, and what git left of a merge in it.

Knows nothing of how a lock is written, nor of what its text must hold (`document`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import msgspec

from buildsys import git
from buildsys.digest import Digest
from buildsys.errors import GitError, LockError
from buildsys.files.content import open_regular
from buildsys.files.durable import disk_error
from buildsys.lock import document
from buildsys.lock.document import RESTORE, consistent, environments_in
from buildsys.lock.merge import Sides, approved, merge, said, sides
from buildsys.lock.model import REVISION, Conflict, Lock
from buildsys.manifest.model import AssetName
from buildsys.plan.recipe import digest_of
from buildsys.plan.record import Parts

_MARK = "<<<<<<< "


def load(path: Path) -> Lock:
    """The lock at `path`; an empty one where it is absent. Raises `LockError`, `DiskError`. See `parse`."""
    try:
        # Not `read_bytes`: a named pipe would wait for a writer for ever.
        with os.fdopen(open_regular(path), "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise disk_error("read", path, error) from error
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise LockError(f"{path.name}:{line}: not UTF-8", RESTORE) from error
    return parsed(text, path.name, _stages(path) if _MARK in text else None)


@lru_cache(maxsize=1)
def parsed(text: str, origin: str, stages: Sides | None) -> Lock:
    """As `parse`, and kept: a build reads the lock three times, and mostly finds the same text.

    It does so again once nobody else can write it, and at its end.
    """
    return parse(text, origin=origin, stages=stages)


def _stages(path: Path) -> Sides | None:
    """What git keeps of a merge that is under way: the three locks, each whole."""
    try:
        base, ours, theirs = git.stages(path.parent, path.name)
        if ours is None or theirs is None:
            return None
        return Sides((base or b"").decode(), ours.decode(), theirs.decode())
    except (GitError, UnicodeDecodeError):
        return None  # then the marks in the text are all there is


def parse(
    text: str,
    *,
    origin: str = "assets.lock",
    check: Callable[[Parts], Digest] = digest_of,
    stages: Sides | None = None,
    newest: int = REVISION,
) -> Lock:
    """The lock in `text`; one with marks of git is merged asset by asset. Raises `LockError`.

    Args:
        text: of the file.
        origin: its name, for messages.
        check: gives the recipe digest that each record's parts must have.
        stages: the whole locks that are merged, where git has them.
        newest: the last revision of the schema that is known whole.
    """
    # A checkout on Windows may have changed the ends of lines; a carriage return that belongs to a text
    # is always escaped.
    text = text.replace("\r\n", "\n")
    try:
        found = sides(text)
    except ValueError as error:
        raise LockError(f"{origin}: {error}", RESTORE) from error
    if found is None:
        return _whole(text, origin, check, newest)
    if stages is not None and not found.sorted:
        with suppress(LockError):  # one of them can't be read: the text may be mended already
            return _staged(stages, found, origin, check, newest)
    return _mixed(found, origin, check, newest)


def _whole(text: str, origin: str, check: Callable[[Parts], Digest], newest: int) -> Lock:
    lock, unsealed = document.parse(text, origin, {}, newest)
    if altered := [name for name, record in lock.records.items() if not consistent(record, check)]:
        fact = f"{origin}: asset `{altered[0]}` has a recipe that does not match its digest"
        raise LockError(fact, RESTORE)
    if unsealed:
        raise LockError(f"{origin}: asset `{min(unsealed)}` does not match its seal", RESTORE)
    return lock


def _staged(stages: Sides, found: Sides, origin: str, check: Callable[[Parts], Digest], newest: int) -> Lock:
    """One lock from the whole ones that git has of the merge; `found` tells what was decided since."""
    texts = (stages.base or "", stages.ours, stages.theirs)
    whole = [_whole(text.replace("\r\n", "\n"), origin, check, newest) if text else Lock() for text in texts]
    base, ours, theirs = whole
    merged = merge(base, ours, theirs)
    pool = _pool(found)
    with suppress(LockError):  # a side of the text is lines of both
        mine, other = (document.parse(side, origin, pool, newest).lock for side in (found.ours, found.theirs))
        return said(merged, (base, ours, theirs), (mine, other))
    return merged


def _mixed(found: Sides, origin: str, check: Callable[[Parts], Digest], newest: int) -> Lock:
    """One lock from the sides of a text.

    Where git found no conflict it has already mixed the sides: the text of either may hold a record
    of which some lines are the other's. (That is why a base from elsewhere would not do: the one in the
    text is mixed in the same way.) So only what was chosen must be consistent, and environments,
    whose names follow from what they say, may come from any side.
    """
    pool = _pool(found)
    base = None
    if found.base is not None:
        with suppress(LockError):  # it may hold conflicts itself
            base = document.parse(found.base, origin, pool, newest).lock
    both = [document.parse(side, origin, pool, newest) for side in (found.ours, found.theirs)]
    ours, theirs = (side.lock for side in both)
    merged = merge(base, ours, theirs)
    mixed = {
        name: Conflict(
            base=base.records.get(name) if base else None,
            ours=ours.records.get(name),
            theirs=theirs.records.get(name),
        )
        for name, record in merged.records.items()
        if all(_is_mixed(name, side, check) for side in both if side.lock.records.get(name) == record)
    }
    conflicts = {
        name: msgspec.structs.replace(
            approved(name, conflict, base, ours, theirs),
            mixed=(_is_mixed(name, both[0], check), _is_mixed(name, both[1], check)),
        )
        for name, conflict in {**merged.conflicts, **mixed}.items()
    }
    return msgspec.structs.replace(
        merged,
        records={name: record for name, record in merged.records.items() if name not in mixed},
        conflicts=dict(sorted(conflicts.items())),
        approvals={name: word for name, word in merged.approvals.items() if name not in mixed},
    )


def _is_mixed(name: AssetName, side: document.Parsed, check: Callable[[Parts], Digest]) -> bool:
    """Whether what this side has under `name` is not one record: its recipe or its seal does not fit."""
    record = side.lock.records.get(name)
    return record is not None and (name in side.unsealed or not consistent(record, check))


def _pool(found: Sides) -> dict[str, Mapping[str, str]]:
    pool: dict[str, Mapping[str, str]] = {}
    for side in (found.base, found.ours, found.theirs):
        pool.update(environments_in(side))
    return pool
