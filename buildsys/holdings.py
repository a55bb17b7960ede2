"""What of the store belongs to an asset: the objects and the actions that its record in the lock names.

Asked by whoever keeps, sends or brings parts of the store. Knows nothing of where they lie. Computed from
a record alone, so it holds for the lock of any revision, without its manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.manifest.cards import FINISH, PACK
from buildsys.plan import recipe
from buildsys.plan.record import Record

Json: TypeAlias = Any


class Holdings(msgspec.Struct, frozen=True):
    """Parts of the store."""

    objects: frozenset[Digest] = frozenset()
    """Bytes: the picture, its companions, and the raw picture, which may have been paid for."""
    actions: frozenset[Digest] = frozenset()
    """Results: that of the recipe, of its choice among candidates, and of its generate action.

    These may be there; any of them may be missing from a store that made the asset.
    """

    def __or__(self, other: Holdings) -> Holdings:
        return Holdings(self.objects | other.objects, self.actions | other.actions)


def holdings(record: Record) -> Holdings:
    """What belongs to the asset of `record`.

    Not the results of its finishing and of its gates: what is known of the recipe tells all that they do,
    and they cost nobody money. Not its inputs: each is a file of the project, or belongs to another asset.
    """
    actions = {record.recipe}
    if record.asked is not None:
        actions.add(record.asked)
    if _generated(record):
        actions.add(recipe.generate_key(record.parts))
    return Holdings(
        objects=frozenset({record.picture.file, record.raw, *record.companions.values()}),
        actions=frozenset(actions),
    )


def of_all(records: Iterable[Record]) -> Holdings:
    """What belongs to any of `records`."""
    objects: set[Digest] = set()
    actions: set[Digest] = set()
    for record in records:
        found = holdings(record)
        objects |= found.objects
        actions |= found.actions
    return Holdings(frozenset(objects), frozenset(actions))


def named(result: Mapping[str, Json]) -> frozenset[Digest]:
    """The objects that an action's `result` stands for: without them, it is of no use.

    Raises `ValueError` where it names one by something that is no digest.
    """
    picture, companions = result.get("picture"), result.get("companions")
    found = [
        result.get("raw"),
        picture.get("file") if isinstance(picture, Mapping) else None,
        *(companions.values() if isinstance(companions, Mapping) else ()),
    ]
    return frozenset(digests.parse(str(item)) for item in found if item is not None)


def _generated(record: Record) -> bool:
    """Whether an engine was asked for its raw picture: that of a derived asset is another one's."""
    return record.engine != PACK and not (record.engine == FINISH and "image" in record.parts.inputs)
