"""What pictures did cost, as the store and the journal of this checkout have it.

Knows nothing of prices: what nobody noted is not worked out.
"""

from __future__ import annotations

from buildsys.journal import costs
from buildsys.journal.database import NAME
from buildsys.journal.rows import Rows, Unreadable, read
from buildsys.journal.spends import add_up
from buildsys.places import PRIVATE
from buildsys.plan.record import Record
from buildsys.session import Session


class Costs:
    """What is known of money, looked up once."""

    def __init__(self, session: Session) -> None:
        self.notes: tuple[str, ...] = ()
        rows = self._rows(session)
        self._costs = costs.Costs(rows, session.store, lambda: session.manifest.engines)
        self._spent = {item.asset: item.usd for item in add_up(rows.actions, rows.runs).assets if item.usd}

    def of(self, record: Record) -> float | None:
        """US dollars that a picture did cost; None where nobody knows."""
        return self._costs.of(record)

    def spent(self, asset: str) -> float | None:
        """US dollars that the journal knows of for an asset; None where it knows of none."""
        return self._spent.get(asset)

    def _rows(self, session: Session) -> Rows:
        try:
            return read(session.root / PRIVATE / NAME) or Rows()
        except Unreadable as error:
            self.notes = (f"the journal of this checkout can't be read: {error}",)
            return Rows()
