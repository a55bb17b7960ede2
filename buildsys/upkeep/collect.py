"""Collecting garbage: what of the store nobody needs any more, and removing it.

What a lock of a known checkout names, on any ref, or a pin, is never removed. Knows nothing of terminals.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from typing import Final

import msgspec

from buildsys.digest import Digest
from buildsys.files import ExclusiveLock
from buildsys.store import inventory
from buildsys.store.inventory import Entry, Kind
from buildsys.store.objects import Store
from buildsys.upkeep.reach import Reach, reach
from buildsys.upkeep.roots import Roots, gather

DAY: Final = 86_400.0
AGE: Final = 30 * DAY
"""Seconds that what nobody's lock names stays after its last use, unless a person says otherwise."""
GRACE: Final = 3_600.0
"""Seconds that it stays even where the store is too large: a build that was killed goes on from there."""
_BUSY: Final = "another `artlock gc` (process {}) is at work in this store"
_LOCK: Final = "gc.lock"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What may go."""

    older_than: float = AGE
    """Seconds since its last use."""
    max_size: int | None = None
    """Bytes that the store may have; None for any."""
    paid: bool = False
    """Whether that holds for what was paid for, too."""


class Tally(msgspec.Struct, frozen=True):
    """How much of something."""

    files: int = 0
    bytes: int = 0


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a store."""

    roots: Roots
    locked: Tally
    """What locks and pins keep."""
    paid: Tally
    """What was paid for, and is in no lock."""
    recent: Tally
    """Nobody's, but used lately."""
    removed: Tally
    """Gone; of a dry run, what would go."""
    over: int = 0
    """Bytes by which the store is still larger than it may be."""
    dropped: int = 0
    """Results that were found damaged."""
    leftovers: int = 0
    """Files of writers that were killed, removed."""


def collect(store: Store, limits: Limits, *, dry: bool = False) -> Collected:
    """Remove what is nobody's and was not used for a while; if the store is too large, the oldest of it.

    Safe beside builds: nothing goes that was used since the oldest running one began. With `dry` nothing
    is removed. Raises `ArtlockError` where what a checkout keeps can't be told: then nothing is removed.
    """
    if not store.layout.is_dir():
        nothing = Tally()
        return Collected(
            roots=gather(store.layout), locked=nothing, paid=nothing, recent=nothing, removed=nothing
        )
    with ExclusiveLock(store.layout / _LOCK, busy=_BUSY):
        # Before the roots are read: what is written later, a running build needs.
        entries = [entry for kind in Kind for entry in inventory.entries(store.layout, kind)]
        roots = gather(store.layout, dry=dry)
        actions = [entry.digest for entry in entries if entry.kind is Kind.ACTION]
        reached = reach(store, roots.held, actions)
        locked, paid, free = _sorted(entries, reached)
        if limits.paid:
            paid, free = [], [*free, *paid]
        doomed = _doomed(_by_use(free, reached), limits, sum(entry.size for entry in entries))
        gone = set(doomed) if dry else set(inventory.remove(store.layout, doomed))
        leftovers = 0 if dry else store.sweep()
    left = sum(entry.size for entry in entries) - sum(entry.size for entry in gone)
    return Collected(
        roots=roots,
        locked=_tally(locked),
        paid=_tally(paid),
        recent=_tally(entry for entry in free if entry not in gone),
        removed=_tally(gone),
        over=0 if limits.max_size is None else max(0, left - limits.max_size),
        dropped=len(store.dropped),
        leftovers=leftovers,
    )


def _sorted(entries: Iterable[Entry], reached: Reach) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """What locks keep, what was paid for, and what is nobody's."""
    locked: list[Entry] = []
    paid: list[Entry] = []
    free: list[Entry] = []
    kept = {Kind.OBJECT: reached.objects, Kind.ACTION: reached.actions}
    dear = {Kind.OBJECT: reached.paid_objects, Kind.ACTION: reached.paid_actions}
    for entry in entries:
        whose = (
            locked if entry.digest in kept[entry.kind] else paid if entry.digest in dear[entry.kind] else free
        )
        whose.append(entry)
    return locked, paid, free


def _by_use(free: Collection[Entry], reached: Reach) -> list[tuple[int, Entry]]:
    """With when each was used, the longest unused first: bytes are used with a result that names them."""
    used: dict[Digest, int] = {}
    for entry in free:
        if entry.kind is Kind.ACTION:
            for named in reached.named.get(entry.digest, ()):
                used[named] = max(used.get(named, 0), entry.used)
    found = [
        (max(entry.used, used.get(entry.digest, 0)) if entry.kind is Kind.OBJECT else entry.used, entry)
        for entry in free
    ]
    # A result before its bytes: alone it is of no use.
    return sorted(found, key=lambda item: (item[0], item[1].kind is Kind.OBJECT, item[1].digest))


def _doomed(found: Iterable[tuple[int, Entry]], limits: Limits, size: int) -> Iterator[Entry]:
    now = time.time()
    old = now - limits.older_than
    idle = now - min(limits.older_than, GRACE)
    for used, entry in found:
        large = limits.max_size is not None and size > limits.max_size
        if used / 1e9 < old or (large and used / 1e9 < idle):
            size -= entry.size
            yield entry


def _tally(entries: Iterable[Entry]) -> Tally:
    sizes = [entry.size for entry in entries]
    return Tally(len(sizes), sum(sizes))
