"""Verifying the store: every file is hashed, what is damaged is dropped, and what that costs is told.

Knows nothing of terminals.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from buildsys import digest as digests
from buildsys import git, holdings
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, DiskError, GitError
from buildsys.files import digest_file
from buildsys.lock import read as reader
from buildsys.lock.model import Lock
from buildsys.manifest import read as manifest
from buildsys.plan.companions import files_of
from buildsys.plan.record import Record
from buildsys.store import checkouts, inventory
from buildsys.store.checkouts import Known
from buildsys.store.inventory import Entry, Kind
from buildsys.store.objects import Store
from buildsys.upkeep import history
from buildsys.upkeep.roots import Text, texts

_MOST_THREADS: Final = 8
"""More do not make a disk faster."""


class Part(StrEnum):
    """What of an asset was damaged."""

    PICTURE = "picture"
    RAW = "raw"
    """As the engine handed it over: needed for a new crop only."""
    RESULT = "result"
    """What is known of how it was made: needed for a new crop, or where the lock does not have it."""


class Again(StrEnum):
    """Where the bytes can be had again."""

    OUT = "out"
    """They lie in the checkout's output folder."""
    GIT = "git"
    """Git has them."""
    REMOTE = "remote"
    """The checkout's manifest names a remote, which may have them: it was not asked."""
    ENGINE = "engine"
    """Nowhere that was looked: an engine must make them again."""


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that a lock of a known checkout has, and that lost something."""

    asset: str
    root: str
    part: Part
    again: Again


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the store that was damaged, and was dropped."""

    kind: Kind
    digest: Digest
    owners: tuple[Owner, ...] = ()
    """Empty where no lock of a known checkout names it."""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at every byte found."""

    files: int
    bytes: int
    damaged: tuple[Damage, ...]
    unreadable: Mapping[str, str]
    """Files that the disk did not give, with what it said; they stay."""
    unread: tuple[str, ...]
    """Checkouts whose locks could not be read, so that nobody knows what they lost."""
    notes: tuple[str, ...] = ()
    """Files that are to tell of a checkout, and tell of none. They stay: `gc` waits till they go."""


def verify(store: Store, tell: Callable[[int, int], None] = lambda *_: None) -> Verified:
    """Hash every file of `store`, and drop what is damaged. Raises `DiskError`.

    `tell` is given the number of files that were hashed, and of all.
    """
    entries = [entry for kind in Kind for entry in inventory.entries(store.layout, kind)]
    damaged: list[Entry] = []
    unreadable: dict[str, str] = {}
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as executor:
        for done, (entry, found) in enumerate(executor.map(lambda item: _look(store, item), entries), 1):
            if isinstance(found, DiskError):
                unreadable[f"{entry.kind}/{entry.digest[:2]}/{entry.digest[2:]}"] = found.message
            elif not found:
                damaged.append(entry)
            tell(done, len(entries))
    known, notes = _known(store.layout)
    owners, unread = _owners(known, {entry.digest for entry in damaged}) if damaged else ({}, [])
    return Verified(
        files=len(entries),
        bytes=sum(entry.size for entry in entries),
        damaged=tuple(
            Damage(kind=entry.kind, digest=entry.digest, owners=tuple(owners.get(entry.digest, ())))
            for entry in sorted(damaged, key=lambda item: (item.kind, item.digest))
        ),
        unreadable=unreadable,
        unread=tuple(unread),
        notes=tuple(str(path) for path in notes),
    )


def _look(store: Store, entry: Entry) -> tuple[Entry, bool | DiskError]:
    """Whether the file is sound, or gone in the meantime, which is no damage."""
    try:
        found = store.read(entry.digest) if entry.kind is Kind.OBJECT else store.action(entry.digest)
    except DiskError as error:
        return entry, error
    return entry, found is not None or entry.digest not in store.dropped


def _known(layout: Path) -> tuple[list[Known], list[Path]]:
    """The checkouts, by path, and the notes that tell of none.

    One of those must not end it here: what was dropped is told now, or never.
    """
    found: list[Known] = []
    damaged: list[Path] = []
    for path in checkouts.notes(layout):
        try:
            found.append(checkouts.read(path))
        except ArtlockError:
            damaged.append(path)
    return sorted(found, key=lambda known: known.root), damaged


def _owners(every: Iterable[Known], lost: Collection[Digest]) -> tuple[dict[Digest, list[Owner]], list[str]]:
    """Who needs what is lost, of the checkouts that are here, and which ones could not be read."""
    found: dict[Digest, dict[tuple[str, str], Owner]] = {}
    unread: list[str] = []
    for known in every:
        try:
            elsewhere = Again.REMOTE if _names_a_remote(known.folder) else Again.ENGINE
            for text in texts(known.folder) if known.here() else ():
                for digest, owner in _in_lock(text, known.folder, lost, elsewhere):
                    # The file comes before what git holds: what a person works on is told, once.
                    found.setdefault(digest, {}).setdefault((owner.asset, owner.root), owner)
        except ArtlockError:
            unread.append(known.root)
        if not known.here():
            unread.append(known.root)
    return {digest: list(owners.values()) for digest, owners in found.items()}, unread


def _names_a_remote(root: Path) -> bool:
    """Whether the manifest of the checkout does; of one that can't be read, nobody knows."""
    with suppress(ArtlockError):
        return manifest.read(root).remote is not None
    return False


def _in_lock(
    text: Text, root: Path, lost: Collection[Digest], elsewhere: Again
) -> Iterator[tuple[Digest, Owner]]:
    records = _lock(text).records.values()
    # Of all assets: what one is made from is another one's picture.
    files = {digest: path for record in records for path, digest in files_of(record).items()}
    for record in records:
        held, own = holdings.holdings(record), {*files_of(record).values()}
        for digest in (held.objects | held.actions).intersection(lost):
            part = Part.PICTURE if digest in own else Part.RAW if digest in held.objects else Part.RESULT
            again = _nearby(root, record, digest, files) or elsewhere
            yield digest, Owner(asset=record.name, root=str(root), part=part, again=again)


def _lock(text: Text) -> Lock:
    with suppress(ArtlockError, UnicodeDecodeError):
        return reader.parse(text.data.decode(), origin=text.where)
    return Lock()


def _nearby(root: Path, record: Record, digest: Digest, files: Mapping[Digest, str]) -> Again | None:
    path = files.get(digest) or record.paths.get("image", "")
    if not path or path.startswith("asset:"):
        return None
    with suppress(DiskError):
        if digest_file(root / path) == digest:
            return Again.OUT
    with suppress(GitError):
        if git.is_repository(root):
            names = history.everywhere(root, git.prefix(root) + path)
            if any(digests.of_bytes(data) == digest for _, data in git.objects(root, names)):
                return Again.GIT
    return None
