"""Pushing: what the remote lacks, from the store. Objects first, then the actions that name them.

Knows nothing of obstore. What arrived stays, whatever ends the push, so the next one goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from buildsys.digest import Digest
from buildsys.holdings import named
from buildsys.remote import trust
from buildsys.remote.bucket import Kind, Shelf, Wrong
from buildsys.remote.crew import Room, each
from buildsys.remote.model import Poisoned, Progress, Pushed, Tell
from buildsys.store import actions as files
from buildsys.store.objects import Store

Json: TypeAlias = Any


class Push:
    """One push, from its start to its end; with `verify`, what the remote has is read back."""

    def __init__(self, shelf: Shelf, store: Store, tell: Tell, *, verify: bool = False) -> None:
        self._shelf = shelf
        self._store = store
        self._tell = tell
        self._verify = verify
        self._room = Room()
        self._there: set[Digest] = set()
        """Objects that the remote has."""
        self._absent: set[Digest] = set()
        self._wrong: dict[Kind, set[Digest]] = {kind: set() for kind in Kind}
        """What the remote has with other bytes than its own, until it is overwritten."""
        self._others: set[Digest] = set()
        """Objects that sound actions of the remote name: another machine may have got another picture."""
        self._objects = self._actions = self._bytes = self._verified = self._mended = 0
        self._done = self._total = self._moved_bytes = 0

    async def send(self, objects: Collection[Digest], actions: Collection[Digest]) -> Pushed:
        """Send what is missing; actions go with the objects that they name. Raises `RemoteError`.

        Objects are all there before the first action is sent: whoever finds an action in the remote finds
        what it names. A sound action that the remote has is left as it is, also where it came to something
        else.
        """
        results = await asyncio.to_thread(self._results, actions)
        encoded = {key: files.encode(key, result) for key, result in results.items()}
        known = await self._shelf.sizes(Kind.ACTION, {*actions} if self._verify else results.keys())
        # One of another size is torn, or another machine's: only reading it tells.
        doubted = {
            key
            for key, size in known.items()
            if self._verify or key not in results or size != len(encoded[key])
        }
        self._total += len(doubted)
        await each(doubted, self._look_at_action)
        wanted = {*objects, *(digest for result in results.values() for digest in named(result))}
        await self._look_at_objects(wanted)
        new = results.keys() - (known.keys() - self._wrong[Kind.ACTION])
        missing = (wanted - self._there) | self._wrong[Kind.OBJECT]
        present = len((wanted | self._others) & self._there) + len(known) - len(self._wrong[Kind.ACTION])
        self._total += len(missing) + len(new)
        await each(missing, self._object)
        whole = {key: encoded[key] for key in new if named(results[key]) <= self._there}
        await each(whole.items(), self._action)
        return Pushed(
            objects=self._objects,
            actions=self._actions,
            bytes=self._bytes,
            present=present,
            absent=frozenset(self._absent),
            withheld=frozenset(new - whole.keys()),
            verified=self._verified,
            mended=self._mended,
            poisoned=self._left(),
        )

    async def _look_at_objects(self, wanted: Collection[Digest]) -> None:
        """Find out which of `wanted` the remote has; where all is verified, which of them are right."""
        sizes = await self._shelf.sizes(Kind.OBJECT, {*wanted, *self._others})
        # One of another size is torn: a disk may leave that after a power cut.
        self._wrong[Kind.OBJECT] = {
            digest for digest, size in sizes.items() if self._size(digest) not in (None, size)
        }
        self._there = sizes.keys() - self._wrong[Kind.OBJECT]
        if self._verify:
            self._total += len(self._there)
            await each([*self._there], self._look_at_object)
            self._there -= self._wrong[Kind.OBJECT]

    def _results(self, actions: Collection[Digest]) -> dict[Digest, Mapping[str, Json]]:
        found = ((key, self._store.action(key)) for key in actions)
        return {key: result for key, result in found if result is not None}

    def _size(self, digest: Digest) -> int | None:
        """How many bytes the store's own has; None where it has none."""
        try:
            return self._store.path_of(digest).stat().st_size
        except OSError:
            return None

    async def _look_at_action(self, key: Digest) -> None:
        def take(data: bytes) -> bool:
            result = trust.result_in(data, key)
            if result is not None and self._verify:
                self._others |= named(result)
            return result is not None

        await self._look(Kind.ACTION, key, take)

    async def _look_at_object(self, digest: Digest) -> None:
        await self._look(Kind.OBJECT, digest, lambda data: trust.is_object(data, digest))

    async def _look(self, kind: Kind, digest: Digest, take: Callable[[bytes], bool]) -> None:
        """Read back what the remote has, and note where it is wrong."""
        size = None
        async with self._room.hold() as hold:
            try:
                size = await self._shelf.read(kind, digest, take, hold)
            except Wrong:
                self._wrong[kind].add(digest)
        self._verified += 1
        self._moved(size or 0)

    async def _object(self, digest: Digest) -> None:
        async with self._room.hold() as hold:
            await hold.need(self._size(digest) or 0)
            data = await asyncio.to_thread(self._store.read, digest)
            if data is None:
                self._absent.add(digest)
                self._moved(0)
                return
            await self._send(Kind.OBJECT, digest, data)
            self._there.add(digest)
            self._objects += 1

    async def _action(self, item: tuple[Digest, bytes]) -> None:
        key, data = item
        await self._send(Kind.ACTION, key, data)
        self._actions += 1

    async def _send(self, kind: Kind, digest: Digest, data: bytes) -> None:
        await self._shelf.write(kind, digest, data)
        if digest in self._wrong[kind]:
            self._wrong[kind].remove(digest)
            self._mended += 1
        self._bytes += len(data)
        self._moved(len(data))

    def _moved(self, size: int) -> None:
        self._moved_bytes += size
        self._done += 1
        self._tell(Progress(done=self._done, total=self._total, bytes=self._moved_bytes))

    def _left(self) -> tuple[Poisoned, ...]:
        """What is still wrong there, since this machine does not have what belongs in its place."""
        found = [
            Poisoned(digest=digest, place=self._shelf.place_of(kind, digest))
            for kind, wrong in self._wrong.items()
            for digest in wrong
        ]
        return tuple(sorted(found, key=lambda item: item.place))
