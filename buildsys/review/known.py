"""What was measured before: the store has it by the digests of the two files.

Not by those of their pixels: a lock only claims these, and a stranger's could make a change pass for another
one that was measured long ago. Knows nothing of engines.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.errors import DiskError, StoreError
from buildsys.manifest.cards import MEASURE, Cards
from buildsys.review.model import Measure
from buildsys.store.objects import Store

_SALT: Final = 1


class Pair(NamedTuple):
    """Two files to hold against each other."""

    before: Digest
    after: Digest
    pixels: int = 0
    """Of the larger one, as far as known."""


class Known:
    """Remembers measures; a store that can't be read or written costs the next review some time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version = Cards(Path()).load(MEASURE).version

    def recall(self, pair: Pair) -> Measure | None:
        """What `pair` was measured."""
        with suppress(DiskError, StoreError):
            return self._store.recall(self._key(pair), Measure)
        return None

    def keep(self, pair: Pair, measure: Measure) -> None:
        """Remember what `pair` was measured."""
        with suppress(DiskError, StoreError):
            self._store.record_action(self._key(pair), msgspec.to_builtins(measure), sync=False)

    def _key(self, pair: Pair) -> Digest:
        told = {"review": self._version, "before": pair.before, "after": pair.after}
        return digests.of_value({"artlock": _SALT, **told})
