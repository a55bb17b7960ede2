"""What the picture of a record did cost, as the store and the journal of a checkout have it.

The one answer for all who tell it. Knows nothing of what it would cost now: only of an engine that asks no
money is it said without a note.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from buildsys.journal.rows import Rows
from buildsys.make.results import Raw
from buildsys.manifest.cards import FINISH, PACK
from buildsys.manifest.model import Engine
from buildsys.plan import price, recipe
from buildsys.plan.record import Record
from buildsys.store.objects import Store


class Costs:
    """Looks costs up.

    Args:
        rows: of the journal.
        store: where results are kept with what they did cost.
        engines: gives those of the manifest; asked only where nobody noted a cost.
    """

    def __init__(self, rows: Rows, store: Store, engines: Callable[[], Mapping[str, Engine]]) -> None:
        self._noted = {row.key: row.cost for row in rows.actions if row.cost is not None and row.made}
        self._store = store
        self._ask = engines
        self._engines: Mapping[str, Engine] | None = None

    def of(self, record: Record) -> float | None:
        """US dollars; None where nobody knows. What is made from other pictures alone costs nothing."""
        if record.parts.adapter in (FINISH, PACK):
            return 0.0
        key = recipe.generate_key(record.parts)
        kept = self._store.recall(key, Raw)
        if kept is not None and kept.cost is not None:
            return kept.cost
        if key in self._noted:
            return self._noted[key]
        return 0.0 if self._is_free(record) else None

    def _is_free(self, record: Record) -> bool:
        if self._engines is None:
            self._engines = self._ask()
        engine = self._engines.get(record.engine)
        return (
            engine is not None and engine.card.name == record.parts.adapter and price.bounds(engine) == (0, 0)
        )
