"""What was paid, summed by asset, by engine and by commit.

Pure: rows in, values out. What nobody knows the price of is counted, and never taken for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from buildsys.journal.rows import Action, Run
from buildsys.plan.step import asset_of


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """What some pictures did cost."""

    pictures: int
    """That took money, or may have: a picture that was refused or lost may have been billed."""
    usd: float
    """Without those of unknown price."""
    unknown: int
    """Pictures whose price nobody knows."""


class AssetSpend(Spend, frozen=True, kw_only=True):
    """Of one asset."""

    asset: str


class EngineSpend(Spend, frozen=True, kw_only=True):
    """Of one engine."""

    engine: str


class CommitSpend(Spend, frozen=True, kw_only=True):
    """Of the runs that began at one commit."""

    commit: str
    """Empty where there was none, such as outside git."""
    dirty: bool | None
    """Whether the work tree differed from it; None where nobody noted that."""


class Spends(msgspec.Struct, frozen=True, kw_only=True):
    """What was paid in all, and for what."""

    total: Spend
    assets: tuple[AssetSpend, ...]
    engines: tuple[EngineSpend, ...]
    """Dearest first, both."""
    commits: tuple[CommitSpend, ...]
    """Newest run first."""


def add_up(actions: Iterable[Action], runs: Iterable[Run]) -> Spends:
    """The spends of `actions`, which are of `runs`. What is free is left out."""
    paid = [row for row in actions if _may_cost(row)]
    assets: dict[str, list[Action]] = {}
    engines: dict[str, list[Action]] = {}
    commits: dict[tuple[str, bool | None], list[Action]] = {}
    place = {run.id: (run.revision, None if run.dirty is None else bool(run.dirty)) for run in runs}
    for row in reversed(paid):
        # Of all its candidates, which are rows of their own.
        assets.setdefault(asset_of(row.asset), []).append(row)
        engines.setdefault(row.engine, []).append(row)
        commits.setdefault(place[row.run], []).append(row)
    return Spends(
        total=Spend(**_sum(paid)),
        assets=tuple(AssetSpend(asset=name, **_sum(assets[name])) for name in _dearest(assets)),
        engines=tuple(EngineSpend(engine=name, **_sum(engines[name])) for name in _dearest(engines)),
        commits=tuple(
            CommitSpend(commit=commit, dirty=dirty, **_sum(found))
            for (commit, dirty), found in commits.items()
        ),
    )


def known(actions: Iterable[Action]) -> float:
    """US dollars, without what is unknown."""
    return math.fsum(row.cost or 0.0 for row in actions)


def unknown(actions: Iterable[Action]) -> int:
    """Pictures whose price nobody knows."""
    return sum(row.cost is None for row in actions if _may_cost(row))


def _may_cost(row: Action) -> bool:
    """Whether an engine was asked, and not known to be free."""
    return bool(row.engine) and not row.hit and row.cost != 0


def _sum(rows: Sequence[Action]) -> dict[str, Any]:
    return {"pictures": len(rows), "usd": known(rows), "unknown": unknown(rows)}


def _dearest(groups: Mapping[str, Sequence[Action]]) -> list[str]:
    return sorted(groups, key=lambda name: (-known(groups[name]), -unknown(groups[name]), name))
