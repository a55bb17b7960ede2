"""`artlock report`: time, failures, cost and cache hits of the runs in the journal."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from buildsys.cli.console import columns, count, print_json, say, tame
from buildsys.cli.pages import check_target
from buildsys.errors import ArtlockError, Exit, did_you_mean
from buildsys.files import write_durably
from buildsys.journal.account import draw_up
from buildsys.journal.database import NAME
from buildsys.journal.rows import Rows, Unreadable, read
from buildsys.journal.spends import Spend, Spends
from buildsys.journal.summary import Account, EngineAccount, RunAccount, Selection
from buildsys.journal.words import NOTHING, bytes_told, commit_told, money, seconds_told, when
from buildsys.manifest.read import MANIFEST
from buildsys.session import LOCK, PRIVATE, find_root

_RUNS_SHOWN: Final = 10
_ASSETS_SHOWN: Final = 10
_SPENDS_SHOWN: Final = 10
_FAILURES_SHOWN: Final = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "-C", dest="start", metavar="DIR", type=Path, default=Path(), help="work in this folder"
    )
    parser.add_argument("--last", type=int, metavar="N", help="the newest N runs only")
    parser.add_argument("--since", metavar="DATE", help="runs since then (UTC), such as 2026-11-01")
    parser.add_argument("--engine", metavar="NAME", default="", help="this engine only")
    parser.add_argument("--json", action="store_true", help="print one JSON value on stdout")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one page with charts")


def run(options: argparse.Namespace) -> int:
    """Report. No journal is no mistake: there was no build yet, or someone removed it."""
    if options.last is not None and options.last < 1:
        raise ArtlockError(f"`--last {options.last}` is not a number of runs", "give 1 or more")
    selection = Selection(
        last=options.last, since=_moment(options.since) if options.since else None, engine=options.engine
    )
    # The journal alone: a manifest that can't be read is no reason to keep the numbers back.
    root = find_root(options.start, MANIFEST, LOCK)
    rows, excuse = _rows(root)
    _check_engine(options.engine, rows)
    account = draw_up(rows, selection)
    if options.html is not None:
        from buildsys.journal.page import MARK, page  # noqa: PLC0415 - draws charts: no other command needs it

        check_target(options.html, MARK, "report")
        write_durably(options.html.absolute(), page(account, root.name, _chosen(options)).encode())
    if options.json:
        print_json(msgspec.to_builtins(account))
    elif options.html is not None:
        print(options.html)
    elif not excuse:
        print(_told(account))
    if excuse:
        say(excuse)
    return Exit.FINE


def _rows(root: Path) -> tuple[Rows, str]:
    """What the journal holds, and what to say where it holds nothing."""
    path = root / PRIVATE / NAME
    place = f"{PRIVATE}/{NAME}"
    try:
        rows = read(path)
    except Unreadable as error:
        return Rows(), f"the journal `{place}` can't be read: {error}\n\nhint: remove it; a build begins anew"
    if rows is None or not rows.runs:
        return Rows(), f"there is no run in the journal `{place}` yet\n\nhint: run `artlock build`"
    return rows, ""


def _check_engine(name: str, rows: Rows) -> None:
    known = {row.engine for row in rows.actions} - {""} | {row.engine for row in rows.workers}
    if name and known and name not in known:
        raise ArtlockError(
            f"the journal knows no engine `{name}`",
            did_you_mean(name, known) or f"it knows {', '.join(sorted(known))}",
        )


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArtlockError(f"`{text}` is not a date", "write it like `2026-11-01`") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _chosen(options: argparse.Namespace) -> str:
    """The selection in words."""
    words = [
        f"the last {count(options.last, 'run')}" if options.last else "",
        f"since {options.since}" if options.since else "",
        f"engine {options.engine}" if options.engine else "",
    ]
    return ", ".join(filter(None, words))


def _told(account: Account) -> str:
    if not account.runs:
        return "no run in the journal is as new as that"
    parts = ["Engines", _engines(account.engines), "", "Runs, newest first (UTC)", _runs(account.runs)]
    if account.spends.total.pictures:
        parts += ["", *_spends(account.spends)]
    if account.slowest:
        slowest = [
            (f"  {tame(item.asset)}", item.engine, seconds_told(item.seconds))
            for item in account.slowest[:_ASSETS_SHOWN]
        ]
        parts += ["", "Slowest assets", columns([("  asset", "engine", "took"), *slowest])]
    if account.failures:
        failures = [
            (f"  {when(item.at)}", tame(item.asset), item.engine or NOTHING, item.error, _first(item.message))
            for item in account.failures[:_FAILURES_SHOWN]
        ]
        more = len(account.failures) - len(failures)
        parts += ["", "Failures, newest first (UTC)", columns(failures)]
        parts += [f"  … and {more} more; `--json` has them all"] if more > 0 else []
    return "\n".join(parts)


def _spends(spends: Spends) -> list[str]:
    """What was paid in all, then by asset, by engine and by commit."""
    kinds = (
        ("asset", [(item.asset, item) for item in spends.assets]),
        ("engine", [(item.engine, item) for item in spends.engines]),
        ("commit", [(commit_told(item.commit, dirty=item.dirty), item) for item in spends.commits]),
    )
    rows = [
        (f"  {kind}", tame(name), *_spend(item))
        for kind, found in kinds
        for name, item in [*found[:_SPENDS_SHOWN], *_rest(kind, found[_SPENDS_SHOWN:])]
    ]
    return [f"Spent: {_spend(spends.total)[1]}", columns(rows)]


def _rest(kind: str, found: Sequence[tuple[str, Spend]]) -> list[tuple[str, Spend]]:
    """What a table leaves out, as its last row."""
    if not found:
        return []
    others = [item for _, item in found]
    rest = Spend(
        pictures=sum(item.pictures for item in others),
        usd=math.fsum(item.usd for item in others),
        unknown=sum(item.unknown for item in others),
    )
    return [(f"… and {count(len(others), f'more {kind}')}", rest)]


def _spend(item: Spend) -> tuple[str, str]:
    return count(item.pictures, "picture"), money(item.usd, item.unknown)


def _engines(engines: Iterable[EngineAccount]) -> str:
    rows = [
        (
            item.engine,
            str(item.made),
            seconds_told(item.median_seconds),
            seconds_told(item.p95_seconds),
            seconds_told(item.median_load_seconds),
            str(item.failed),
            str(item.retries),
            str(item.hits),
            seconds_told(item.saved_seconds),
            money(item.cost, item.unknown),
            bytes_told(item.host_bytes),
            bytes_told(item.device_bytes),
        )
        for item in engines
    ]
    if not rows:
        return "  nothing was made, and nothing came from the store"
    heads = "made", "median", "p95", "load", "failed", "retries", "hits", "saved", "cost", "memory", "device"
    return _right([("engine", *heads), *rows], words=1)


def _runs(runs: tuple[RunAccount, ...]) -> str:
    heads = "started", "command", "how", "took", "built", "restored", "fresh", "edited", "blocked", "failed"
    rows = [
        (
            when(item.started),
            item.command,
            item.ending,
            seconds_told(item.seconds),
            *(
                str(number)
                for number in (
                    item.built,
                    item.restored,
                    item.fresh,
                    item.edited,
                    item.blocked,
                    item.failed,
                )
            ),
        )
        for item in runs[:_RUNS_SHOWN]
    ]
    more = len(runs) - len(rows)
    return _right([heads, *rows], words=3) + (f"\n  … and {count(more, 'older run')}" if more > 0 else "")


def _right(rows: list[tuple[str, ...]], words: int) -> str:
    """`rows` as columns: words to the left, numbers to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  "
        + "  ".join(
            cell.ljust(width) if place < words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _first(text: str) -> str:
    return tame(text.partition("\n")[0])
