"""One text of the lock, without marks of a merge, to a `Lock`, with everything about it checked.

Trusts nothing: a lock comes from whoever opened the pull request. Knows nothing of files and merges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

import rtoml

from buildsys import digest
from buildsys.digest import Digest
from buildsys.errors import LockError, NewerLockError
from buildsys.lock import entry
from buildsys.lock.model import VERSION, Lock
from buildsys.lock.write import environment_id
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Parts, Record

Table: TypeAlias = dict[str, Any]

RESTORE: Final = "restore the lock from git, then run `artlock build`"
_KEYS: Final = frozenset({"version", "revision", "assets", "placeholders", "environments"})
_PLACE: Final = re.compile(r" at line (\d+) column (\d+)")


def parse(text: str, origin: str, pool: Mapping[str, Mapping[str, str]], newest: int) -> Lock:
    """The lock in `text`. Raises `LockError`.

    `pool`: environments of a merge; the text's own may be mixed. `newest`: the last revision that is known
    whole; a lock of a later one may hold more, which is left.
    """
    try:
        document = rtoml.loads(text)
    except rtoml.TomlParsingError as error:
        raise LockError(f"{origin}{_place(str(error))}: not TOML: {_reason(str(error))}", RESTORE) from error
    revision = _revision(document, origin)
    known = revision <= newest
    if known and (unknown := document.keys() - _KEYS):
        raise LockError(f"{origin}: unknown key `{min(unknown)}`", RESTORE)
    environments = pool or _environments(document.get("environments", {}), origin)
    assets = document.get("assets", {})
    if not isinstance(assets, dict):
        raise LockError(f"{origin}: `assets` is not a table", RESTORE)
    records: dict[AssetName, Record] = {}
    for name, table in assets.items():
        try:
            records[name] = entry.decode(name, table, environments, strict=known)
        except ValueError as error:
            raise LockError(f"{origin}: asset `{name}` {error}", RESTORE) from error
    placeholders = _placeholders(document.get("placeholders", {}), origin)
    return Lock(records=records, version=VERSION, revision=revision, placeholders=placeholders)


def _placeholders(table: object, origin: str) -> dict[AssetName, Digest]:
    if not isinstance(table, dict):
        raise LockError(f"{origin}: `placeholders` is not a table", RESTORE)
    try:
        # A list of 64 digits is as long as a digest, and made of the same.
        texts = {name: file if isinstance(file, str) else "" for name, file in table.items()}
        return {AssetName(name): digest.parse(text) for name, text in texts.items()}
    except (TypeError, ValueError) as error:
        raise LockError(f"{origin}: `placeholders` holds what is no digest", RESTORE) from error


def _revision(document: Table, origin: str) -> int:
    version, revision = document.get("version"), document.get("revision")
    if type(version) is int and version > VERSION:
        raise NewerLockError(
            f"{origin} is of version {version}; this artlock reads version {VERSION}", "upgrade artlock"
        )
    if type(version) is not int or type(revision) is not int or version < 1 or revision < 1:
        raise LockError(f"{origin}: no lock of artlock: it does not start with its version", RESTORE)
    return revision


def _environments(tables: object, origin: str) -> Mapping[str, Mapping[str, str]]:
    """The environments, each under the name that follows from what it says: else it was cut or edited."""
    if not isinstance(tables, dict):
        raise LockError(f"{origin}: `environments` is not a table", RESTORE)
    for identity, table in tables.items():
        if not _is_environment(identity, table):
            raise LockError(f"{origin}: environment `{identity}` was cut off or edited", RESTORE)
    return tables


def _is_environment(identity: str, table: object) -> bool:
    whole = isinstance(table, dict) and all(isinstance(text, str) for text in table.values())
    return whole and environment_id(cast("dict[str, str]", table)) == identity


def _place(message: str) -> str:
    found = _PLACE.search(message)
    return f":{found[1]}:{found[2]}" if found else ""


def _reason(message: str) -> str:
    return _PLACE.sub("", message).strip()


def consistent(record: Record, check: Callable[[Parts], Digest]) -> bool:
    """Whether the recipe of `record` has its digest; `check` gives the digest that its parts must have."""
    try:
        return check(record.parts) == record.recipe
    except (TypeError, ValueError, RecursionError):  # it holds more than JSON can
        return False


def environments_in(text: str | None) -> dict[str, Mapping[str, str]]:
    """The environments of one side that are whole."""
    try:
        tables = rtoml.loads(text or "").get("environments", {})
    except rtoml.TomlParsingError:
        return {}  # said when the side itself is read
    if not isinstance(tables, dict):
        return {}  # the same
    return {identity: table for identity, table in tables.items() if _is_environment(identity, table)}
