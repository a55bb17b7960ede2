"""The note of what was put in its place since the lock was last written: path and digest.

Knows nothing of assets. A build that was killed leaves it behind, and the next one knows its own files
by it. Nothing is synced: a process that is killed loses no write, and after a power cut a file that is
not in the note passes for a person's, and is kept.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.files.content import open_regular
from buildsys.files.durable import disk_error, staged, sweep, write_all

PLACE: Final = Path(".artlock", "placed")
_decoder: Final = msgspec.json.Decoder(tuple[str, str])


class Placed:
    """The note of one checkout. Whoever writes it holds the checkout's lock, and calls it one at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / PLACE
        self._noted = _load(self._file)

    def has(self, path: str, digest: Digest) -> bool:
        """Whether the file with `digest` at `path`, relative to the root, is a build's own."""
        return (path, digest) in self._noted

    def sweep(self) -> None:
        """Remove what a killed build had begun to write, if the disk lets it.

        That is beside what it noted, and beside the lock and its own files, where other commands may just
        be writing.
        """
        for folder in {PurePosixPath(path).parent for path, _ in self._noted}:
            if not folder.is_absolute() and ".." not in folder.parts:
                with suppress(OSError, ValueError):  # a name with a NUL is no name, as newer Pythons say
                    sweep(self._root / folder, alone=True)
        for place in (self._root, *self._file.parent.glob("candidates/**/"), self._file.parent):
            with suppress(OSError):
                sweep(place, of_the_dead=True)

    def note(self, path: str, digest: Digest) -> None:
        """Note what is about to be put at `path`. Raises `DiskError`."""
        self.note_all({path: digest})

    def note_all(self, files: Mapping[str, Digest]) -> None:
        """Note what is about to be put at each path, in one write. Raises `DiskError`."""
        # A line feed before it, too: the last line of a killed build, or of a full disk, may be torn.
        lines = b"\n" + b"".join(msgspec.json.encode(item) + b"\n" for item in files.items())
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(self._file, flags, 0o666)
            try:
                write_all(descriptor, lines)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise disk_error("write", self._file, error) from error
        self._noted.update(files.items())

    def forget(self, paths: Collection[str]) -> None:
        """Drop what was noted of `paths`: the lock says it now. A disk that says no keeps a few lines."""
        self._keep({item for item in self._noted if item[0] not in paths})

    def settle(self, told: Iterable[tuple[str, Digest]]) -> None:
        """Drop what a killed build noted and the lock tells: it came just between writing it and forgetting.

        Path and digest, no path alone: of another file that was put there later, the lock knows nothing.
        """
        if self._noted:
            self._keep(self._noted.difference(told))

    def _keep(self, left: set[tuple[str, Digest]]) -> None:
        if left == self._noted:
            return
        self._noted = left
        with suppress(OSError):
            if not left:
                self._file.unlink(missing_ok=True)
                return
            with staged(self._file.parent) as (descriptor, temporary):
                write_all(descriptor, b"".join(msgspec.json.encode(item) + b"\n" for item in sorted(left)))
                temporary.replace(self._file)


def _load(file: Path) -> set[tuple[str, Digest]]:
    """What the whole lines say; a torn one, or one that is not ours, says nothing."""
    try:
        with os.fdopen(open_regular(file, follow=False), "rb") as opened:
            lines = opened.read().split(b"\n")
    except OSError:
        return set()
    found = set()
    for line in filter(None, lines):
        with suppress(msgspec.MsgspecError, ValueError):
            path, digest = _decoder.decode(line)
            found.add((path, digests.parse(digest)))
    return found
