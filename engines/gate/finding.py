"""What a gate found: measures held against what was wanted. Knows nothing of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engines.protocol import Json


@dataclass(frozen=True, slots=True)
class Check:
    """One measure."""

    name: str
    """Of the gate's parameter that wanted it."""
    passed: bool
    measured: Json
    wanted: Json
    told: str
    """What was measured and wanted, as a sentence about `it` goes on: `is 3 x 4 pixels, not 4 x 4`."""


def finding(gate: str, checks: Sequence[Check]) -> dict[str, Json]:
    """What `checks` of one gate come to, as an engine tells it: what is wrong, or else what is right."""
    wrong = [check for check in checks if not check.passed]
    return {
        "name": gate,
        "passed": not wrong,
        "measured": {check.name: check.measured for check in checks},
        "wanted": {check.name: check.wanted for check in checks},
        "told": "; it ".join(check.told for check in wrong or checks),
    }


def percent(share: float) -> str:
    """A share as a person reads it. One that is nearly all or nearly nothing is never told as such."""
    number = 100 * share
    if 0 < share < 1:
        number = min(max(number, 0.01), 99.99)
    return f"{number:.0f} %" if number == round(number) else f"{number:.3g} %".replace("100 %", "99.9 %")
