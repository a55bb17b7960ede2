"""One text of the lock, without marks of a merge, to a `Lock`, with everything about it checked.

Trusts nothing: a lock comes from whoever opened the pull request. Knows nothing of files and merges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias, cast

import rtoml

from buildsys import digest
from buildsys.digest import Digest
from buildsys.errors import LockError, NewerLockError
from buildsys.lock import entry, seal
from buildsys.lock.model import VERSION, Approval, Lock
from buildsys.lock.write import environment_id
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Parts, Record

Table: TypeAlias = dict[str, Any]

RESTORE: Final = "restore the lock from git, then run `artlock build`"
_KEYS: Final = frozenset({"version", "revision", "assets", "placeholders", "environments"})
_KEYS_OF_SEALED: Final = _KEYS | {"approvals", "frozen"}
_KEYS_OF_APPROVAL: Final = frozenset(Approval.__struct_fields__)
_PLACE: Final = re.compile(r" at line (\d+) column (\d+)")


class Parsed(NamedTuple):
    """What a text says, and of which assets it can't be believed."""

    lock: Lock
    unsealed: frozenset[AssetName]
    """Those whose seal does not fit: one of their lines was edited, or is that of another record."""


def parse(text: str, origin: str, pool: Mapping[str, Mapping[str, str]], newest: int) -> Parsed:
    """The lock in `text`. Raises `LockError`; but what does not fit its seal is left to the caller.

    `pool`: environments of a merge; the text's own may be mixed. `newest`: the last revision that is known
    whole; a lock of a later one may hold more, which is left.
    """
    try:
        document = rtoml.loads(text)
    except rtoml.TomlParsingError as error:
        raise LockError(f"{origin}{_place(str(error))}: not TOML: {_reason(str(error))}", RESTORE) from error
    revision = _revision(document, origin)
    known = revision <= newest
    keys = _KEYS_OF_SEALED if revision >= seal.SINCE else _KEYS
    if known and (unknown := document.keys() - keys):
        raise LockError(f"{origin}: unknown key `{min(unknown)}`", RESTORE)
    environments = pool or _environments(document.get("environments", {}), origin)
    assets = document.get("assets", {})
    if not isinstance(assets, dict):
        raise LockError(f"{origin}: `assets` is not a table", RESTORE)
    records: dict[AssetName, Record] = {}
    for name, table in assets.items():
        try:
            if revision < seal.SINCE and isinstance(table, dict) and seal.KEY in table:
                raise ValueError(f"has an unknown key `{seal.KEY}`")  # noqa: TRY301 - said as all else is
            records[name] = entry.decode(name, table, environments, strict=known)
        except ValueError as error:
            raise LockError(f"{origin}: asset `{name}` {error}", RESTORE) from error
    if any(seal.KEY not in table for table in assets.values()):
        # A branch of before brought one, and git merged the lines: the next build seals it.
        revision = min(revision, seal.SINCE - 1)
    lock = Lock(
        records=records,
        version=VERSION,
        revision=revision,
        placeholders=_digests(document, "placeholders", origin),
        approvals=_approvals(document, origin, strict=known),
        frozen=_digests(document, "frozen", origin),
    )
    unsealed = frozenset(AssetName(name) for name, table in assets.items() if not seal.fits(table))
    return Parsed(lock, unsealed)


def _section(document: Table, key: str, origin: str) -> Table:
    table = document.get(key, {})
    if not isinstance(table, dict):
        raise LockError(f"{origin}: `{key}` is not a table", RESTORE)
    return table


def _digests(document: Table, key: str, origin: str) -> dict[AssetName, Digest]:
    table = _section(document, key, origin)
    try:
        # A list of 64 digits is as long as a digest, and made of the same.
        texts = {name: file if isinstance(file, str) else "" for name, file in table.items()}
        return {AssetName(name): digest.parse(text) for name, text in texts.items()}
    except (TypeError, ValueError) as error:
        raise LockError(f"{origin}: `{key}` holds what is no digest", RESTORE) from error


def _approvals(document: Table, origin: str, *, strict: bool) -> dict[AssetName, Approval]:
    """`strict`: refuse unknown keys, which a newer artlock would have written."""
    found = {}
    for name, table in _section(document, "approvals", origin).items():
        whole = isinstance(table, dict) and all(isinstance(text, str) for text in table.values())
        known = whole and (not strict or table.keys() <= _KEYS_OF_APPROVAL)
        if not (known and table.keys() >= _KEYS_OF_APPROVAL):
            fact = f"{origin}: the approval of `{name}` is not `pixels` and `by`, each a text"
            raise LockError(fact, RESTORE)
        try:
            found[AssetName(name)] = Approval(pixels=digest.parse(table["pixels"]), by=table["by"])
        except ValueError as error:
            raise LockError(f"{origin}: the approval of `{name}` names no picture", RESTORE) from error
    return found


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
