"""Prices and sums of money in a person's words. Unknown is told as unknown, never as nothing."""

from __future__ import annotations

from typing import Any

from buildsys.cli.console import columns, count
from buildsys.journal.words import dollars, money
from buildsys.manifest.model import Engine
from buildsys.manifest.pricing import PicturePrice
from buildsys.plan import price
from buildsys.plan.price import Bill
from buildsys.plan.step import Plan

UNKNOWN = "unknown"


def price_told(engine: Engine) -> str:
    """`free`, `unknown`, `$0.134 (2026-11-22)`, `$0.134 to $0.24 (2026-11-22)`, `by tokens`."""
    found = price.bounds(engine)
    asked = engine.price
    if found is None:
        words = "by tokens" if asked else UNKNOWN
    elif found[1] == 0:
        words = "free"
    else:
        low, high = found
        words = f"${low:.15g}" if low == high else f"${low:.15g} to ${high:.15g}"
    return f"{words} ({asked.dated})" if asked and asked.dated else words


def price_json(engine: Engine) -> dict[str, Any] | None:
    """A price for a program; None where it is unknown."""
    found = price.bounds(engine)
    if engine.price is None:
        return None if found is None else {"low": 0.0, "high": 0.0}
    low, high = found or (None, None)
    return {
        "low": low,
        "high": high,
        "dated": engine.price.dated or None,
        "pictures": [_entry(entry) for entry in engine.price.pictures],
        "tokens": dict(engine.price.tokens),
    }


def _entry(entry: PicturePrice) -> dict[str, Any]:
    sides = {"size": entry.size, "over": entry.over}
    known = {name: list(pair) for name, pair in sides.items() if pair}
    return {"usd": entry.usd, **known, "parameters": dict(entry.parameters)}


def bill_told(item: Bill) -> str:
    """`$0.402`, `$0.402 and 2 unknown`, `unknown`, `free`."""
    if item.unknown == item.pictures and item.unknown:
        return UNKNOWN
    words = dollars(item.usd) if item.usd else "free"
    return f"{words} and {item.unknown} {UNKNOWN}" if item.unknown else words


def sum_told(item: Bill) -> str:
    """`$0.402`, `at least $0.402, and 2 of unknown price`, `2 of unknown price`, `free`."""
    return money(item.usd, item.unknown, nothing="free")


def sum_json(item: Bill) -> dict[str, Any]:
    """The same for a program: `usd` lacks what is unknown."""
    return {"pictures": item.pictures, "usd": item.usd, "unknown": item.unknown}


def costs_told(plan: Plan) -> list[str]:
    """What a build of `plan` should cost, by engine and in sum; nothing where all of it is free."""
    bills = price.bills(plan)
    if not bills:
        return []
    rows = [(item.engine, count(item.pictures, "picture"), bill_told(item)) for item in bills]
    total = price.total(plan)
    if len(bills) > 1:
        rows.append(("in all", count(total.pictures, "picture"), bill_told(total)))
    return ["\ncost:", columns(rows, "  ")]
