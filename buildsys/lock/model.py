"""The lock's values. Knows nothing of TOML or files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from buildsys.digest import Digest
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record

VERSION: Final = 1
"""Raised when an older artlock would misread the lock."""
REVISION: Final = 1
"""Raised when the lock says more, in a way that an older artlock may leave out."""


class Lock(msgspec.Struct, frozen=True):
    """Every asset that was made, by name."""

    records: Mapping[AssetName, Record] = {}
    version: int = VERSION
    revision: int = REVISION
    placeholders: Mapping[AssetName, Digest] = {}
    """SHA-256 of the stand-in that lies where a blocked asset goes: never taken for the asset."""

    def updated(self, made: Iterable[Record], removed: Iterable[AssetName] = ()) -> Lock:
        """This lock with the records `made` in place of older ones, without those `removed`."""
        gone = frozenset(removed)
        records = {name: record for name, record in self.records.items() if name not in gone}
        records.update((record.name, record) for record in made)
        return msgspec.structs.replace(self, records=records)
