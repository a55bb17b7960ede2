"""The stat index: what the files of this checkout hashed to, so that an unchanged one is not read again.

Knows nothing of assets. It is a cache: whatever is wrong with it, the files are read instead.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.errors import DiskError
from buildsys.files.content import digest_or_meant
from buildsys.files.durable import disk_error, write_durably

PLACE: Final = Path(".artlock", "index")
_HEADER: Final = b"artlock stat index 2 "
TICK_NS: Final = 20_000_000
"""Twice the coarsest tick of a Linux clock (10 ms): two writes within one look the same to `stat`."""


class _Entry(NamedTuple):
    size: int
    modified: int
    changed: int
    inode: int
    digest: Digest
    pointer: bool = False
    """Whether it is a pointer of Git LFS; the digest is that of the file that it stands for."""


Key: TypeAlias = tuple[int, int, int, int]
"""What `stat` says of a file that shows its changes: size, times of content and of inode, inode."""
_KINDS: Final = (int, int, int, int, str, bool)
"""Of the fields of an entry."""
_MOST: Final = 2**63
"""Of a number of an entry."""


class StatIndex:
    """Path to digest, trusted while size, times and inode of the file stay what they were.

    Times alone never prove content, so git's racy rule holds: a file that is not older than the index
    is read again. One that changed within a tick of being read is not remembered at all: a second
    write in that same tick would show in no time stamp.
    """

    def __init__(self, root: Path) -> None:
        self._prefix = os.path.join(root, "")  # noqa: PTH118 - ends in a slash
        self._file = root / PLACE
        self._known = _load(self._file, self._prefix)
        self._seen: dict[str, _Entry] = {}
        self._pointers: set[str] = set()
        self._fresh = True
        """Nothing to save."""

    def is_pointer(self, path: Path | str) -> bool:
        """Whether a pointer of Git LFS lay at `path` when its digest was asked for."""
        return self._full(path) in self._pointers

    def digest(self, path: Path | str) -> Digest | None:
        """SHA-256 of the regular file at `path` (relative to the root, or absolute); None where absent.

        Of a pointer of Git LFS, that of the file that it stands for: a checkout with pointers is judged as it
        will be with the files.

        Raises `DiskError`, also for a folder or a symbolic link.
        """
        full = self._full(path)
        try:
            key = key_of(os.lstat(full))
            known = self._known.get(full) or self._seen.get(full)
            if known is not None and known[:4] == key:
                self._seen[full] = known
                if known.pointer:
                    self._pointers.add(full)
                return known.digest
            return self._read(full, key)
        except (FileNotFoundError, NotADirectoryError):
            self._fresh = self._fresh and full not in self._known
            self._known.pop(full, None)
            return None
        except OSError as error:
            raise disk_error("read", Path(full), error) from error

    def forget(self) -> None:
        """Trust nothing: every file that is asked for is read again."""
        self._known.clear()
        self._seen.clear()

    def save(self) -> None:
        """Write the index where anything was learned; a disk that says no costs the next run some time."""
        if self._fresh:
            return
        # Files that were not asked for stay known, unless they are gone: else renames pile up for ever.
        idle = self._known.keys() - self._seen.keys()
        kept = {path: self._known[path] for path in idle if os.path.lexists(path)}
        known = (kept | self._seen).items()
        import msgspec  # noqa: PLC0415 - 35 ms of a hook, which mostly learns nothing

        # Relative, so that a checkout can be moved; absolute for what lies elsewhere, such as weights.
        body = msgspec.json.encode({path.removeprefix(self._prefix): entry for path, entry in known})
        with suppress(DiskError):
            write_durably(self._file, _HEADER + digests.of_bytes(body).encode() + b"\n" + body)
        self._fresh = True

    def _full(self, path: Path | str) -> str:
        # A hit on ten thousand files takes half as long as with `os.path.join`, a sixth of it with pathlib's.
        return name if (name := str(path)).startswith("/") else self._prefix + name

    def _read(self, full: str, before: Key) -> Digest:
        started = time.time_ns()
        found, pointer = digest_or_meant(full)
        self._fresh = False
        self._known.pop(full, None)
        self._pointers.discard(full)
        if pointer:
            self._pointers.add(full)
        settled = key_of(os.lstat(full)) == before and max(before[1], before[2]) < started - TICK_NS
        if settled:
            self._seen[full] = _Entry(*before, found, pointer)
        return found


def key_of(status: os.stat_result) -> Key:
    """What is compared of `status`."""
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _load(file: Path, prefix: str) -> dict[str, _Entry]:
    """The entries that may be trusted; none where the index is absent, torn or not ours."""
    try:
        written = file.stat().st_mtime_ns
        header, _, body = file.read_bytes().partition(b"\n")
        if header != _HEADER + digests.of_bytes(body).encode():
            return {}
        return {
            path if path.startswith("/") else prefix + path: entry
            for path, entry in _decoded(body).items()
            if max(entry.modified, entry.changed) < written
        }
    except (OSError, ValueError, RecursionError):
        return {}


def _decoded(body: bytes) -> dict[str, _Entry]:
    """The entries in `body`. Raises `ValueError`, `RecursionError`.

    Checked by columns, and not by `msgspec`: to load that takes longer than to read 10,000 entries so.
    """
    found = json.loads(body.decode())
    if not isinstance(found, dict) or not all(isinstance(entry, list) for entry in found.values()):
        detail = "no table of entries"
        raise ValueError(detail)
    columns = list(zip(*found.values(), strict=True))
    if [set(map(type, column)) for column in columns] != [{kind} for kind in _KINDS if found]:
        detail = "an entry of another kind"
        raise ValueError(detail)
    if any(max(column) >= _MOST or min(column) < -_MOST for column in columns[:4]):
        detail = "a number that is none of `stat`"
        raise ValueError(detail)
    "".join(chain(found, *columns[4:5])).encode()  # no half of a pair, which could not be written again
    return {path: _Entry._make(entry) for path, entry in found.items()}
