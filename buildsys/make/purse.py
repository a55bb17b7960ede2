"""A purse between the maker and the engines: nothing is asked for that would pass the budget.

Knows nothing of who set the budget, nor of what the store has: that never comes here.
"""

from __future__ import annotations

import threading
from typing import Final

from buildsys.errors import MakeError
from buildsys.make.failure import EngineFailed
from buildsys.make.made import Engines, Made
from buildsys.manifest.model import Engine
from buildsys.plan import price
from engines.protocol import ErrorKind, Request

UNBILLED: Final = frozenset(
    {
        ErrorKind.BAD_REQUEST,
        ErrorKind.AUTH,
        ErrorKind.QUOTA,
        ErrorKind.RATE_LIMITED,
        ErrorKind.RETIRED,
        ErrorKind.MISSING,
        ErrorKind.TRANSIENT,
    }
)
"""Errors after which nothing is owed. A refused picture may be billed, a lost answer or process too."""

_ROUNDING: Final = 1e-9
"""US dollars. Twenty times 0.1 is a little more than 2 to a computer, and no more to a person."""


class Withheld(MakeError):  # noqa: N818 - as in a sentence: the spend was withheld
    """A picture was not asked for, because of the budget."""


class Purse:
    """Engines that spend no more than a budget. Called from several threads at once.

    Money is set aside before a picture is asked for, so pictures under way together can't pass the
    budget either; when one is made, what it did cost takes the place of the estimate.

    Args:
        engines: what runs an engine.
        budget: US dollars.
    """

    def __init__(self, engines: Engines, budget: float) -> None:
        self._engines = engines
        self._budget = budget
        self._taken = 0.0
        self._lock = threading.Lock()

    @property
    def taken(self) -> float:
        """US dollars that are spent or set aside."""
        with self._lock:
            return self._taken

    def render(self, engine: Engine, request: Request) -> Made:
        """Make one picture. Raises `Withheld` where it would pass the budget, else as the engines do."""
        estimate = price.estimate(engine, request)
        if estimate is None:
            raise Withheld(
                f"nobody knows what engine `{engine.name}` costs, so no budget can hold it",
                f"add `price` to `[engines.{engine.name}]`",
            )
        self._set_aside(estimate, engine)
        try:
            done = self._engines.render(engine, request)
        except EngineFailed as failure:
            if failure.kind in UNBILLED:
                self._give_back(estimate)
            raise
        cost = price.billed(engine, request, done)
        if cost is not None:
            self._give_back(estimate - cost)
        return done

    def _set_aside(self, dollars: float, engine: Engine) -> None:
        with self._lock:
            # What is free is made even where another picture turned out dearer than its price.
            if dollars and self._taken + dollars > self._budget + _ROUNDING:
                fact = (
                    f"a picture of engine `{engine.name}` costs ${dollars:.15g}, and of the budget of "
                    f"${self._budget:.2f} there is ${max(self._budget - self._taken, 0):.3f} left"
                )
                raise Withheld(fact, "give a larger `--budget`")
            self._taken += dollars

    def _give_back(self, dollars: float) -> None:
        with self._lock:
            self._taken -= dollars
