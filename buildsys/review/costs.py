"""What the pictures of a review did cost, one by one and in all.

Knows nothing of prices: what nobody noted is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from buildsys.digest import Digest
from buildsys.errors import ManifestError
from buildsys.holdings import holdings
from buildsys.journal.costs import Costs
from buildsys.journal.database import NAME as JOURNAL
from buildsys.journal.rows import Rows, Unreadable, read
from buildsys.manifest.model import Engine
from buildsys.manifest.read import read as read_manifest
from buildsys.places import PRIVATE
from buildsys.plan.recipe import generate_key
from buildsys.plan.record import Record
from buildsys.review.model import Change
from buildsys.store.objects import Store


def costs(root: Path, store: Store) -> Costs:
    """Of the project in the folder `root`, whose journal and manifest may be of no use."""
    rows = Rows()
    with suppress(Unreadable):  # the numbers are a courtesy
        rows = read(root / PRIVATE / JOURNAL) or rows
    return Costs(rows, store, lambda: _engines(root))


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


def _engines(root: Path) -> Mapping[str, Engine]:
    with suppress(ManifestError):
        return read_manifest(root).engines
    return {}


def _key(record: Record) -> Digest | None:
    key = generate_key(record.parts)
    return key if key in holdings(record).actions else None
