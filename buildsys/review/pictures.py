"""Where the bytes of a review's pictures are: the working tree, git's objects, Git LFS, the store, a remote.

Knows nothing of what changed. Every byte is hashed before it is given out.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from buildsys import digest as digests
from buildsys import git, lfs
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, DiskError, GitError, ManifestError, StoreError
from buildsys.files.content import open_regular
from buildsys.places import MANIFEST
from buildsys.store.objects import Store

_UNFETCHED = "Git LFS has not fetched it"
_GONE = "neither git nor the store has it"
_HEAVY: Final = 65_536
"""Bytes from which on it takes longer to read an object than to look up what it is."""
_SALT: Final = 1


class _Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """The file that one of git's objects is."""

    file: Digest
    size: int


def _key(name: str) -> Digest:
    return digests.of_value({"artlock": _SALT, "object": name})


class Sources:
    """The pictures of a review. May be asked by several threads.

    Args:
        root: the project.
        store: this user's store.
    """

    def __init__(self, root: Path, store: Store) -> None:
        self._root = root
        self._store = store
        self._fetched = lfs.Fetched(root)
        self._files: dict[Digest, Path] = {}
        self._objects: dict[Digest, str] = {}
        self._sizes: dict[Digest, int] = {}
        self._pointers: set[Digest] = set()
        self._guard = threading.Lock()
        self._wanted = ""
        self._stream: Iterator[tuple[str, bytes]] | None = None

    def file(self, digest: Digest, path: str) -> None:
        """Take note that the file at `path` of the working tree has these bytes."""
        self._files[digest] = self._root / path

    def pointer(self, digest: Digest) -> None:
        """Take note that a pointer of Git LFS stands for these bytes somewhere."""
        self._pointers.add(digest)

    def weigh(self, objects: Collection[str]) -> dict[str, Digest]:
        """The digest of each of git's `objects`, or of the file that it stands for; not of what git lacks."""
        found = {name: digest for name in objects if (digest := self._recalled(name)) is not None}
        waiting = deque(name for name in objects if name not in found)
        while waiting:
            try:
                for name, data in git.objects(self._root, tuple(waiting)):
                    waiting.popleft()
                    found[name] = self._weighed(name, data)
            except GitError:
                waiting.popleft()  # a clone without all of its objects: the one that was asked for
        return found

    def _weighed(self, name: str, data: bytes) -> Digest:
        meant = lfs.meant_by(data)
        if meant:
            self.pointer(meant)
            return meant
        told = _Weighed(file=digests.of_bytes(data), size=len(data))
        if told.size >= _HEAVY:
            with suppress(DiskError, StoreError):
                self._store.record_action(_key(name), msgspec.to_builtins(told), sync=False)
        return self._note(name, told)

    def _recalled(self, name: str) -> Digest | None:
        """What was weighed before: git's name of an object says what is in it, as ours does."""
        with suppress(DiskError, StoreError):
            told = self._store.recall(_key(name), _Weighed)
            return None if told is None else self._note(name, told)
        return None

    def _note(self, name: str, told: _Weighed) -> Digest:
        self._objects[told.file], self._sizes[told.file] = name, told.size
        return told.file

    def has(self, file: Digest) -> bool:
        """Whether `read` should find it."""
        known = file in self._files or file in self._objects
        return known or self._fetched.path_of(file) is not None or self._in_store(file)

    def lost(self, file: Digest) -> str:
        """Why `read` finds nothing, in words; empty where it does."""
        if self.has(file):
            return ""
        return _UNFETCHED if file in self._pointers else _GONE

    def unfetched(self, files: Iterable[Digest]) -> bool:
        """Whether Git LFS should have any of `files`, and has not."""
        return any(file in self._pointers and not self.has(file) for file in files)

    def bring(self, files: Collection[Digest]) -> tuple[str, ...]:
        """Ask the remote, where there is one, for all of `files` at once; what to know of it, in words.

        Never fatal: without them, the rest is shown.
        """
        if not files or not (self._root / MANIFEST).is_file():
            return ()
        from buildsys.lookup import PATIENCE  # noqa: PLC0415 - a quarter of a second, mostly not needed
        from buildsys.manifest.read import read  # noqa: PLC0415
        from buildsys.remote import Remote  # noqa: PLC0415

        try:
            settings = read(self._root).remote
            if settings is None:
                return ()
            Remote.open(settings, patience=PATIENCE).pull(self._store, files, ())
        except ManifestError:
            return ("the manifest can't be read, so that no remote was asked for what is missing",)
        except ArtlockError as error:
            return (f"the remote was of no help: {error.message}",)
        return ()

    def size(self, file: Digest) -> int | None:
        """Its bytes by number, where it is known without reading it."""
        if file in self._sizes:
            return self._sizes[file]
        path = self._files.get(file) or self._fetched.path_of(file)
        with suppress(OSError, StoreError):
            return (path or self._store.path_of(file)).stat().st_size
        return None

    def read(self, file: Digest) -> bytes | None:
        """The bytes with the digest `file`, hashed again; None where nobody has them."""
        with self._guard:
            data = self._on_disk(file) or self._in_git(file) or self._fetched.read(file)
        if data is not None:
            return data
        with suppress(DiskError, StoreError):
            return self._store.read(file)
        return None

    def close(self) -> None:
        """End git's process, if one was started."""
        self._stream = None

    def _in_store(self, file: Digest) -> bool:
        with suppress(OSError, StoreError):
            return self._store.has(file)
        return False

    def _on_disk(self, file: Digest) -> bytes | None:
        path = self._files.get(file)
        if path is None:
            return None
        with suppress(OSError), os.fdopen(open_regular(path, follow=False), "rb") as opened:
            data = opened.read()
            return data if digests.of_bytes(data) == file else None
        return None

    def _in_git(self, file: Digest) -> bytes | None:
        name = self._objects.get(file)
        if name is None:
            return None
        # One process for all that are asked for, one after the other, in whatever order.
        self._wanted = name
        if self._stream is None:
            self._stream = git.objects(self._root, self._wishes())
        try:
            _, data = next(self._stream)
        except (GitError, StopIteration):
            self._stream = None
            return None
        return data if digests.of_bytes(data) == file else None

    def _wishes(self) -> Iterator[str]:
        while True:
            yield self._wanted
