"""What engines refused, remembered in the store: the same answer is not paid for twice.

Knows nothing of who makes an asset instead.
"""

from __future__ import annotations

import datetime as dt
import threading

import msgspec

from buildsys.digest import Digest
from buildsys.make.failure import EngineFailed
from buildsys.manifest.model import Engine
from buildsys.plan import price, recipe
from buildsys.plan.record import Parts
from buildsys.plan.refusal import HINT, Refusal
from buildsys.store.objects import Store
from engines.protocol import ErrorKind, Request


class Refusals:
    """The refusals of one store, for one run. Called from several threads at once.

    Args:
        store: where they are kept.
        retry: ask again for what was refused before this run.
    """

    def __init__(self, store: Store, *, retry: bool) -> None:
        self._store = store
        self._retry = retry
        self._new: set[Digest] = set()
        self._guard = threading.Lock()

    def check(self, parts: Parts, engine: Engine) -> None:
        """Raise `EngineFailed` where `parts` were refused, and are not to be asked for again."""
        key = recipe.refusal_key(parts)
        with self._guard:
            again = self._retry and key not in self._new
        refusal = None if again else self._store.recall(key, Refusal)
        if refusal is not None:
            failure = EngineFailed(refusal.text(), HINT, kind=ErrorKind.REFUSED)
            failure.engine = engine.name
            raise failure

    def note(self, parts: Parts, engine: Engine, request: Request, error: EngineFailed) -> None:
        """Remember that `engine` refused `request`. Raises `DiskError`."""
        key = recipe.refusal_key(parts)
        refusal = Refusal(
            engine=engine.name,
            kind=error.kind,
            message=error.message,
            hint=error.hint,
            dated=dt.datetime.now(tz=dt.UTC).date().isoformat(),
            # No provider says what a refusal took; only what is never paid is known.
            cost=0.0 if price.estimate(engine, request) == 0.0 else None,
        )
        # Durable, as a picture is that was paid for: the answer may have been.
        self._store.record_action(key, msgspec.to_builtins(refusal), sync=True)
        with self._guard:
            self._new.add(key)

    def forget(self, parts: Parts) -> None:
        """Note that there is a picture after all. Raises `DiskError`."""
        if self._retry:
            self._store.forget(recipe.refusal_key(parts))
