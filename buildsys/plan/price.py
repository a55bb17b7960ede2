"""What a picture will cost, and what one did: in US dollars, or unknown, which is never zero.

Pure sums. Knows nothing of budgets, and nothing of who pays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

from buildsys.manifest.model import AssetName, Engine, Manifest
from buildsys.manifest.pricing import PicturePrice
from buildsys.plan import candidates
from buildsys.plan.step import Plan, Step, Verdict
from buildsys.plan.usage import tokens
from engines.protocol import Done

Json: TypeAlias = Any


class Wanted(Protocol):
    """A picture as far as its price depends on it: an asset of the manifest, or a request to an engine."""

    @property
    def parameters(self) -> Mapping[str, Json]:
        """Of its adapter."""
        ...

    @property
    def size(self) -> tuple[int, int] | None:
        """In pixels."""
        ...

    @property
    def inputs(self) -> Mapping[str, object] | None:
        """Files, by what they are to its adapter or, after `finish.`, to a step; None: nobody knows."""
        ...


def estimate(engine: Engine, wanted: Wanted) -> float | None:
    """What one picture should cost in US dollars; None where nobody knows.

    An engine whose adapter needs no network is free, unless its price says otherwise.
    """
    if engine.price is None:
        return None if engine.card.network else 0.0
    fitting = (entry for entry in engine.price.pictures if _fits(entry, wanted))
    return next((entry.usd for entry in fitting), None)


def actual(engine: Engine, cost: float | None, usage: Json, wanted: Wanted | None = None) -> float | None:
    """What one picture did cost in US dollars; None where nobody knows.

    Args:
        engine: that made it.
        cost: what the provider said, where it says so: `Done.cost`.
        usage: the provider's count of tokens: `Done.facts["usage"]`; None without one.
        wanted: the picture, for a price that depends on it.
    """
    if cost is not None:
        return cost
    if engine.price is None or not engine.price.tokens:
        return estimate(engine, wanted or _Any())
    counts = tokens(usage)
    if counts is None:
        return None
    billed = {kind: count for kind, count in counts.items() if count}
    if not billed.keys() <= engine.price.tokens.keys():
        return None
    return math.fsum(engine.price.tokens[kind] * count for kind, count in billed.items()) / 1e6


def billed(engine: Engine, wanted: Wanted, done: Done) -> float | None:
    """What `engine` took for the picture `wanted`, as far as its answer and its price tell."""
    return actual(engine, done.cost, done.facts.get("usage"), wanted)


def bounds(engine: Engine) -> tuple[float, float] | None:
    """The least and the most that a picture may cost; None where no price tells."""
    if engine.price is None:
        return None if engine.card.network else (0.0, 0.0)
    prices = [entry.usd for entry in engine.price.pictures]
    return (min(prices), max(prices)) if prices else None


class _Any(msgspec.Struct, frozen=True):
    """A picture of which nothing is known: only a price for every picture fits it."""

    parameters: Mapping[str, Json] = {}
    size: tuple[int, int] | None = None
    inputs: Mapping[str, object] | None = None


def _fits(entry: PicturePrice, wanted: Wanted) -> bool:
    if any(wanted.parameters.get(name) != value for name, value in entry.parameters.items()):
        return False
    if entry.size is not None and wanted.size != entry.size:
        return False
    if entry.inputs not in (None, _gives_files(wanted)):
        return False
    return entry.over is None or (wanted.size is not None and math.prod(wanted.size) > math.prod(entry.over))


def _gives_files(wanted: Wanted) -> bool | None:
    """Whether the engine gets any files; None where nobody knows."""
    if wanted.inputs is None:
        return None
    return any(not name.startswith("finish.") for name in wanted.inputs)


def priced(plan: Plan, manifest: Manifest, paid: Callable[[Step], bool]) -> Plan:
    """`plan` with what each asset that would be made should cost.

    `paid`: whether a step's picture is in the store already, and only its finishing is new.
    """
    costs: dict[AssetName, float | None] = {}
    pictures: dict[AssetName, int] = {}
    for step in plan.having(Verdict.BUILD):
        cost = estimate(manifest.engines[step.asset.engine], step.asset)
        # Asked only where it matters: it is a look into the store for every picture.
        due = 0 if cost == 0.0 else _due(step, paid)
        costs[step.name] = None if cost is None and due else (cost or 0.0) * due
        if due > 1:
            pictures[step.name] = due
    return msgspec.structs.replace(plan, costs=costs, pictures=pictures)


def _due(step: Step, paid: Callable[[Step], bool]) -> int:
    """For how many pictures `step` pays."""
    if step.parts is None:
        return 0 if paid(step) else step.asset.candidates or 1
    return sum(not paid(one) for one in candidates.each(step))


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What pictures should cost together."""

    engine: str = ""
    """The one that makes them; empty for several."""
    pictures: int = 0
    usd: float = 0.0
    """Without those of which nobody knows."""
    unknown: int = 0
    """Pictures whose price nobody knows."""


def bill(engine: Engine, wanted: Iterable[Wanted]) -> Bill:
    """What `engine` should take for the pictures `wanted`."""
    return _sum(engine.name, [estimate(engine, item) for item in wanted])


def bills(plan: Plan) -> tuple[Bill, ...]:
    """A bill for each engine that is to be paid, or may have to be; in the order of the plan."""
    costs: dict[str, list[float | None]] = {}
    for name, cost in plan.costs.items():
        if cost != 0.0:
            costs.setdefault(plan.steps[name].asset.engine, []).extend(_by_picture(plan, name, cost))
    return tuple(_sum(engine, found) for engine, found in costs.items())


def total(plan: Plan) -> Bill:
    """The bills of `plan` in one sum."""
    paid = ((name, cost) for name, cost in plan.costs.items() if cost != 0.0)
    return _sum("", [each for name, cost in paid for each in _by_picture(plan, name, cost)])


def _by_picture(plan: Plan, name: AssetName, cost: float | None) -> list[float | None]:
    """What each picture of an asset should cost, which should cost `cost` in all."""
    pictures = plan.pictures.get(name, 1)
    return [cost if cost is None else cost / pictures] * pictures


def _sum(engine: str, costs: Sequence[float | None]) -> Bill:
    known = [cost for cost in costs if cost is not None]
    return Bill(engine=engine, pictures=len(costs), usd=math.fsum(known), unknown=len(costs) - len(known))
