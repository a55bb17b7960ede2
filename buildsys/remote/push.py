"""Pushing: what the remote lacks, from the store. Objects first, then the actions that name them.

Knows nothing of obstore. What arrived stays, whatever ends the push, so the next one goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

from buildsys.digest import Digest
from buildsys.holdings import named
from buildsys.remote.bucket import Kind, Shelf
from buildsys.remote.crew import Room, each
from buildsys.remote.model import Progress, Pushed, Tell
from buildsys.store import actions as files
from buildsys.store.objects import Store

Json: TypeAlias = Any


class Push:
    """One push, from its start to its end."""

    def __init__(self, shelf: Shelf, store: Store, tell: Tell) -> None:
        self._shelf = shelf
        self._store = store
        self._tell = tell
        self._room = Room()
        self._there: set[Digest] = set()
        """Objects that the remote has."""
        self._absent: set[Digest] = set()
        self._objects = self._actions = self._bytes = 0
        self._done = self._total = 0

    async def send(self, objects: Collection[Digest], actions: Collection[Digest]) -> Pushed:
        """Send what is missing; actions go with the objects that they name. Raises `RemoteError`.

        Objects are all there before the first action is sent: whoever finds an action in the remote finds
        what it names. An action that the remote has is left as it is, also where it came to something else.
        """
        results = await asyncio.to_thread(self._results, actions)
        wanted = {*objects, *(digest for result in results.values() for digest in named(result))}
        sizes = await self._shelf.sizes(Kind.OBJECT, wanted)
        known = await self._shelf.sizes(Kind.ACTION, results)
        # One of another size is torn: a disk may leave that after a power cut.
        self._there = {digest for digest, size in sizes.items() if self._size(digest) in (None, size)}
        present = len(self._there) + len(known)
        missing, new = wanted - self._there, results.keys() - known.keys()
        self._total = len(missing) + len(new)
        await each(missing, self._object)
        whole = {key: results[key] for key in new if named(results[key]) <= self._there}
        await each(whole.items(), self._action)
        return Pushed(
            objects=self._objects,
            actions=self._actions,
            bytes=self._bytes,
            present=present,
            absent=frozenset(self._absent),
            withheld=frozenset(new - whole.keys()),
        )

    def _results(self, actions: Collection[Digest]) -> dict[Digest, Mapping[str, Json]]:
        found = ((key, self._store.action(key)) for key in actions)
        return {key: result for key, result in found if result is not None}

    def _size(self, digest: Digest) -> int | None:
        """How many bytes the store's own has; None where it has none."""
        try:
            return self._store.path_of(digest).stat().st_size
        except OSError:
            return None

    async def _object(self, digest: Digest) -> None:
        async with self._room.hold() as hold:
            await hold.need(self._size(digest) or 0)
            data = await asyncio.to_thread(self._store.read, digest)
            if data is None:
                self._absent.add(digest)
            else:
                await self._shelf.write(Kind.OBJECT, digest, data)
                self._there.add(digest)
                self._objects += 1
            self._moved(len(data or b""))

    async def _action(self, item: tuple[Digest, Mapping[str, Json]]) -> None:
        key, result = item
        data = files.encode(key, result)
        await self._shelf.write(Kind.ACTION, key, data)
        self._actions += 1
        self._moved(len(data))

    def _moved(self, size: int) -> None:
        self._bytes += size
        self._done += 1
        self._tell(Progress(done=self._done, total=self._total, bytes=self._bytes))
