"""Manifest and lock as they were read when all agreed, and which assets a file that changed since concerns.

To read them took two thirds of a `check` of 10,000 assets of which one picture was edited, and to judge the
other 9,999 nearly all of the rest. What is kept is found by its digest, which the remembered agreement holds,
so it is trusted as far as that is: see `buildsys.agreement`. Knows nothing of verdicts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import msgspec

from buildsys import digest as digests
from buildsys import files
from buildsys.digest import Digest
from buildsys.errors import DiskError
from buildsys.lock.model import Lock
from buildsys.manifest.model import Asset, AssetName, Manifest
from buildsys.manifest.references import sources
from buildsys.places import PRIVATE
from buildsys.plan import companions, graph
from buildsys.plan.record import Record

PLACE: Final = Path(PRIVATE, "reading")
_REFUSED: Final = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)
"""What `msgspec` raises over values and bytes that are none of ours: of text that is no UTF-8 no error of its
own, nor of a number that is too long."""


class Reading(msgspec.Struct, frozen=True):
    """What the texts of a project said."""

    manifest: Manifest
    lock: Lock


def keep(root: Path, manifest: Manifest, lock: Lock) -> Digest:
    """Keep what was read, and return its digest; empty where it would not come back the same.

    Raises `DiskError`.
    """
    reading = Reading(manifest, lock)
    try:
        data = msgspec.msgpack.encode(reading)
        # Not by its bytes: those of a tuple in a parameter are those of a list.
        if msgspec.msgpack.decode(data, type=Reading) != reading:
            return Digest("")
    except _REFUSED:
        return Digest("")
    files.write_durably(root / PLACE, data)
    return digests.of_bytes(data)


def kept(root: Path, wanted: Digest) -> Reading | None:
    """What was kept under this digest; None where it is gone, torn or of another reading."""
    try:
        data = (root / PLACE).read_bytes()
        if digests.of_bytes(data) == wanted:
            return msgspec.msgpack.decode(data, type=Reading)
    except (OSError, DiskError, *_REFUSED):
        pass  # the texts are read again
    return None


def concerned(reading: Reading, changed: Collection[str]) -> frozenset[AssetName] | None:
    """The assets whose verdict may follow from the files `changed`; None where one is nobody's.

    Theirs are their own files and those that they are made from or judged by, and then there are the assets
    that are made from theirs.
    """
    owners: dict[str, list[AssetName]] = defaultdict(list)
    wanted = frozenset(changed)
    for name, asset in reading.manifest.assets.items():
        for path in wanted.intersection(_files_of(reading.manifest, asset, reading.lock.records.get(name))):
            owners[path].append(name)
    if owners.keys() != wanted:
        return None
    names = {name for several in owners.values() for name in several}
    return graph.with_downstream(reading.manifest.assets, names)


def _files_of(manifest: Manifest, asset: Asset, record: Record | None) -> Iterator[str]:
    output = graph.output_of(manifest, asset)
    yield output
    for suffix in record.companions if record else ():
        yield companions.beside(output, suffix)
    for one in (asset, *asset.standins):
        for item in sources(one).values():
            if item.path:
                yield item.path
