"""Roots: what the locks of all known checkouts keep, in every ref and work tree, and what is pinned.

Knows nothing of what the store holds, nor of what becomes of the rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from buildsys import git
from buildsys.digest import Digest
from buildsys.errors import StoreError
from buildsys.files.content import open_regular
from buildsys.files.durable import disk_error
from buildsys.session import LOCK
from buildsys.store import checkouts
from buildsys.store.checkouts import Known
from buildsys.upkeep import history, holding, pins
from buildsys.upkeep.holding import Holding

ABSENT_DAYS: Final = 90
"""So long a checkout counts whose disk is away, or whose folder is gone, after it was last seen."""
_DAY: Final = 86_400


class Text(msgspec.Struct, frozen=True):
    """One lock, wherever it was read."""

    data: bytes
    where: str
    """For a message."""
    root: Path
    """The project's folder in the work tree that it belongs to."""
    revision: str = ""
    """The object name of its blob; empty for a file on disk."""


class Roots(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be kept, and by whom."""

    held: Holding
    checkouts: tuple[str, ...]
    """Folders whose locks were read, sorted."""
    away: tuple[str, ...]
    """Folders that could not be read, and whose locks count as they were last read."""
    forgotten: tuple[str, ...]
    """Folders that are gone, and keep nothing any more."""
    locks: int
    """Different locks that were found."""
    pins: int


class _Gathering:
    """One reading of all roots. With `dry`, nothing is written."""

    def __init__(self, layout: Path, *, dry: bool) -> None:
        self._layout = layout
        self._dry = dry
        self._locks: dict[Digest, Holding] = {}
        self._projects: dict[tuple[Path, str], tuple[Digest, ...]] = {}

    def roots(self) -> Roots:
        here, away, forgotten = [], [], []
        for known, seen in list(checkouts.every(self._layout)):
            if known.here():
                here.append(known.root)
                found = self._read(known)
                if not self._dry:
                    checkouts.keep(self._layout, msgspec.structs.replace(known, locks=found))
            elif seen < time.time() - ABSENT_DAYS * _DAY or (known.gone() and not known.locks):
                forgotten.append(known.root)
                if not self._dry:
                    checkouts.forget(self._layout, known.root)
            else:
                away.append(known.root)
                self._recall(known)
        if not self._dry:
            holding.forget_others(self._layout, self._locks)
        pinned = list(pins.every(self._layout))
        return Roots(
            held=holding.of_all([*self._locks.values(), *(pin.held for pin in pinned)]),
            checkouts=tuple(here),
            away=tuple(away),
            forgotten=tuple(forgotten),
            locks=len(self._locks),
            pins=len(pinned),
        )

    def _read(self, known: Known) -> tuple[Digest, ...]:
        """Every lock of a checkout that is here; those of one repository are read once."""
        project = _project(known.folder)
        if project not in self._projects:
            found = [self._add(text) for text in texts(known.folder)]
            self._projects[project] = tuple(sorted(set(found)))
        return self._projects[project]

    def _add(self, text: Text) -> Digest:
        identity = holding.identity(text.data)
        if identity not in self._locks:
            held = holding.recall(self._layout, identity)
            if held is None:
                held = holding.of_lock(text.data, text.where)
                if not self._dry:
                    holding.remember(self._layout, identity, held)
            self._locks[identity] = held
        return identity

    def _recall(self, known: Known) -> None:
        found = {lock: holding.recall(self._layout, lock) for lock in known.locks}
        if not found or None in found.values():
            raise StoreError(
                f"the checkout `{known.root}` is not there, and what its locks keep is unknown: "
                "nothing was removed",
                f"connect its disk, or run `artlock gc --forget {known.root}` if it is gone for good",
            )
        self._locks.update((lock, held) for lock, held in found.items() if held is not None)


def gather(layout: Path, *, dry: bool = False) -> Roots:
    """Read every lock that counts. Raises `ArtlockError` where one can't be read: then nothing may go.

    What was read is remembered, for when its disk is away, and so that the next time is quick; with `dry`
    nothing is written.
    """
    return _Gathering(layout, dry=dry).roots()


def texts(root: Path) -> Iterator[Text]:
    """Every lock of the project `root`: in the file, and in all that its git repository holds.

    Raises `GitError`, `DiskError`.
    """
    if not git.is_repository(root):
        yield from _file(root)
        return
    below = git.prefix(root)
    for folder in {root.resolve(), *((top / below).resolve() for top in history.worktrees(root))}:
        yield from _file(folder)
    places = history.everywhere(root, below + LOCK)
    for name, data in git.objects(root, places):
        yield Text(data, f"`{LOCK}` in {places[name]} of `{root}`", root, name)


def _file(root: Path) -> Iterator[Text]:
    path = root / LOCK
    try:
        with open(open_regular(path), "rb") as file:  # noqa: PTH123 - a descriptor
            yield Text(file.read(), f"`{path}`", root)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise disk_error("read", path, error) from error


def _project(root: Path) -> tuple[Path, str]:
    """What is the same for each work tree of a project. Raises `GitError`."""
    if not git.is_repository(root):
        return root.resolve(), ""
    return history.common_folder(root), git.prefix(root)
