"""Leases: who relies on the store right now, so that nobody takes it away.

A build holds a lease while it runs, and claims each file that it relies on. Whoever removes files does so
behind a closed door, which a claim waits for: a file is either claimed before it is looked at, and stays, or
it is gone before it is claimed, and is made again. To move what is to be removed aside and back again was
refused: for a moment, a file that is claimed would not be there, and a kill in that moment would lose it.

Knows nothing of what the files are.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from buildsys.files.durable import disk_error, make_folder

RUNNING: Final = "running"
"""The folder of the notes, one for each lease; a note is locked as long as its process lives."""
_DOOR: Final = "door.lock"
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Lease:
    """What was used since the lease began stays, and so does what it claims."""

    def __init__(self, since: int, door: int) -> None:
        self.since = since
        """When it began, as the file system tells the time: nanoseconds."""
        self._door = door
        self._guard = threading.Lock()

    def claim(self, path: Path) -> bool:
        """Whether the file is there; if so, it stays until the lease ends. Raises `OSError`."""
        try:
            if path.stat().st_mtime_ns >= self.since:
                return True
        except FileNotFoundError:
            return False
        # One at a time: the threads share the descriptor, and whoever lets go of its lock lets go for all.
        with self._guard:
            fcntl.flock(self._door, fcntl.LOCK_SH)
            try:
                os.utime(path, follow_symlinks=False)
            except FileNotFoundError:
                return False
            except OSError:
                return True  # read-only, or another user's: then it is not for us to keep
            finally:
                fcntl.flock(self._door, fcntl.LOCK_UN)
        return True


@contextmanager
def lease(layout: Path) -> Iterator[Lease | None]:
    """A lease on the store in `layout`; None where nothing can be written, and so nothing removed either."""
    path = layout / RUNNING / f"{os.getpid()}-{threading.get_ident()}-{os.urandom(4).hex()}"
    with ExitStack() as closing:
        try:
            found = _begin(layout, path, closing)
        except OSError:
            found = None
        yield found


def _begin(layout: Path, path: Path, closing: ExitStack) -> Lease:
    make_folder(path.parent)
    door = os.open(layout / _DOOR, _FLAGS, 0o666)
    closing.callback(os.close, door)
    # Under the lock: nobody may see the note before it is locked, and take it for a dead one's.
    fcntl.flock(door, fcntl.LOCK_SH)
    try:
        note = os.open(path, _FLAGS | os.O_EXCL, 0o666)
        closing.callback(os.close, note)
        closing.callback(_unlink, path)
        fcntl.flock(note, fcntl.LOCK_EX)
        os.write(note, f"{os.getpid()}\n".encode())
        # The file system's own time: that of another machine's disk may differ from ours.
        return Lease(os.fstat(note).st_mtime_ns, door)
    finally:
        fcntl.flock(door, fcntl.LOCK_UN)


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


@contextmanager
def closed(layout: Path) -> Iterator[int | None]:
    """The door closed: no file is claimed meanwhile. Gives when the oldest lease began; None for no lease.

    Not for long: builds wait. Raises `DiskError`.
    """
    try:
        door = os.open(layout / _DOOR, _FLAGS, 0o666)
    except OSError as error:
        raise disk_error("write into", layout, error) from error
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield min(_alive(layout / RUNNING), default=None)
    finally:
        os.close(door)


def _alive(folder: Path) -> Iterator[int]:
    """When each lease began whose process lives; the notes of others are removed."""
    for path in folder.glob("*-*"):
        with suppress(FileNotFoundError):
            note = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                # A process id would mean nothing in another container: the kernel's lock does.
                fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            except BlockingIOError:
                yield os.fstat(note).st_mtime_ns
            finally:
                os.close(note)
