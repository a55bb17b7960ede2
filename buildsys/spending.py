"""What requests of a trial took: the time, as the pool tells it, and the money, as answers come.

Knows nothing of journals, and nothing of what was asked for.
"""

from __future__ import annotations

import math
import threading
from typing import Final

from buildsys.make.events import RequestSpent
from buildsys.make.failure import EngineFailed
from buildsys.make.made import Engines, Made
from buildsys.make.progress import ActionStarted, Event
from buildsys.make.purse import UNBILLED
from buildsys.manifest.model import Engine
from buildsys.plan import price
from buildsys.plan.price import Bill
from engines.protocol import Request

_ACCOUNT_SECONDS: Final = 20.0
"""How long to wait for the account of a request that is done; it comes when its batch has ended."""


class Spending:
    """What requests took, by asset and engine: told by the pool, and asked for by others."""

    def __init__(self) -> None:
        self._told = threading.Condition()
        self._asked: set[tuple[str, str]] = set()
        self._spent: dict[tuple[str, str], RequestSpent] = {}

    def hear(self, event: Event) -> None:
        """Take in what happens. Called from several threads."""
        with self._told:
            if isinstance(event, ActionStarted):
                self._asked.add((event.name, event.engine))
            elif isinstance(event, RequestSpent):
                self._spent[event.asset, event.engine] = event
                self._told.notify_all()

    def on(self, asset: str, engine: str) -> RequestSpent | None:
        """What was spent on `asset`; waits for what is still to be told."""
        key = asset, engine
        with self._told:
            if key in self._asked:
                self._told.wait_for(lambda: key in self._spent, _ACCOUNT_SECONDS)
            return self._spent.get(key)


class Till:
    """Engines, and what they took. Called from several threads at once.

    Args:
        engines: what runs an engine.
    """

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._costs: list[float | None] = []
        self._guard = threading.Lock()

    @property
    def bill(self) -> Bill:
        """What was taken so far, for what is not free."""
        with self._guard:
            paid = [cost for cost in self._costs if cost != 0.0]
        known = [cost for cost in paid if cost is not None]
        return Bill(pictures=len(paid), usd=math.fsum(known), unknown=len(paid) - len(known))

    def render(self, engine: Engine, request: Request) -> Made:
        """Make one picture. Raises as the engines do."""
        try:
            done = self._engines.render(engine, request)
        except EngineFailed as failure:
            nothing = failure.kind in UNBILLED or price.bounds(engine) == (0.0, 0.0)
            self._add(0.0 if nothing else None)
            raise
        self._add(price.billed(engine, request, done))
        return done

    def _add(self, cost: float | None) -> None:
        with self._guard:
            self._costs.append(cost)
