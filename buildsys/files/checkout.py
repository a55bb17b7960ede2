"""The lock of a checkout, or of what else has one owner at a time.

Knows nothing of what the owner does.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from buildsys.errors import DiskError
from buildsys.files.durable import disk_error, make_folder

_BUILD: Final = "another build (process {}) is running in this checkout"


class ExclusiveLock:
    """One owner, say a checkout's builder: a context that holds `path` locked. Raises `DiskError` if taken.

    `busy` is what it says then, with the process of the owner.

    The kernel lets go when the process ends, however it ends. The file stays: removing it would let a
    third process lock a new file while a second one still holds the removed one.
    """

    def __init__(self, path: Path, busy: str = _BUILD) -> None:
        self._path = path
        self._busy = busy
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            make_folder(self._path.parent)
            self._descriptor = os.open(
                self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666
            )
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()}\n".encode())
        except BlockingIOError as error:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            self._close()
            raise DiskError(
                self._busy.format(holder or "unknown"),
                "wait until it ends, then run the command again",
            ) from error
        except OSError as error:
            self._close()
            raise disk_error("lock", self._path, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
