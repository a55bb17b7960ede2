"""What came of a push or a pull, and what is told on the way. Knows nothing of how it was done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import msgspec

from buildsys.digest import Digest


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long a remote is given, and how often it is asked again."""

    connect: timedelta = timedelta(seconds=10)
    """Until a connection stands."""
    silence: timedelta = timedelta(seconds=60)
    """Until an answer begins, and from each part of it to the next."""
    retries: int = 6
    """Further tries of a request that was not answered, or with an error of the server's own."""
    give_up: timedelta = timedelta(seconds=90)
    """After which a request is not tried again."""
    pause: timedelta = timedelta(milliseconds=200)
    """Before the first further try; then twice as long each time."""
    reads: int = 3
    """Tries of an object that comes torn, or with other bytes, which may be the network's doing."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a push or a pull has come: told after each object or action."""

    done: int
    """Objects and actions that were moved or read back, or turned out not to be there."""
    total: int
    """Objects and actions that are to be moved or read back, as far as is known."""
    bytes: int
    """Bytes that were moved or read back."""


Tell: TypeAlias = Callable[[Progress], None]


class Poisoned(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the remote under a digest that is not its own."""

    digest: Digest
    place: str
    """Its address in the remote."""


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """What a pull brought."""

    objects: int = 0
    actions: int = 0
    bytes: int = 0
    present: int = 0
    """Objects and actions that the store had before."""
    absent: frozenset[Digest] = frozenset()
    """Objects and actions that the remote does not have; also actions whose objects it does not have.

    What it has with wrong bytes is not absent, but `poisoned`, and an action that names that is neither.
    """
    poisoned: tuple[Poisoned, ...] = ()
    """What was refused; none of it is in the store."""


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What a push sent."""

    objects: int = 0
    actions: int = 0
    bytes: int = 0
    present: int = 0
    """Objects and actions that the remote had before."""
    absent: frozenset[Digest] = frozenset()
    """Objects that are neither in the remote nor, whole, in the store."""
    withheld: frozenset[Digest] = frozenset()
    """Actions that were not sent, because they name an object that is in neither."""
    verified: int = 0
    """Objects and actions of the remote that were read back."""
    mended: int = 0
    """Of what was sent, how many took the place of other bytes than those of their name."""
    poisoned: tuple[Poisoned, ...] = ()
    """What is known to be wrong there, and is left so: this machine has nothing to put in its place."""
