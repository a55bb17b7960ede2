"""What the rows of the journal come to: per engine, per run, the slowest assets, and the money.

Pure: rows in, values out. Knows nothing of files, terminals or pages.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from buildsys.journal import spends
from buildsys.journal.rows import Action, Rows, Run, Worker
from buildsys.journal.summary import (
    SCHEMA,
    Account,
    EngineAccount,
    EngineTime,
    Failure,
    RunAccount,
    Selection,
    SlowAsset,
)

_Row = TypeVar("_Row")
_Key = TypeVar("_Key")


def draw_up(rows: Rows, selection: Selection) -> Account:
    """The report on a part of the journal. What a hit saved is looked up in all of it."""
    runs = _chosen(rows.runs, selection)
    ids = {run.id for run in runs}
    engine = selection.engine
    actions = [row for row in rows.actions if row.run in ids and engine in ("", row.engine)]
    workers = [row for row in rows.workers if row.run in ids and engine in ("", row.engine)]
    prices = _Prices(rows.actions)
    by_run = _grouped(actions, lambda row: row.run)
    return Account(
        schema=SCHEMA,
        runs=tuple(_run(run, by_run.get(run.id, [])) for run in reversed(runs)),
        engines=_engines(actions, workers, prices),
        slowest=_slowest(actions),
        failures=tuple(_failure(row) for row in reversed(actions) if row.error),
        spends=spends.add_up(actions, runs),
    )


def _chosen(runs: Sequence[Run], selection: Selection) -> Sequence[Run]:
    if selection.since is not None:
        runs = [run for run in runs if datetime.fromisoformat(run.started) >= selection.since]
    return runs if selection.last is None else runs[max(0, len(runs) - selection.last) :]


class _Prices:
    """What an action took when it was made."""

    def __init__(self, actions: Iterable[Action]) -> None:
        self._of_key: dict[str, Action] = {}
        self._of_recipe: dict[str, dict[str, Action]] = {}
        times: dict[str, list[float]] = defaultdict(list)
        for row in actions:
            if row.made:
                self._of_key[row.key] = row
                self._of_recipe.setdefault(row.recipe, {})[row.action] = row
                times[row.engine].append(row.work_seconds)
        self._medians = {engine: statistics.median(found) for engine, found in times.items()}

    def saved(self, hit: Action) -> tuple[float, float]:
        """Seconds and US dollars that `hit` would have taken."""
        if hit.action == "restore":
            # Its key is the whole recipe's: what it spares is every action of that.
            spared = list(self._of_recipe.get(hit.recipe, {}).values())
        else:
            spared = [self._of_key[hit.key]] if hit.key in self._of_key else []
        if not spared:
            return self._medians.get(hit.engine, 0.0), 0.0
        return sum(row.work_seconds for row in spared), sum(row.cost or 0.0 for row in spared)


def _engines(
    actions: Iterable[Action], workers: Iterable[Worker], prices: _Prices
) -> tuple[EngineAccount, ...]:
    acted, worked = _grouped(actions, _engine_of), _grouped(workers, _engine_of)
    # Without a name: what failed before or after an engine.
    names = sorted({*acted, *worked} - {""})
    found = [_engine(name, acted.get(name, []), worked.get(name, []), prices) for name in names]
    return tuple(sorted(found, key=lambda item: item.work_seconds, reverse=True))


def _engine(
    name: str, actions: Collection[Action], workers: Collection[Worker], prices: _Prices
) -> EngineAccount:
    seconds = sorted(row.work_seconds for row in actions if row.made)
    loads = [row.load_seconds for row in workers if row.load_seconds is not None]
    saved = [prices.saved(row) for row in actions if row.hit]
    return EngineAccount(
        engine=name,
        made=len(seconds),
        failed=sum(bool(row.error) for row in actions),
        retries=sum(max(row.tries - 1, 0) for row in actions),
        hits=len(saved),
        median_seconds=statistics.median(seconds) if seconds else None,
        p95_seconds=seconds[math.ceil(0.95 * len(seconds)) - 1] if seconds else None,
        queue_seconds=math.fsum(row.queue_seconds for row in actions),
        load_seconds=math.fsum(row.load_seconds for row in actions),
        work_seconds=math.fsum(row.work_seconds for row in actions),
        loads=len(loads),
        median_load_seconds=statistics.median(loads) if loads else None,
        lost=sum(bool(row.lost_kind) for row in workers),
        cost=spends.known(actions),
        unknown=spends.unknown(actions),
        saved_seconds=math.fsum(seconds for seconds, _ in saved),
        saved_cost=math.fsum(cost for _, cost in saved),
        host_bytes=max((row.host_bytes for row in actions), default=0),
        device_bytes=max((row.device_bytes for row in actions), default=0),
    )


def _run(run: Run, actions: Collection[Action]) -> RunAccount:
    columns = {
        name: getattr(run, name) for name in RunAccount.__struct_fields__ if name in Run.__struct_fields__
    }
    return RunAccount(
        **columns
        | {
            "dirty": None if run.dirty is None else bool(run.dirty),
            "ending": run.ending or ("running" if run.alive else "killed"),
            "made": sum(row.made for row in actions),
            "hits": sum(row.hit for row in actions),
            "cost": spends.known(actions),
            "unknown": spends.unknown(actions),
            "engines": _times(actions),
        }
    )


def _times(actions: Iterable[Action]) -> tuple[EngineTime, ...]:
    kinds = ("queue_seconds", "load_seconds", "make_seconds", "finish_seconds")
    return tuple(
        EngineTime(engine=name, **{kind: math.fsum(getattr(row, kind) for row in found) for kind in kinds})
        for name, found in sorted(_grouped(actions, _engine_of).items())
        if name and not all(row.hit for row in found)
    )


def _slowest(actions: Iterable[Action]) -> tuple[SlowAsset, ...]:
    """Every asset that was made, by its slowest making, slowest first."""
    makings: dict[tuple[str, int], list[Action]] = defaultdict(list)
    for row in actions:
        if row.made:
            makings[row.asset, row.run].append(row)
    slowest: dict[str, SlowAsset] = {}
    for (asset, run), rows in makings.items():
        longest = max(rows, key=lambda row: row.work_seconds)
        seconds = math.fsum(row.work_seconds for row in rows)
        if asset not in slowest or seconds > slowest[asset].seconds:
            slowest[asset] = SlowAsset(
                asset=asset, engine=longest.engine, seconds=seconds, run=run, at=longest.at
            )
    return tuple(sorted(slowest.values(), key=lambda item: item.seconds, reverse=True))


def _engine_of(row: Action | Worker) -> str:
    return row.engine


def _failure(row: Action) -> Failure:
    return Failure(
        asset=row.asset, engine=row.engine, error=row.error, message=row.message, run=row.run, at=row.at
    )


def _grouped(rows: Iterable[_Row], key: Callable[[_Row], _Key]) -> Mapping[_Key, list[_Row]]:
    found: dict[_Key, list[_Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found
