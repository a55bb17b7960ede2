"""Renames: an asset that the lock knows under another name, by the recipe that both have.

A name is no part of a recipe, so what an orphan of the lock has is the very picture that is asked for. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

import msgspec

from buildsys.digest import Digest
from buildsys.manifest.model import AssetName
from buildsys.plan import companions
from buildsys.plan.record import Record
from buildsys.plan.step import Step
from buildsys.plan.world import World

Orphans: TypeAlias = Mapping[Digest, Record]
"""Records of assets that are gone from the manifest, by what was asked for."""


def orphans(records: Mapping[AssetName, Record], mentioned: Collection[str]) -> Orphans:
    """The `records` that nothing `mentioned` has the name of; of several of one recipe the first by name."""
    found: dict[Digest, Record] = {}
    for name in sorted(records.keys() - set(mentioned)):
        # Of candidates, or where a fallback made it, that is another recipe than its own.
        found.setdefault(records[name].asked or records[name].recipe, records[name])
    return found


def followed(asked: Step, orphans: Orphans, world: World) -> Step:
    """`asked` with the record that it had under its old name; as it is where it had none.

    Nor where its bytes are gone: then it is made as a new one is.
    """
    old = orphans.get(asked.recipe) if asked.recipe and asked.recorded is None else None
    if old is None or not companions.restorable(old, asked.output, world):
        return asked
    return msgspec.structs.replace(
        asked, recorded=msgspec.structs.replace(old, name=asked.name), renamed_from=old.name
    )
