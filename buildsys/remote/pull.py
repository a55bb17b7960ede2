"""Pulling: what the store lacks, from the remote. Every byte is hashed before the store has it.

Knows nothing of obstore. What arrived stays, whatever ends the pull, so the next one goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from buildsys.digest import Digest
from buildsys.holdings import named
from buildsys.remote import trust
from buildsys.remote.bucket import LISTED_FROM, Kind, Shelf, Wrong
from buildsys.remote.crew import Hold, Room, each
from buildsys.remote.model import Poisoned, Progress, Pulled, Tell
from buildsys.store.objects import Store

Json: TypeAlias = Any


class Pull:
    """One pull, from its start to its end."""

    def __init__(self, shelf: Shelf, store: Store, tell: Tell, *, without: Collection[Digest] = ()) -> None:
        self._shelf = shelf
        self._store = store
        self._tell = tell
        self._without = frozenset(without)
        self._room = Room()
        self._results: dict[Digest, Mapping[str, Json]] = {}
        """Actions that arrived, and wait for the objects that they name."""
        self._absent: set[Digest] = set()
        self._poisoned: list[Poisoned] = []
        self._objects = self._actions = self._bytes = 0
        self._done = self._total = 0

    async def bring(self, objects: Collection[Digest], actions: Collection[Digest]) -> Pulled:
        """Bring what is missing; actions come with the objects that they name. Raises `RemoteError`.

        An action is kept once its objects are: a build never finds one that it can't use.
        """
        missing = await asyncio.to_thread(self._unknown, actions)
        wanted = {digest for digest in objects if not self._store.has(digest)}
        present = len({*objects}) - len(wanted) + len({*actions}) - len(missing)
        there = await self._listed(missing)
        self._total = len(there) + len(wanted)
        await each(there, self._action)
        further = {digest for result in self._results.values() for digest in named(result)}
        further = {digest for digest in further - wanted - self._without if not self._store.has(digest)}
        self._total += len(further)
        await each(wanted | further, self._object)
        await asyncio.to_thread(self._keep)
        return Pulled(
            objects=self._objects,
            actions=self._actions,
            bytes=self._bytes,
            present=present,
            absent=frozenset(self._absent),
            poisoned=tuple(sorted(self._poisoned, key=lambda found: found.place)),
        )

    async def _listed(self, actions: Collection[Digest]) -> Collection[Digest]:
        """Of many `actions`, those that the remote has: most recipes of a new style are nobody's yet.

        A few are just asked for. Objects always are: what names them says that they are there.
        """
        if len(actions) < LISTED_FROM:
            return actions
        there = (await self._shelf.sizes(Kind.ACTION, actions)).keys()
        self._absent |= {*actions} - there
        return there

    def _unknown(self, actions: Collection[Digest]) -> set[Digest]:
        return {key for key in actions if self._store.action(key) is None}

    async def _action(self, key: Digest) -> None:
        def take(data: bytes) -> bool:
            result = trust.result_in(data, key)
            if result is None:
                return False
            self._results[key] = result
            return True

        async with self._room.hold() as hold:
            await self._one(Kind.ACTION, key, take, hold)

    async def _object(self, digest: Digest) -> None:
        def take(data: bytes) -> bool:
            if not trust.is_object(data, digest):
                return False
            # Not synced: after a power cut a torn one reads as absent, and is pulled again.
            self._store.put_bytes(data, sync=False)
            return True

        async with self._room.hold() as hold:
            if await self._one(Kind.OBJECT, digest, take, hold):
                self._objects += 1

    async def _one(self, kind: Kind, digest: Digest, take: Callable[[bytes], bool], hold: Hold) -> bool:
        """Whether it was there, and right."""
        size = None
        try:
            size = await self._shelf.read(kind, digest, take, hold)
        except Wrong:
            self._poisoned.append(Poisoned(digest=digest, place=self._shelf.place_of(kind, digest)))
        else:
            if size is None:
                self._absent.add(digest)
        self._bytes += size or 0
        self._done += 1
        self._tell(Progress(done=self._done, total=self._total, bytes=self._bytes))
        return size is not None

    def _keep(self) -> None:
        refused = self._without.union(found.digest for found in self._poisoned)
        for key, result in self._results.items():
            lacking = {digest for digest in named(result) if not self._store.has(digest)}
            if not lacking:
                self._store.record_action(key, result, sync=False)
                self._actions += 1
            elif not lacking <= refused:
                # Else the remote has all of it: that some is wrong there is told already.
                self._absent.add(key)
