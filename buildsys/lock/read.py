"""The one reader of the lock. Trusts nothing: a lock comes from whoever opened the pull request.

Knows nothing of how a lock is written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import rtoml

from buildsys import digest
from buildsys.digest import Digest
from buildsys.errors import LockError
from buildsys.files.content import open_regular
from buildsys.files.durable import disk_error
from buildsys.lock import entry
from buildsys.lock.merge import Sides, merge, sides
from buildsys.lock.model import REVISION, VERSION, Lock
from buildsys.lock.write import environment_id
from buildsys.manifest.model import AssetName
from buildsys.plan.recipe import digest_of
from buildsys.plan.record import Parts, Record

Table: TypeAlias = dict[str, Any]

_RESTORE: Final = "restore the lock from git, then run `artlock build`"
_PLACE: Final = re.compile(r" at line (\d+) column (\d+)")


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
        raise LockError(f"{path.name}:{line}: not UTF-8", _RESTORE) from error
    return _parsed(text, path.name)


@lru_cache(maxsize=1)
def _parsed(text: str, origin: str) -> Lock:
    """Kept: a build reads the lock again once nobody else can write it, and mostly finds the same text."""
    return parse(text, origin=origin)


def parse(text: str, *, origin: str = "assets.lock", check: Callable[[Parts], Digest] = digest_of) -> Lock:
    """The lock in `text`; one with conflict marks of git is merged asset by asset. Raises `LockError`.

    `check` gives the recipe digest that each record's parts must have.
    """
    # A checkout on Windows may have changed the ends of lines; a carriage return that belongs to a text
    # is always escaped.
    text = text.replace("\r\n", "\n")
    try:
        found = sides(text)
    except ValueError as error:
        raise LockError(f"{origin}: {error}", _RESTORE) from error
    if found is None:
        lock = _parse(text, origin, {})
        if altered := [name for name, record in lock.records.items() if not _consistent(record, check)]:
            raise LockError(
                f"{origin}: asset `{altered[0]}` has a recipe that does not match its digest", _RESTORE
            )
        return lock
    return _merged(found, origin, check)


def _merged(found: Sides, origin: str, check: Callable[[Parts], Digest]) -> Lock:
    """One lock from the sides of a merge.

    Where git found no conflict it has already mixed the sides: the text of either may hold a record
    of which some lines are the other's. (That is why a base from elsewhere would not do: the one in the
    text is mixed in the same way.) So only what was chosen must be consistent, and environments,
    whose names follow from what they say, may come from any side.
    """
    pool: dict[str, Mapping[str, str]] = {}
    for side in found:
        pool.update(_environments_in(side))
    base = None
    if found.base is not None:
        with suppress(LockError):  # it may hold conflicts itself
            base = _parse(found.base, origin, pool)
    merged, conflicts = merge(base, _parse(found.ours, origin, pool), _parse(found.theirs, origin, pool))
    mixed = [name for name, record in merged.records.items() if not _consistent(record, check)]
    if names := sorted({*conflicts, *mixed}):
        raise _conflict(origin, names, known=base is not None)
    return merged


def _consistent(record: Record, check: Callable[[Parts], Digest]) -> bool:
    try:
        return check(record.parts) == record.recipe
    except (TypeError, ValueError, RecursionError):  # it holds more than JSON can
        return False


def _environments_in(text: str | None) -> dict[str, Mapping[str, str]]:
    """The environments of one side that are whole."""
    try:
        tables = rtoml.loads(text or "").get("environments", {})
    except rtoml.TomlParsingError:
        return {}  # said when the side itself is read
    if not isinstance(tables, dict):
        return {}
    return {identity: table for identity, table in tables.items() if _is_environment(identity, table)}


def _conflict(origin: str, names: Sequence[AssetName], *, known: bool) -> LockError:
    listed = ", ".join(f"`{name}`" for name in names[:10]) + (", …" if len(names) > 10 else "")  # noqa: PLR2004 - enough
    if known:
        return LockError(
            f"{origin}: both sides of the merge changed {listed}",
            "keep one side in the lock for each, then run `artlock build`",
        )
    return LockError(
        f"{origin}: the sides of the merge differ in {listed}, and git left no common ancestor to tell why",
        f"run `git checkout --conflict=diff3 {origin}`, then the command again",
    )


def _parse(text: str, origin: str, pool: Mapping[str, Mapping[str, str]]) -> Lock:
    """The lock in a text without marks. `pool`: environments of a merge; the text's own may be mixed."""
    try:
        document = rtoml.loads(text)
    except rtoml.TomlParsingError as error:
        raise LockError(f"{origin}{_place(str(error))}: not TOML: {_reason(str(error))}", _RESTORE) from error
    revision = _revision(document, origin)
    known = revision == REVISION
    if known and (
        unknown := document.keys() - {"version", "revision", "assets", "placeholders", "environments"}
    ):
        raise LockError(f"{origin}: unknown key `{min(unknown)}`", _RESTORE)
    environments = pool or _environments(document.get("environments", {}), origin)
    assets = document.get("assets", {})
    if not isinstance(assets, dict):
        raise LockError(f"{origin}: `assets` is not a table", _RESTORE)
    records: dict[AssetName, Record] = {}
    for name, table in assets.items():
        try:
            records[name] = entry.decode(name, table, environments, strict=known)
        except ValueError as error:
            raise LockError(f"{origin}: asset `{name}` {error}", _RESTORE) from error
    placeholders = _placeholders(document.get("placeholders", {}), origin)
    return Lock(records=records, version=VERSION, revision=revision, placeholders=placeholders)


def _placeholders(table: object, origin: str) -> dict[AssetName, Digest]:
    if not isinstance(table, dict):
        raise LockError(f"{origin}: `placeholders` is not a table", _RESTORE)
    try:
        return {AssetName(name): digest.parse(file) for name, file in table.items()}
    except (TypeError, ValueError) as error:
        raise LockError(f"{origin}: `placeholders` holds what is no digest", _RESTORE) from error


def _revision(document: Table, origin: str) -> int:
    version, revision = document.get("version"), document.get("revision")
    if type(version) is int and version > VERSION:
        raise LockError(
            f"{origin} is of version {version}; this artlock reads version {VERSION}", "upgrade artlock"
        )
    if type(version) is not int or type(revision) is not int or version < 1 or revision < 1:
        raise LockError(f"{origin}: no lock of artlock: it does not start with its version", _RESTORE)
    return revision


def _environments(tables: object, origin: str) -> Mapping[str, Mapping[str, str]]:
    """The environments, each under the name that follows from what it says: else it was cut or edited."""
    if not isinstance(tables, dict):
        raise LockError(f"{origin}: `environments` is not a table", _RESTORE)
    for identity, table in tables.items():
        if not _is_environment(identity, table):
            raise LockError(f"{origin}: environment `{identity}` was cut off or edited", _RESTORE)
    return tables


def _is_environment(identity: str, table: object) -> bool:
    whole = isinstance(table, dict) and all(isinstance(text, str) for text in table.values())
    return whole and environment_id(cast("dict[str, str]", table)) == identity


def _place(message: str) -> str:
    found = _PLACE.search(message)
    return f":{found[1]}:{found[2]}" if found else ""


def _reason(message: str) -> str:
    return _PLACE.sub("", message).strip()
