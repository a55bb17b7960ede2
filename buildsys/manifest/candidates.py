"""Candidates: several pictures of one asset, each with a seed of its own, of which one is adopted.

Knows nothing of how they are made, measured or chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.digest import of_value
from buildsys.manifest.model import Asset, Engine
from buildsys.manifest.source import Fault

Json: TypeAlias = Any

FIRST: Final = "first"
"""The metric that measures nothing: the lowest number is chosen."""

SCORES: Final = ("sharpness", "contrast", "colorfulness", "coverage")
"""What is measured of every candidate."""

JUDGED: Final[Mapping[str, str]] = {"likeness": "distance", "seam": "seam"}
"""Metrics that are what a gate measured, by the gate: there is no measure without it."""

METRICS: Final = (*SCORES, *JUDGED, FIRST)
"""By which of their measures candidates are chosen, the highest first."""

MOST: Final = 64
"""Candidates of one asset: what a person can look through on one sheet."""

_GATES: Final = {
    "likeness": 'add `gates = { distance = "art/reference.png" }`',
    "seam": "add `tile = true`",
}
_SEEDS: Final = 2**31 - 1
"""Derived seeds are from 1 to this. Every engine takes them: the least that one takes is 1, since 0 means
any seed to it, and the most that another takes is this."""

_DIGITS: Final = 16


def seeds(seed: int, count: int) -> tuple[int, ...]:
    """The seeds of the first `count` candidates: `seed` itself, then what follows from it and the number.

    All differ, and a candidate keeps its seed however many others there are.
    """
    found = [seed]
    while len(found) < count:
        number, step = len(found) + 1, 0
        while (derived := _derived(seed, number, step)) in found:
            step += 1
        found.append(derived)
    return tuple(found[:count])


def _derived(seed: int, number: int, step: int) -> int:
    named = of_value({"artlock": 1, "candidate": number, "seed": seed, "step": step})
    return 1 + int(named[:_DIGITS], 16) % _SEEDS


def numbered(asset: Asset, number: int) -> Asset:
    """`asset` as its candidate `number` alone."""
    if asset.seed is None:
        # The first is what the asset would be without candidates, so that it is not made twice.
        told: dict[str, Json] = {"candidate": number if number > 1 else None}
    else:
        told = {"seed": seeds(asset.seed, number)[-1]}
    return msgspec.structs.replace(asset, candidates=0, choose="", among=asset, **told)


def resolve(asset: Asset, table: Mapping[str, Json], engine: Engine | None) -> Asset:
    """`asset` with the candidates that its `table` asks for, or as the one that it picks. Raises `Fault`."""
    count = table.get("candidates", 0)
    if not count:
        for key in ("choose", "pick"):
            if key in table:
                fact = f"asset `{asset.name}` has no candidates to {key}"
                raise Fault(fact, f"add `candidates = 8`, or remove `{key}`", (key,), at_key=True)
        return asset
    pick = table.get("pick", 0)
    if pick > count:
        fact = f"`pick = {pick}` is none of the {count} candidates of `{asset.name}`"
        raise Fault(fact, f"pick a number from 1 to {count}", ("pick",))
    if engine is not None and asset.seed is None:
        _check_varied(asset, engine)
    choose = table.get("choose", METRICS[0])
    if choose in JUDGED and choose not in measures(asset):
        fact = f"`{choose}` is what the gate `{JUDGED[choose]}` measures, and `{asset.name}` has no such gate"
        raise Fault(fact, _GATES[choose], ("choose",))
    many = msgspec.structs.replace(asset, candidates=count, choose=choose)
    return numbered(many, pick) if pick else many


def measures(asset: Asset) -> tuple[str, ...]:
    """The metrics of which the candidates of `asset` have a number."""
    gates = {gate.name for gate in asset.gates}
    return (*SCORES, *(metric for metric, gate in JUDGED.items() if gate in gates))


def _check_varied(asset: Asset, engine: Engine) -> None:
    if engine.card.constant:
        fact = (
            f"without a seed, engine `{engine.name}` would make the candidates of `{asset.name}` all the same"
        )
        raise Fault(fact, "remove `candidates`, or choose an engine that takes seeds", ("candidates",))
