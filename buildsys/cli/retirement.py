"""An engine's end, as `artlock status` tells it: what depends on it, and the way on."""

from __future__ import annotations

from typing import Any, Final

from buildsys.cli.console import count, paint
from buildsys.cli.money import bill_told
from buildsys.plan.radar import Ending

_SHOWN: Final = 5
"""Assets that a warning names; `--json` has them all."""


def retirement_told(item: Ending) -> str:
    """The warning: the fact, and one action."""
    when = f"ended on {item.retires}"
    if item.days > 0:
        when = f"ends on {item.retires}, in {count(item.days, 'day')}"
    names = ", ".join(item.assets[:_SHOWN])
    if (rest := len(item.assets) - _SHOWN) > 0:
        names = f"{names} and {rest} more"
    word = paint("retires", "yellow")
    many = count(len(item.assets), "asset")
    return f"{word}: engine `{item.engine}` {when}: {many} ({names})\n\nhint: {_hint(item)}"


def _hint(item: Ending) -> str:
    if item.bill is None:
        if item.role:
            return f"no ready engine takes them; `artlock engines --role {item.role}` shows what is missing"
        return "give them another `engine`; `artlock engines` lists all"
    change = (
        f"map the role `{item.role}` to `{item.way}`" if item.mapped else f'give them `engine = "{item.way}"`'
    )
    cost = f"{change}; new pictures of all: {bill_told(item.bill)}"
    return f"{cost}. Not ready yet: {item.obstacle.new}" if item.obstacle else cost


def retirement_json(item: Ending) -> dict[str, Any]:
    """The same for a program. `cost` lacks what is unknown; `unknown` counts the pictures of which it is."""
    return {
        "engine": item.engine,
        "retires": item.retires,
        "days": item.days,
        "role": item.role or None,
        "assets": list(item.assets),
        "way": item.way or None,
        "missing": item.obstacle.new if item.obstacle else "",
        "cost": item.bill.usd if item.bill else None,
        "unknown": item.bill.unknown if item.bill else None,
    }
