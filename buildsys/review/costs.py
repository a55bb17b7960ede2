"""What the pictures of a review did cost: by the journal of this checkout, or by the store.

Knows nothing of prices: what nobody noted is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from buildsys.digest import Digest
from buildsys.holdings import holdings
from buildsys.journal.database import NAME as JOURNAL
from buildsys.journal.rows import last_made
from buildsys.make.results import Raw
from buildsys.places import PRIVATE
from buildsys.plan.recipe import generate_key
from buildsys.plan.record import Record
from buildsys.review.model import Change
from buildsys.store.objects import Store


class Costs:
    """Looks costs up."""

    def __init__(self, root: Path, store: Store) -> None:
        self._past = last_made(root / PRIVATE / JOURNAL)
        self._store = store

    def of(self, record: Record) -> float | None:
        """US dollars; None where nobody knows, or where no engine was asked for the picture itself."""
        key = _key(record)
        if key is None:
            return None
        noted = self._past.get(key)
        if noted is not None and noted.cost is not None:
            return noted.cost
        raw = self._store.recall(key, Raw)
        return None if raw is None else raw.cost


def total(changes: Iterable[Change]) -> float | None:
    """Of the new pictures: what has one raw picture was paid for once. None where no cost is known."""
    paid: dict[Digest, float] = {}
    for change in changes:
        side = change.after
        if side is None or side.cost is None or side.edited is not None:
            continue
        key = _key(side.record)
        if key is not None and (change.before is None or _key(change.before.record) != key):
            paid[key] = side.cost
    return sum(paid.values()) if paid else None


def _key(record: Record) -> Digest | None:
    key = generate_key(record.parts)
    return key if key in holdings(record).actions else None
