"""The report as one HTML page that needs nothing else: no script, no font, no picture from elsewhere.

Knows nothing of files. Every text may be a stranger's: an asset's name, an engine's complaint.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import msgspec

from buildsys import __version__
from buildsys.journal.account import Account, EngineAccount, RunAccount
from buildsys.journal.charts import Series, lying, standing
from buildsys.journal.sheet import STYLE
from buildsys.journal.words import NOTHING, bytes_told, dollars, printable, seconds_told, when

RUNS_DRAWN: Final = 20
ASSETS_DRAWN: Final = 12
ROWS: Final = 50
"""Of a table; the whole is what `--json` gives."""

_KINDS: Final = (("queue", "waiting"), ("load", "loading"), ("make", "making"), ("finish", "finishing"))


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows under heads; the first `words` columns are text, and the last one where `long`."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    long: bool = False


def page(account: Account, project: str, chosen: str = "") -> str:
    """The page, for a project of this name; `chosen` says in words which runs were asked for."""
    title = f"{printable(project)}: build report"
    runs = account.runs
    body = _nothing() if not runs else "".join((_tiles(account), _cards(account), _tables(account)))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Even a mistake in this file could fetch or run nothing.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<header>\n"
        f"<h1>{escape(title)}</h1>\n"
        f'<p class="faint">{escape(_period(runs, chosen))}</p>\n</header>\n{body}'
        f'<p class="faint">Written by artlock {__version__} from the journal of this checkout. '
        f"Times of day are UTC.</p>\n</main>\n</body>\n</html>\n"
    )


def _period(runs: Sequence[RunAccount], chosen: str) -> str:
    if not runs:
        return chosen
    first, last = when(runs[-1].started), when(runs[0].started)
    words = f"{_count(len(runs), 'run')}, {first}" + (f" to {last}" if last != first else "")
    return f"{words} ({chosen})" if chosen else words


def _nothing() -> str:
    return (
        '<section class="wide"><h2>No runs yet</h2>'
        "<p>The journal holds no run to show. <code>artlock build</code> adds one each time.</p></section>\n"
    )


def _tiles(account: Account) -> str:
    engines = account.engines
    cost = math.fsum(item.cost for item in engines)
    failed = len(account.failures)
    tiles = [
        (str(sum(run.built for run in account.runs)), "assets built", ""),
        (str(sum(item.hits for item in engines)), "results from the store", ""),
        (seconds_told(math.fsum(item.work_seconds for item in engines)), "engines at work", ""),
        (seconds_told(math.fsum(item.saved_seconds for item in engines)), "saved by the store", ""),
        (str(failed), "failed action" if failed == 1 else "failed actions", "failed" if failed else ""),
    ]
    if cost:
        tiles.append((dollars(cost), "spent", ""))
    shown = "".join(
        f'<div class="tile {kind}"><b>{escape(number)}</b>{escape(words)}</div>'
        for number, words, kind in tiles
    )
    return f'<div class="tiles">{shown}</div>\n'


def _cards(account: Account) -> str:
    drawn = tuple(reversed(account.runs[:RUNS_DRAWN]))
    cards = [
        _seconds_each([item for item in account.engines if item.made]),
        _where_time_went([item for item in account.engines if item.made or item.failed]),
        _time_of_runs(drawn),
        _hits(drawn),
        _cost(drawn),
        _slowest(account),
    ]
    return f'<div class="cards">{"".join(cards)}</div>\n'


def _seconds_each(engines: Sequence[EngineAccount]) -> str:
    if not engines:
        return ""
    series = (
        Series(name="95 % take less", colour="p95", values=[item.p95_seconds for item in engines]),
        Series(name="median", colour="median", values=[item.median_seconds for item in engines]),
    )
    names = [printable(item.engine) for item in engines]
    chart = lying(names, series, axis="seconds per picture", told=seconds_told)
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
        names, _kinds(columns), axis="seconds, all actions together", told=seconds_told, stacked=True
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
    chart = standing(_labels(runs), _kinds(columns), axis="seconds", told=seconds_told)
    rows = [
        (when(run.started), run.command, *map(seconds_told, row))
        for run, *row in zip(runs, *columns, strict=True)
    ]
    heads = ("started", "command", *(name for _, name in _KINDS))
    return _card(
        "Where the time went, by run",
        f"The newest {_count(len(runs), 'run')}, oldest to the left; summed over actions.",
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
    chart = standing(_labels(runs), series, axis="actions", told=lambda value: f"{value:g}")
    rows = [(when(run.started), run.command, str(run.made), str(run.hits)) for run in runs]
    return _card(
        "Made, or taken from the store",
        "Actions of each run. What was made once, anywhere on this machine, is not made again.",
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
    chart = standing(_labels(runs), series, axis="US dollars", told=dollars)
    rows = [(when(run.started), run.command, dollars(run.cost)) for run in runs]
    return _card(
        "Cost, by run",
        "US dollars, as the engines told it.",
        chart,
        Table(caption="Cost by run", heads=("started", "command", "cost"), rows=rows, words=2),
    )


def _slowest(account: Account) -> str:
    if not account.slowest:
        return ""
    drawn = account.slowest[:ASSETS_DRAWN]
    series = (Series(name="seconds", colour="median", values=[item.seconds for item in drawn]),)
    chart = lying([printable(item.asset) for item in drawn], series, axis="seconds", told=seconds_told)
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


def _tables(account: Account) -> str:
    engines = Table(
        caption="What each engine did",
        heads=(
            "engine", "made", "median", "p95", "loads", "load", "failed", "retries",
            "lost", "hits", "saved", "cost", "memory", "device memory",
        ),
        rows=[
            (
                item.engine, str(item.made), seconds_told(item.median_seconds),
                seconds_told(item.p95_seconds), str(item.loads), seconds_told(item.median_load_seconds),
                str(item.failed), str(item.retries), str(item.lost), str(item.hits),
                seconds_told(item.saved_seconds), dollars(item.cost), bytes_told(item.host_bytes),
                bytes_told(item.device_bytes),
            )
            for item in account.engines
        ],
    )  # fmt: skip
    failures = Table(
        caption="What failed, newest first",
        heads=("when", "asset", "engine", "kind", "why"),
        rows=[
            (when(item.at), item.asset, item.engine or NOTHING, item.error, item.message)
            for item in account.failures[:ROWS]
        ],
        words=4,
        long=True,
    )
    shown = [("Engines", engines)] if engines.rows else []
    shown += [("Failures", failures)] if failures.rows else []
    wide = "".join(
        f'<section class="wide"><h2>{title}</h2>{_table(table)}</section>\n' for title, table in shown
    )
    return wide + f'<section class="wide"><h2>Runs</h2>{_table(_runs(account.runs[:ROWS]))}</section>\n'


def _runs(runs: Iterable[RunAccount]) -> Table:
    counts = ("built", "restored", "fresh", "edited", "blocked", "failed")
    return Table(
        caption="What each run did, newest first",
        heads=("started", "command", "how it ended", "profile", "commit", "took", *counts, "cost"),
        rows=[
            (
                when(run.started), run.command, run.ending, run.profile, run.revision[:10] or NOTHING,
                seconds_told(run.seconds), *(str(getattr(run, name)) for name in counts), dollars(run.cost),
            )
            for run in runs
        ],
        words=5,
    )  # fmt: skip


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
        f"<details><summary>The numbers</summary>{_table(table)}</details></section>\n"
    )


def _table(table: Table) -> str:
    heads = "".join(
        f'<th scope="col"{_kind(table, place, head)}>{escape(head)}</th>'
        for place, head in enumerate(table.heads)
    )
    rows = "".join(f"<tr>{_cells(table, row)}</tr>\n" for row in table.rows)
    return (
        f'<div class="table"><table><caption>{escape(table.caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _cells(table: Table, row: Sequence[str]) -> str:
    cells = []
    for place, text in enumerate(row):
        tag = "th" if place == 0 else "td"
        scope = ' scope="row"' if place == 0 else ""
        cells.append(f"<{tag}{scope}{_kind(table, place, text)}>{escape(printable(text))}</{tag}>")
    return "".join(cells)


def _kind(table: Table, place: int, text: str) -> str:
    if table.long and place == len(table.heads) - 1:
        return ' class="long"'
    if place >= table.words:
        return ""
    ending = f" {text}" if text in ("done", "failed", "killed", "interrupted", "running") else ""
    return f' class="word{ending}"'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
