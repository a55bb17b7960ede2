"""Many transfers at once, and how much of what they carry is held in memory.

Knows nothing of what is carried. All of it runs in one thread's event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

_Item = TypeVar("_Item")

WIDTH: Final = 32
"""Requests at once: at 30 ms a round trip, a thousand objects a second."""

_ROOM: Final = 256 << 20


async def each(items: Iterable[_Item], work: Callable[[_Item], Awaitable[None]]) -> None:
    """Do `work` on every item, `WIDTH` at a time. The first error ends all that is under way."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(WIDTH):
                group.create_task(worker())
    except BaseExceptionGroup as found:
        error: BaseException = found
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


class Room:
    """Bytes that transfers may hold at once; one that is larger than all of it waits to be alone."""

    def __init__(self, size: int = _ROOM) -> None:
        self._size = size
        self._taken = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[Hold]:
        """A place in the room for one transfer, which says later how large it is."""
        held = Hold(self)
        try:
            yield held
        finally:
            self._taken -= held.size
            async with self._changed:
                self._changed.notify_all()

    async def take(self, size: int) -> None:
        """Wait until there is room for `size` bytes."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._taken or self._taken + size <= self._size)
            self._taken += size


class Hold:
    """What one transfer holds of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0

    async def need(self, size: int) -> None:
        """Wait for room, the first time; a further try of the same transfer has it already."""
        if not self.size:
            await self._room.take(size)
            self.size = size
