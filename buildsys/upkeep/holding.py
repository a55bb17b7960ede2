"""What one lock keeps in the store, read from its text, and remembered under the digest of that text.

Nothing may be lost for a lock that can't be read: then every digest in it counts. Knows nothing of where
locks lie.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from buildsys import digest as digests
from buildsys import holdings
from buildsys.digest import Digest
from buildsys.errors import LockError
from buildsys.files.durable import write_durably
from buildsys.lock import read as reader
from buildsys.lock.merge import sides
from buildsys.lock.model import VERSION
from buildsys.plan import recipe
from buildsys.plan.record import Parts, Record
from buildsys.store import actions

FOLDER: Final = "locks"
_REVISION: Final = 1
"""Raised when the same text is to keep more, or other things: what was remembered then counts no more."""
_VERSION: Final = re.compile(rb"^version = (\d{1,9})\r?$", re.MULTILINE)
_DIGEST: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What a lock keeps."""

    objects: frozenset[Digest] = frozenset()
    actions: frozenset[Digest] = frozenset()
    families: frozenset[Digest] = frozenset()
    """What the candidates of each asset have in common, if it has any, which a lock does not tell of one that
    was picked. Those that were not chosen are kept, too, or another pick would be paid for again."""
    gates: frozenset[Digest] = frozenset()
    """Those by which pictures were judged."""


def of_all(found: Collection[Holding]) -> Holding:
    """What any of `found` keeps."""
    fields = ("objects", "actions", "families", "gates")
    return Holding(**{
        field: frozenset().union(*(getattr(item, field) for item in found)) for field in fields
    })  # fmt: skip


def family(parts: Parts) -> Digest:
    """What all candidates of an asset have in common: the recipe but for what tells one from another."""
    walked = recipe.tree(msgspec.structs.replace(parts, seed=None, candidate=None))
    return digests.of_value({"artlock": recipe.SALT, "family": walked})


def of_lock(data: bytes, where: str) -> Holding:
    """What the lock in `data` keeps. Raises `LockError` where a newer artlock wrote it.

    Of a merge with conflicts both sides count, and of what is torn or edited whatever it still names.
    """
    if any(int(found[1]) > VERSION for found in _VERSION.finditer(data)):
        raise LockError(
            f"{where} is of a newer version: what it keeps is unknown, and nothing was removed",
            "upgrade artlock, then run the command again",
        )
    with suppress(LockError, UnicodeDecodeError, ValueError):
        text = data.decode()
        if sides(text.replace("\r\n", "\n")) is None:
            lock = reader.parse(text, origin=where)
            return _of_records(lock.records.values(), lock.placeholders.values())
    named = frozenset(Digest(found.decode()) for found in _DIGEST.findall(data))
    return Holding(objects=named, actions=named)


def _of_records(records: Iterable[Record], further: Iterable[Digest]) -> Holding:
    known = list(records)
    held = holdings.of_all(known)
    return Holding(
        objects=held.objects | frozenset(further),
        actions=held.actions,
        families=frozenset(family(record.parts) for record in known),
        gates=frozenset(record.gates for record in known if record.gates is not None),
    )


def identity(data: bytes) -> Digest:
    """Under which it is remembered what the lock in `data` keeps."""
    return digests.of_bytes(f"{_REVISION}\0".encode() + data)


def recall(layout: Path, lock: Digest) -> Holding | None:
    """What is remembered of a lock; None where nothing is, or it is damaged."""
    try:
        found = actions.decode(_path(layout, lock).read_bytes(), lock)
        return None if found is None else msgspec.convert(found, Holding)
    except (OSError, ValueError):
        return None


def remember(layout: Path, lock: Digest, held: Holding) -> None:
    """Remember what a lock keeps. Raises `DiskError`."""
    written = {field: sorted(getattr(held, field)) for field in held.__struct_fields__}
    write_durably(_path(layout, lock), actions.encode(lock, written))


def forget_others(layout: Path, wanted: Iterable[Digest]) -> None:
    """Forget what no checkout has any more."""
    kept = frozenset(wanted)
    for path in (layout / FOLDER).glob("*"):
        if path.name not in kept:
            with suppress(OSError):
                path.unlink()


def _path(layout: Path, lock: Digest) -> Path:
    return layout / FOLDER / lock
