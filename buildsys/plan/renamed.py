"""Renames: what the lock has under another name, by the recipe that both have.

A name is no part of a recipe, so that is the very picture that is asked for: no engine makes it again. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec

from buildsys.digest import Digest
from buildsys.manifest.model import AssetName
from buildsys.plan import companions
from buildsys.plan.record import Record
from buildsys.plan.step import Step
from buildsys.plan.world import World


class Names(NamedTuple):
    """Records by what was asked for; of several of one recipe the first by name."""

    orphans: Mapping[Digest, Record]
    """Of assets that are gone from the manifest."""
    others: Mapping[Digest, Record]
    """Of those that are still there, though they may ask for something else by now: names can be swapped."""


def by_recipe(records: Mapping[AssetName, Record], mentioned: Collection[str]) -> Names:
    """The `records` by their recipes; an orphan is one of which nothing `mentioned` has the name."""
    orphans: dict[Digest, Record] = {}
    others: dict[Digest, Record] = {}
    gone = records.keys() - set(mentioned)
    for name, record in sorted(records.items()):
        # Of candidates, or where a fallback made it, that is another recipe than its own.
        found = orphans if name in gone else others
        found.setdefault(record.asked or record.recipe, record)
    return Names(orphans, others)


def followed(asked: Step, names: Names, world: World) -> Step:
    """`asked` with the record that it had under its old name; as it is where it had none.

    Nor where its bytes are gone: then it is made as a new one is.
    """
    old = names.orphans.get(asked.recipe) if asked.recipe and asked.recorded is None else None
    if old is None or not companions.restorable(old, asked.output, world):
        return asked
    return msgspec.structs.replace(
        asked, recorded=msgspec.structs.replace(old, name=asked.name), renamed_from=old.name
    )


def elsewhere(step: Step, names: Names) -> Record | None:
    """What the lock has of the recipe of `step` under any name.

    Not where that was one of several candidates, or a stand-in's: what was asked for then is another matter.
    """
    if step.recipe is None:
        return None
    found = names.orphans.get(step.recipe) or names.others.get(step.recipe)
    return found if found is not None and found.asked is None else None
