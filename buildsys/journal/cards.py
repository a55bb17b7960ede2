"""The charts of the report's page, each with its title, what it means, and its numbers as a table.

Knows nothing of the page around them. A card without anything to show is empty.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from buildsys.journal.charts import Series, lying, standing
from buildsys.journal.summary import Account, EngineAccount, RunAccount
from buildsys.journal.tables import ROWS, Table, in_html
from buildsys.journal.words import dollars, money, printable, seconds_tick, seconds_told, when

RUNS_DRAWN: Final = 20
ASSETS_DRAWN: Final = 12
_KINDS: Final = (("queue", "waiting"), ("load", "loading"), ("make", "making"), ("finish", "finishing"))


def cards(account: Account) -> str:
    """All of them."""
    drawn = tuple(reversed(account.runs[:RUNS_DRAWN]))
    found = [
        _seconds_each([item for item in account.engines if item.made]),
        _slowest(account),
        _time_of_runs(drawn),
        _hits(drawn),
        _where_time_went([item for item in account.engines if item.made or item.failed]),
        _cost(drawn),
    ]
    return f'<div class="cards">{"".join(found)}</div>\n'


def _seconds_each(engines: Sequence[EngineAccount]) -> str:
    if not engines:
        return ""
    series = (
        Series(name="median", colour="median", values=[item.median_seconds for item in engines]),
        Series(name="95 % take less", colour="p95", values=[item.p95_seconds for item in engines]),
    )
    names = [printable(item.engine) for item in engines]
    chart = lying(names, series, axis="time at work on one picture", told=seconds_told, ticks=seconds_tick)
    rows = [
        (item.engine, str(item.made), seconds_told(item.median_seconds), seconds_told(item.p95_seconds))
        for item in engines
    ]
    return _card(
        "Seconds per picture, by engine",
        "At work on one picture; waiting and loading left out.",
        chart,
        Table(caption="Seconds per picture", heads=("engine", "made", "median", "95 % take less"), rows=rows),
    )


def _where_time_went(engines: Sequence[EngineAccount]) -> str:
    finish = [item.engine == "finish" for item in engines]
    columns = (
        [item.queue_seconds for item in engines],
        [item.load_seconds for item in engines],
        [0.0 if own else item.work_seconds for item, own in zip(engines, finish, strict=True)],
        [item.work_seconds if own else 0.0 for item, own in zip(engines, finish, strict=True)],
    )
    if not any(map(any, columns)):
        return ""
    names = [printable(item.engine) for item in engines]
    chart = lying(
        names,
        _kinds(columns),
        axis="time, all actions together",
        told=seconds_told,
        ticks=seconds_tick,
        stacked=True,
    )
    rows = [(name, *map(seconds_told, row)) for name, *row in zip(names, *columns, strict=True)]
    return _card(
        "Where the time went, by engine",
        "Summed over actions, which run side by side: more than the clock shows.",
        chart,
        Table(caption="Time by engine", heads=("engine", *(name for _, name in _KINDS)), rows=rows),
    )


def _time_of_runs(runs: Sequence[RunAccount]) -> str:
    columns = tuple(
        [math.fsum(getattr(part, f"{kind}_seconds") for part in run.engines) for run in runs]
        for kind, _ in _KINDS
    )
    if not any(map(any, columns)):
        return ""
    chart = standing(_labels(runs), _kinds(columns), axis="time", told=seconds_told, ticks=seconds_tick)
    rows = [
        (when(run.started), run.command, *map(seconds_told, row))
        for run, *row in zip(runs, *columns, strict=True)
    ]
    heads = ("started", "command", *(name for _, name in _KINDS))
    return _card(
        "Where the time went, by run",
        "Summed over actions; oldest run to the left.",
        chart,
        Table(caption="Time by run", heads=heads, rows=rows, words=2),
    )


def _hits(runs: Sequence[RunAccount]) -> str:
    if not any(run.made or run.hits for run in runs):
        return ""
    series = (
        Series(name="made by an engine", colour="make", values=[run.made for run in runs]),
        Series(name="from the store", colour="hit", values=[run.hits for run in runs]),
    )
    chart = standing(_labels(runs), series, axis="actions", told="{:g}".format, ticks="{:g}".format)
    rows = [(when(run.started), run.command, str(run.made), str(run.hits)) for run in runs]
    return _card(
        "Made, or taken from the store",
        "Actions of each run. What was made once on this machine is not made again.",
        chart,
        Table(
            caption="Made and from the store",
            heads=("started", "command", "made", "from the store"),
            rows=rows,
            words=2,
        ),
    )


def _cost(runs: Sequence[RunAccount]) -> str:
    if not any(run.cost for run in runs):
        return ""
    series = (Series(name="cost", colour="cost", values=[run.cost for run in runs]),)
    chart = standing(_labels(runs), series, axis="US dollars", told=dollars, ticks=dollars)
    rows = [(when(run.started), run.command, money(run.cost, run.unknown)) for run in runs]
    return _card(
        "Cost, by run",
        "US dollars, as far as known. What nobody knows the price of is not drawn.",
        chart,
        Table(caption="Cost by run", heads=("started", "command", "cost"), rows=rows, words=2),
    )


def _slowest(account: Account) -> str:
    if not account.slowest:
        return ""
    drawn = account.slowest[:ASSETS_DRAWN]
    series = (Series(name="seconds", colour="median", values=[item.seconds for item in drawn]),)
    chart = lying(
        [printable(item.asset) for item in drawn], series, axis="time", told=seconds_told, ticks=seconds_tick
    )
    rows = [
        (item.asset, item.engine, when(item.at), seconds_told(item.seconds))
        for item in account.slowest[:ROWS]
    ]
    return _card(
        "Slowest assets",
        "The slowest making of each, in engines: making and finishing.",
        chart,
        Table(caption="Slowest assets", heads=("asset", "engine", "made", "took"), rows=rows, words=3),
    )


def _kinds(columns: Sequence[Sequence[float]]) -> list[Series]:
    return [
        Series(name=name, colour=colour, values=values)
        for (colour, name), values in zip(_KINDS, columns, strict=True)
        if any(values)
    ]


def _labels(runs: Iterable[RunAccount]) -> list[str]:
    return [when(run.started)[5:] for run in runs]


def _card(title: str, words: str, chart: str, table: Table) -> str:
    return (
        f"<section><h2>{escape(title)}</h2>\n<figure><figcaption>{escape(words)}</figcaption>{chart}</figure>"
        f"<details><summary>The numbers</summary>{in_html(table)}</details></section>\n"
    )
