"""The report as one HTML page that needs nothing else: no script, no font, no picture from elsewhere.

Knows nothing of files. Every text may be a stranger's: an asset's name, an engine's complaint.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from buildsys.journal.cards import cards
from buildsys.journal.document import document, tiles
from buildsys.journal.spends import Spends
from buildsys.journal.summary import Account, RunAccount
from buildsys.journal.tables import ROWS, Table, in_html
from buildsys.journal.words import (
    NOTHING,
    bytes_told,
    commit_told,
    count,
    money,
    printable,
    seconds_told,
    spent_tile,
    when,
)

MARK: Final = '<meta name="generator" content="artlock report">'
"""Tells a page of ours, which may be written over, from anybody else's."""


def page(account: Account, project: str, chosen: str = "") -> str:
    """The page, for a project of this name; `chosen` says in words which runs were asked for."""
    title = f"{printable(project)}: build report"
    runs = account.runs
    body = _nothing() if not runs else "".join((_tiles(account), cards(account), _tables(account)))
    top = f'<p class="faint">{escape(_period(runs, printable(chosen)))}</p>\n'
    foot = " from the journal of this checkout. Times of day are UTC"
    return document(title, top, body, mark=MARK, foot=foot)


def _period(runs: Sequence[RunAccount], chosen: str) -> str:
    if not runs:
        return chosen
    first, last = when(runs[-1].started), when(runs[0].started)
    words = f"{count(len(runs), 'run')}, {first}" + (f" to {last}" if last != first else "")
    return f"{words} ({chosen})" if chosen else words


def _nothing() -> str:
    return (
        '<section class="wide"><h2>No runs yet</h2>'
        "<p>The journal holds no run to show. <code>artlock build</code> adds one each time.</p></section>\n"
    )


def _tiles(account: Account) -> str:
    engines = account.engines
    spent = account.spends.total
    failed = len(account.failures)
    shown = [
        (str(sum(run.built for run in account.runs)), "assets built", ""),
        (str(sum(item.hits for item in engines)), "from the store", ""),
        (seconds_told(math.fsum(item.work_seconds for item in engines)), "engines at work", ""),
        (seconds_told(math.fsum(item.saved_seconds for item in engines)), "saved by the store", ""),
        (str(failed), "failed action" if failed == 1 else "failed actions", "failed" if failed else ""),
    ]
    if spent.pictures:
        shown.append((*spent_tile(spent.usd, spent.unknown), ""))
    return tiles(shown)


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
                seconds_told(item.saved_seconds), money(item.cost, item.unknown),
                bytes_told(item.host_bytes), bytes_told(item.device_bytes),
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
    shown = [("Engines", [engines])] if engines.rows else []
    shown += [("Money", _spends(account.spends))] if account.spends.total.pictures else []
    shown += [("Failures", [failures])] if failures.rows else []
    shown += [("Runs", [_runs(account.runs[:ROWS])])]
    return "".join(
        f'<section class="wide"><h2>{title}</h2>{"".join(map(in_html, tables))}</section>\n'
        for title, tables in shown
    )


def _spends(spends: Spends) -> list[Table]:
    """What was paid for each asset, to each engine, and at each commit."""
    kinds = (
        ("asset", [(item.asset, item) for item in spends.assets]),
        ("engine", [(item.engine, item) for item in spends.engines]),
        ("commit", [(commit_told(item.commit, dirty=item.dirty), item) for item in spends.commits]),
    )
    return [
        Table(
            caption=f"What was paid, by {kind}",
            heads=(kind, "pictures", "cost"),
            rows=[(name, str(item.pictures), money(item.usd, item.unknown)) for name, item in found[:ROWS]],
        )
        for kind, found in kinds
    ]


def _runs(runs: Iterable[RunAccount]) -> Table:
    counts = ("built", "restored", "fresh", "edited", "blocked", "failed")
    return Table(
        caption="What each run did, newest first",
        heads=("started", "command", "how it ended", "profile", "commit", "took", *counts, "cost"),
        rows=[
            (
                when(run.started), run.command, run.ending, run.profile,
                commit_told(run.revision, dirty=run.dirty), seconds_told(run.seconds),
                *(str(getattr(run, name)) for name in counts), money(run.cost, run.unknown),
            )
            for run in runs
        ],
        words=5,
    )  # fmt: skip
