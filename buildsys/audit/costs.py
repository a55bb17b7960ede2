"""What pictures did cost, as the store and the journal of this checkout have it.

Knows nothing of prices: what nobody noted is not worked out.
"""

from __future__ import annotations

from buildsys.journal.database import NAME
from buildsys.journal.rows import Rows, Unreadable, read
from buildsys.journal.spends import add_up
from buildsys.make.results import Raw
from buildsys.manifest.cards import FINISH, PACK
from buildsys.places import PRIVATE
from buildsys.plan import price, recipe
from buildsys.plan.record import Record
from buildsys.session import Session


class Costs:
    """What is known of money, looked up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.notes: tuple[str, ...] = ()
        rows = self._rows()
        self._by_key = {
            row.key: row.cost
            for row in rows.actions
            if row.cost is not None and not row.hit and not row.error
        }
        self._spent = {item.asset: item.usd for item in add_up(rows.actions, rows.runs).assets if item.usd}

    def of(self, record: Record) -> float | None:
        """US dollars that a picture did cost; None where nobody knows."""
        if record.parts.adapter in (FINISH, PACK):
            return 0.0
        key = recipe.generate_key(record.parts)
        kept = self._session.store.recall(key, Raw)
        if kept is not None and kept.cost is not None:
            return kept.cost
        engine = self._session.manifest.engines.get(record.engine)
        if engine is not None and engine.card.name == record.parts.adapter and price.bounds(engine) == (0, 0):
            return 0.0
        return self._by_key.get(key)

    def spent(self, asset: str) -> float | None:
        """US dollars that the journal knows of for an asset; None where it knows of none."""
        return self._spent.get(asset)

    def _rows(self) -> Rows:
        try:
            return read(self._session.root / PRIVATE / NAME) or Rows()
        except Unreadable as error:
            self.notes = (f"the journal of this checkout can't be read: {error}",)
            return Rows()
