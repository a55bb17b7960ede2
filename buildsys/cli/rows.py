"""What each engine is at, as a table with a row for each that a person wants to see.

Knows nothing of screens and events: it is told what happened, by name and moment, and gives cells.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

RECENT: Final = 5.0
"""Seconds for which an engine that has nothing more to do is shown after it made something."""

_ASSETS: Final = 3
"""Named in a row at most."""


class Cells(NamedTuple):
    """One row."""

    engine: str
    made: str
    failed: str
    doing: str


@dataclass(slots=True)
class EngineRow:
    """One engine."""

    name: str
    making: dict[str, str] = field(default_factory=dict)
    """How far each asset is."""
    again: dict[str, tuple[float, str]] = field(default_factory=dict)
    """When each asset is tried again, and why not now."""
    loading: int = 0
    since: float = 0.0
    """When the first of those that load now began."""
    made: int = 0
    failed: int = 0
    last: float = float("-inf")
    """When it had something to show."""

    def load(self, workers: int, now: float) -> None:
        """So many workers of it load now."""
        if not self.loading:
            self.since = now
        self.loading = workers

    def begin(self, asset: str, step: str = "") -> None:
        """It is at `asset`."""
        self.again.pop(asset, None)
        self.making[asset] = step

    def put_off(self, asset: str, until: float, why: str) -> None:
        """`asset` is tried again, not before `until`."""
        self.making.pop(asset, None)
        self.again[asset] = (until, why)

    def end(self, asset: str, now: float, *, made: bool) -> None:
        """It is done with `asset`, for better or worse."""
        self.making.pop(asset, None)
        self.again.pop(asset, None)
        self.made += made
        self.failed += not made
        self.last = now

    def busy(self) -> bool:
        """Whether it has a process with something to do."""
        return bool(self.making or self.loading)

    def shown(self, now: float) -> bool:
        """Whether anybody wants to see it."""
        return self.busy() or bool(self.again) or now - self.last < RECENT

    def cells(self, now: float) -> Cells:
        """The row as it is now."""
        words = [f"{asset}{step}" for asset, step in list(self.making.items())[:_ASSETS]]
        if len(self.making) > _ASSETS:
            words.append(f"and {len(self.making) - _ASSETS} more")
        if self.loading:
            words.append(f"loading for {now - self.since:.0f} s")
        for asset, (until, why) in list(self.again.items())[: _ASSETS if not words else 0]:
            words.append(f"{asset} {again(until - now, why)}")
        made = f"{self.made} made" if self.made else ""
        return Cells(self.name, made, f"{self.failed} failed" if self.failed else "", ", ".join(words))


def again(seconds: float, why: str) -> str:
    """That something is tried again, as the rest of a sentence."""
    when = f" in {seconds:.0f} s" if seconds >= 0.5 else ""  # noqa: PLR2004 - what is rounded to 0 is now
    return f"is tried again{when}: {why}"


def fitting(rows: Iterable[EngineRow], now: float, most: int) -> list[Cells]:
    """What to show on `most` lines: who works first, then who waits, then who just ended."""
    wanted = [row for row in rows if row.shown(now)]
    wanted.sort(key=lambda row: (not row.busy(), not row.again))
    if len(wanted) <= most:
        return [row.cells(now) for row in wanted]
    shown = wanted[: max(0, most - 1)]
    return [*(row.cells(now) for row in shown), Cells("", "", "", f"and {len(wanted) - len(shown)} more")]
