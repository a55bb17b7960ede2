"""The store: bytes by digest, and the results of actions by the action's digest.

Knows nothing of assets, recipes or who pays. Objects are immutable and published by an atomic rename;
what is read is hashed again, and a bad object is dropped, never served. What is put survives a kill, and
with `sync` a power cut, too: whoever puts it knows what it would cost to make it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.errors import DiskError, StoreError
from buildsys.files.content import copy_and_digest, digest_of_regular, open_regular, place
from buildsys.files.durable import (
    disk_error,
    make_folder,
    publish,
    staged,
    sweep,
    sync_file,
    sync_folder,
    write_all,
)
from buildsys.store import actions, checkouts, leases

Json: TypeAlias = Any
_Kind = TypeVar("_Kind")

LAYOUT: Final = "v1"
_READ_ONLY: Final = 0o444
"""An object that is opened by hand can't be saved by accident."""
_FANOUT: Final = tuple(f"{number:02x}" for number in range(256))


class Store:
    """A content-addressed store in `root`, shared by any number of threads and processes."""

    def __init__(self, root: Path) -> None:
        self.layout = root / LAYOUT
        self._objects = self.layout / "objects"
        self._actions = self.layout / "actions"
        self._staging = self.layout / "staging"
        self._ready = False
        self._lease: leases.Lease | None = None
        self.dropped: list[Digest] = []
        """Objects and actions that were found damaged and removed, for a message."""

    def path_of(self, digest: Digest) -> Path:
        """Where the object with `digest` is, or would be. Raises `StoreError` where it is no digest."""
        return _path(self._objects, digest)

    @contextmanager
    def leased(self, root: Path | None = None) -> Iterator[None]:
        """While this is open, no `gc` removes what is put, or found here: each is noted as used.

        Without it nothing is noted, so that commands which only look write nothing. `root` is the project
        that builds: its locks keep what they name from now on.
        """
        with leases.lease(self.layout) as lease:
            outer, self._lease = self._lease, lease
            if root is not None:
                checkouts.note(self.layout, root)
            try:
                yield
            finally:
                self._lease = outer

    def has(self, digest: Digest) -> bool:
        """Whether the object exists; whether it is sound only reading tells."""
        return self._claim(self.path_of(digest))

    def put_bytes(self, data: bytes, *, sync: bool = True) -> Digest:
        """Keep `data`. Raises `DiskError`."""
        digest = digests.of_bytes(data)
        if not self._sound(digest, sync=sync):
            with self._staged() as (descriptor, temporary):
                write_all(descriptor, data)
                _publish(descriptor, temporary, self.path_of(digest), sync=sync)
        return digest

    def put_file(self, path: Path, *, sync: bool = True) -> Digest:
        """Keep the content of the regular file `path`. Raises `DiskError`.

        It is copied, or its blocks shared, never moved: whoever wrote it may still hold it open.
        """
        try:
            source = open_regular(path, follow=False)
        except OSError as error:
            raise disk_error("read", path, error) from error
        try:
            with self._staged() as (descriptor, temporary):
                digest = copy_and_digest(source, descriptor)
                if not self._sound(digest, sync=sync):
                    _publish(descriptor, temporary, self.path_of(digest), sync=sync)
                return digest
        finally:
            os.close(source)

    def take_file(self, path: Path, *, sync: bool = True) -> Digest:
        """Keep what an engine handed over at `path`, and leave nothing of it there. Raises `DiskError`."""
        found = self.put_file(path, sync=sync)
        with suppress(OSError):
            path.unlink()
        return found

    def read(self, digest: Digest) -> bytes | None:
        """The bytes with `digest`; None where they are absent, or were damaged and are now dropped."""
        path = self.path_of(digest)
        data = self._read(path)
        if data is None or digests.of_bytes(data) == digest:
            return data
        self._drop(path, digest, lambda found: digests.of_bytes(found) == digest)
        return None

    def place(self, digest: Digest, target: Path, *, within: Path | None = None) -> bool:
        """Copy the object to `target`; False where it is absent, or was damaged and is dropped.

        `within`: the folder that the target may not leave by a symbolic link. After a power cut the
        target is what it was or what it was to be; the latter for sure once its folder is synced.
        Raises `DiskError`.
        """
        path = self.path_of(digest)
        if not self._claim(path):
            return False
        placed = place(path, target, digest, within=within)
        if not placed:
            self._drop(path, digest, lambda found: digests.of_bytes(found) == digest)
        return placed

    def record_action(self, key: Digest, result: Mapping[str, Json], *, sync: bool = True) -> None:
        """Remember what the action `key` came to. Raises `DiskError`; `ValueError` for no JSON."""
        data, path = actions.encode(key, result), _path(self._actions, key)
        if path.exists():
            self._clear(path, lambda found: actions.decode(found, key) is not None)
        with self._staged() as (descriptor, temporary):
            write_all(descriptor, data)
            _publish(descriptor, temporary, path, sync=sync)

    def action(self, key: Digest) -> dict[str, Json] | None:
        """What the action `key` came to; None where unknown, or damaged and now dropped."""
        path = _path(self._actions, key)
        data = self._read(path)
        if data is None:
            return None
        result = actions.decode(data, key)
        if result is None:
            self._drop(path, key, lambda found: actions.decode(found, key) is not None)
        return result

    def recall(self, key: Digest, kind: type[_Kind]) -> _Kind | None:
        """What the action `key` came to, as a `kind`; None also where another version of artlock wrote it."""
        found = self.action(key)
        try:
            return None if found is None else msgspec.convert(found, kind)
        except msgspec.ValidationError:
            return None

    def results(self, mentioning: Collection[Digest]) -> Iterator[dict[str, Json]]:
        """What every action came to whose result names one of these digests, in no order."""
        wanted = [digest.encode() for digest in mentioning]
        for folder in _FANOUT:
            for path in (self._actions / folder).glob("*"):
                data = _read(path)
                if data is not None and any(digest in data for digest in wanted):
                    result = actions.decode(data, Digest(folder + path.name))
                    if result is not None:
                        yield result

    def forget(self, key: Digest) -> None:
        """Have the action `key` made again: its result is of no use. The bytes stay. Raises `DiskError`."""
        path = _path(self._actions, key)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error("remove", path, error) from error

    def sweep(self) -> int:
        """Remove what writers that were killed left behind, and say how many files."""
        return sweep(self._staging)

    def _claim(self, path: Path) -> bool:
        """Whether the file is there; under a lease it then stays."""
        return path.exists() if self._lease is None else self._lease.claim(path)

    def _read(self, path: Path) -> bytes | None:
        if self._lease is not None:
            with suppress(OSError):  # what is wrong with the file, the reading tells
                self._lease.claim(path)
        return _read(path)

    def _sound(self, digest: Digest, *, sync: bool) -> bool:
        """Whether the object is there, whole; with `sync`, durable now.

        A put that trusted an existing name would lose what was paid for, if the disk had damaged it.
        And whoever put it there may not have synced it, or not yet.
        """
        path = self.path_of(digest)
        try:
            if not self._claim(path):
                return False
            if digest_of_regular(path, follow=False) != digest:
                self._clear(path, lambda found: digests.of_bytes(found) == digest)
                return False
            if sync:
                sync_file(path)
                sync_folder(path.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise disk_error("read", path, error) from error
        return True

    @contextmanager
    def _staged(self) -> Iterator[tuple[int, Path]]:
        try:
            self._prepare()
            with staged(self._staging, _READ_ONLY) as opened:
                yield opened
        except OSError as error:
            raise disk_error("write into", self._staging.parent.parent, error) from error

    def _prepare(self) -> None:
        """Make every folder once, so that a put needs no more than two fsyncs: its file, its folder."""
        if self._ready:
            return
        make_folder(self._staging)
        for kind in (self._objects, self._actions):
            # Made in this order, so the last one stands for all.
            if not (kind / _FANOUT[-1]).is_dir():
                for name in _FANOUT:
                    (kind / name).mkdir(parents=True, exist_ok=True)
                sync_folder(kind)
        sync_folder(self._staging.parent)
        self._ready = True

    def _drop(self, path: Path, digest: Digest, sound: Callable[[bytes], bool]) -> None:
        """Remove a damaged file, unless a good one has just taken its place."""
        self.dropped.append(digest)
        self._clear(path, sound)

    def _clear(self, path: Path, sound: Callable[[bytes], bool]) -> None:
        """Remove the file if it is damaged: looked at again behind the closed door, and never moved.

        Whoever puts a good one in the place of a damaged one clears it first, too: so none comes between
        the look and the removal, and is removed for what lay there before.
        """
        # A store that can't be mended may still be read.
        with suppress(OSError, DiskError), leases.closed(self.layout):
            data = _read(path)
            if data is not None and not sound(data):
                path.unlink()


def _publish(descriptor: int, temporary: Path, target: Path, *, sync: bool) -> None:
    if sync:
        publish(descriptor, temporary, target)
    else:
        temporary.replace(target)


def _path(folder: Path, digest: Digest) -> Path:
    try:
        digests.parse(digest)
    except ValueError as error:
        raise StoreError(f"{error}", "restore `assets.lock` from git") from error
    return folder.joinpath(digest[:2], digest[2:])


def _read(path: Path) -> bytes | None:
    try:
        with os.fdopen(open_regular(path, follow=False), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_error("read", path, error) from error
