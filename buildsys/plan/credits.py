"""Whom a picture owes a mention: its own credits, and those of the assets that it was made from.

Knows nothing of how credits are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from buildsys.manifest.model import AssetName
from buildsys.plan.record import Credit, Record, asset_of


def owed(record: Record, records: Mapping[AssetName, Record]) -> Iterator[Credit]:
    """Its own, and those of the assets that it was made from, each once."""
    found: dict[Credit, None] = {}
    seen: set[AssetName] = set()
    waiting = [record]
    # No recursion: a chain of a thousand is legal, and a stranger's lock may go in a circle.
    while waiting:
        current = waiting.pop()
        seen.add(current.name)
        found |= dict.fromkeys(current.credits)
        sources = {name for path in current.paths.values() if (name := asset_of(path)) is not None}
        waiting += [records[name] for name in sorted(sources - seen) if name in records]
    yield from found
