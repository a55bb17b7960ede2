"""Many files put in their places at once: copied beside them, synced together, then named.

Knows nothing of what they are. Each is as safe as one that is placed alone: after any crash it is the old
file or the new one.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from buildsys.digest import Digest
from buildsys.errors import DiskError
from buildsys.files.content import copy_and_digest, inside, open_regular
from buildsys.files.durable import disk_error, make_folder, sync_file, temporary_path

_TOGETHER: Final = 256
"""From so many files on, one sync of their file system is cheaper than one of each."""


class Batch:
    """Files on their way to places below `within`; what is not published is removed at the end.

    Called from one thread.
    """

    def __init__(self, within: Path) -> None:
        self._within = within
        self._staged: dict[Path, Path] = {}
        self._folders: dict[Path, int] = {}
        """Folders that were looked at, and the file system that each is on."""

    def prepare(self, folders: Iterable[Path]) -> None:
        """Make the folders that files go into, once for all of them. Raises `DiskError`."""
        for folder in {*folders} - self._folders.keys():
            if not inside(self._within, folder):
                fact = f"`{folder}` is outside of `{self._within}`"
                raise DiskError(fact, "remove the symbolic link on its way")
            try:
                make_folder(folder)
                self._folders[folder] = folder.stat().st_dev
            except OSError as error:
                raise disk_error("write into", folder, error) from error

    def stage(self, source: Path, target: Path, digest: Digest) -> bool:
        """Copy `source` beside `target`, whose folder is prepared; False where its bytes are not `digest`.

        Raises `OSError`.
        """
        original = open_regular(source, follow=False)
        try:
            temporary = temporary_path(target.parent)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, 0o666)
            self._staged[target] = temporary
            try:
                return copy_and_digest(original, descriptor) == digest
            finally:
                os.close(descriptor)
        finally:
            os.close(original)

    def drop(self, targets: Iterable[Path]) -> None:
        """Leave these out."""
        for target in targets:
            if (temporary := self._staged.pop(target, None)) is not None:
                with suppress(OSError):
                    temporary.unlink()

    def sync(self) -> None:
        """Make the bytes of all durable; they may be named then. Raises `DiskError`."""
        folder = self._within
        try:
            if len(self._staged) >= _TOGETHER:
                systems = {system: folder for folder, system in self._folders.items()}
                if all(_sync_system(folder) for folder in systems.values()):
                    return
            for temporary in self._staged.values():
                sync_file(temporary)
        except OSError as error:
            raise disk_error("write into", folder, error) from error

    def publish(self, target: Path) -> None:
        """Give the file for `target` its name. Raises `OSError`."""
        self._staged[target].replace(target)
        del self._staged[target]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop([*self._staged])


def _sync_system(folder: Path) -> bool:
    """Sync the file system of `folder`; False where the C library can't. Raises `OSError`."""
    try:
        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return False
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if call(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)
    return True
