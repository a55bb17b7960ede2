"""What each lock of history says of one asset: every lock is read once, and of it the asset's own lines.

Knows nothing of commits.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from buildsys import git
from buildsys.digest import Digest
from buildsys.errors import GitError, LockError
from buildsys.history import cut
from buildsys.history.commits import ABSENT
from buildsys.lock.model import Approval, Lock
from buildsys.lock.read import parse
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record

_KEPT: Final = 4
"""Locks kept whole: a commit's and its parent's are asked together, and the parent's is the next one's."""
_ORIGIN: Final = "the lock"


class State(msgspec.Struct, frozen=True):
    """What one lock says of one asset."""

    record: Record | None = None
    """None where it has no such asset, and where it can't be read."""
    approval: Approval | None = None
    """Of the picture in the record."""
    frozen: bool = False
    trouble: str = ""
    """Why it can't be read, in words."""


class Reading:
    """The locks of one repository, by the names of their objects."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wanted = ""
        self._stream = git.held(folder, self._asked())
        self._texts: OrderedDict[str, bytes | None] = OrderedDict()
        self._states: dict[tuple[str, str], State] = {}

    def close(self) -> None:
        """End git's process."""
        self._stream.close()

    def state(self, lock: str, name: AssetName) -> State:
        """What `lock` says of the asset `name`."""
        if lock == ABSENT:
            return State()
        if (lock, name) not in self._states:
            self._states[lock, name] = self._state(lock, name)
        return self._states[lock, name]

    def with_file(self, lock: str, file: Digest) -> tuple[AssetName, ...]:
        """The assets of `lock` whose finished file is `file`, sorted."""
        text = self._text(lock)
        if text is None:
            return ()
        data = cut.canonical(text)
        names = cut.named(data, file) if data is not None else _whole_names(text)
        states = {name: self.state(lock, name).record for name in names}
        return tuple(
            sorted(name for name, record in states.items() if record and record.picture.file == file)
        )

    def names(self, lock: str) -> frozenset[AssetName]:
        """Every asset that `lock` may have."""
        text = self._text(lock)
        if text is None:
            return frozenset()
        data = cut.canonical(text)
        return frozenset(cut.names(data) if data is not None else _whole_names(text))

    def _state(self, lock: str, name: AssetName) -> State:
        text = self._text(lock)
        if text is None:
            return State(trouble="git does not have its lock here")
        data = cut.canonical(text)
        small = None if data is None else cut.of(data, name)
        return _said(text if small is None else small, name) if small != b"" else State()

    def _text(self, lock: str) -> bytes | None:
        if lock == ABSENT:
            return None
        if lock not in self._texts:
            self._wanted = lock
            self._texts[lock] = self._read()
            while len(self._texts) > _KEPT:
                self._texts.popitem(last=False)
        self._texts.move_to_end(lock)
        return self._texts[lock]

    def _read(self) -> bytes | None:
        try:
            return next(self._stream)[1]
        except GitError:  # a clone without all of its objects, whose server does not answer
            self._stream = git.held(self._folder, self._asked())
            return None

    def _asked(self) -> Iterator[str]:
        while True:
            yield self._wanted


def _said(text: bytes, name: AssetName) -> State:
    lock = _parsed(text)
    if isinstance(lock, str):
        return State(trouble=lock)
    if name in lock.conflicts:
        return State(trouble="both sides of a merge changed it, and it was committed so")
    record = lock.records.get(name)
    approval = lock.approvals.get(name)
    holds = record is not None and approval is not None and approval.pixels == record.picture.pixels
    frozen = record is not None and lock.frozen.get(name) == record.picture.file
    return State(record, approval if holds else None, frozen)


@lru_cache(maxsize=4)
def _parsed(text: bytes) -> Lock | str:
    """The lock in `text`, or what is wrong with it."""
    try:
        return parse(text.decode(), origin=_ORIGIN)
    except UnicodeDecodeError:
        return f"{_ORIGIN} is not UTF-8"
    except LockError as error:
        return error.message


def _whole_names(text: bytes) -> tuple[AssetName, ...]:
    lock = _parsed(text)
    return () if isinstance(lock, str) else (*lock.records, *lock.conflicts)
