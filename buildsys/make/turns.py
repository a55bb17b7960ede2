"""Turns: assets of one recipe are made one after the other, so that one picture serves them all.

Two crops of one picture are made side by side, and neither finds the other's in the store yet: an engine
would be asked, and paid, for each. Knows nothing of what a recipe is.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from buildsys.digest import Digest


class Turns:
    """Of one run. Called from several threads at once."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._turns: defaultdict[Digest, threading.Lock] = defaultdict(threading.Lock)
        self._done: set[Digest] = set()

    @contextmanager
    def of(self, key: Digest) -> Iterator[None]:
        """Have `key` to oneself."""
        with self._guard:
            turn = self._turns[key]
        with turn:
            yield

    def done(self, key: Digest) -> None:
        """Note that `key` was made in this run."""
        with self._guard:
            self._done.add(key)

    def is_done(self, key: Digest) -> bool:
        """Whether `key` was made in this run: then it is new enough for a rebuild, too."""
        with self._guard:
            return key in self._done
