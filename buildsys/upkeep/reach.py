"""What of a store belongs to somebody: reached from the roots, or paid for.

Reads every result in the store. Knows nothing of age and size, and removes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

import msgspec

from buildsys import holdings
from buildsys.digest import Digest
from buildsys.manifest import cards
from buildsys.manifest.cards import MEASURE
from buildsys.plan.candidates import score_key
from buildsys.plan.gates import judgement_key
from buildsys.plan.record import Record
from buildsys.store.objects import Store
from buildsys.upkeep.holding import Holding, family

Json: TypeAlias = Any
_CARD: Final = "adapter.toml"


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Whose the files of a store are. What is in none of these is nobody's."""

    objects: frozenset[Digest]
    """Named by a lock, by a pin, or by a result that belongs to one."""
    actions: frozenset[Digest]
    paid_objects: frozenset[Digest]
    """In no lock, but somebody took money for them, or nobody knows whether."""
    paid_actions: frozenset[Digest]
    named: Mapping[Digest, frozenset[Digest]]
    """The objects that each other result stands for."""


class _Result(msgspec.Struct, frozen=True):
    """What matters here of one action's result."""

    named: frozenset[Digest]
    paid: bool
    kin: tuple[Digest, Record] | None
    """Where it is the record of an asset that a lock has, or of one that differs by its seed alone: with
    what those have in common."""


def reach(store: Store, held: Holding, actions: Collection[Digest]) -> Reach:
    """Whose the files of `store` are, which has the results of `actions`, if locks and pins keep `held`."""
    results = {key: found for key in actions if (found := _read(store, key, held)) is not None}
    kept, objects = set(held.actions), set(held.objects)
    for record in _candidates(results.values()):
        of_one = holdings.holdings(record)
        kept |= of_one.actions | _measures(record, held.gates)
        objects |= of_one.objects
    # What tells of kept bytes alone is kept with them: what an engine said of a raw picture, how a kept
    # picture was finished. Looked up among the objects as they are now: a result that is kept for its
    # own sake brings in no other.
    known = frozenset(objects)
    kept |= {key for key, found in results.items() if found.named and found.named <= known}
    for key in kept & results.keys():
        objects |= results[key].named
    others = {key: found for key, found in results.items() if key not in kept}
    paid = {key for key, found in others.items() if found.paid}
    return Reach(
        objects=frozenset(objects),
        actions=frozenset(kept),
        paid_objects=_all(others[key].named for key in paid) - objects,
        paid_actions=frozenset(paid),
        named={key: found.named for key, found in others.items() if key not in paid},
    )


def _read(store: Store, key: Digest, held: Holding) -> _Result | None:
    result = store.action(key)
    if result is None:
        return None
    try:
        named = holdings.named(result)
    except ValueError:
        named = frozenset()
    # Of no price: what an engine refused, or drew, may have been billed all the same.
    paid = "cost" in result and result["cost"] != 0
    return _Result(named, paid, _kin(result, held.families))


def _kin(result: Mapping[str, Json], families: Collection[Digest]) -> tuple[Digest, Record] | None:
    if not families or "parts" not in result:
        return None
    try:
        record = msgspec.convert(result, Record)
        found = family(record.parts)
    except (msgspec.ValidationError, ValueError):
        return None
    return (found, record) if found in families else None


def _candidates(results: Iterable[_Result]) -> Iterator[Record]:
    """The records of the candidates, chosen or not, of every asset that a lock has.

    That an asset had candidates is told by the result of a choice among them, which stays in the store when
    a person picks another one.
    """
    kin = [found.kin for found in results if found.kin is not None]
    chosen = {common for common, record in kin if record.candidate}
    return (record for common, record in kin if common in chosen)


def _measures(candidate: Record, gates: Collection[Digest]) -> set[Digest]:
    """The actions that tell how good a candidate is."""
    picture = candidate.picture.file
    return {score_key(picture, _measure()), *(judgement_key(asked, picture) for asked in gates)}


@cache
def _measure() -> str:
    """Version of the adapter that measures."""
    return cards.read(cards.BUNDLED / MEASURE / _CARD, _CARD, MEASURE).version


def _all(found: Iterable[frozenset[Digest]]) -> frozenset[Digest]:
    return frozenset().union(*found)
