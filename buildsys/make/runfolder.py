"""The folder of one run: where engines write, and where the builder keeps what they read and made.

Knows nothing of engines. A run that was killed leaves its folder behind; the next one removes it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final

from buildsys.files.durable import disk_error, make_folder
from buildsys.make.worker import Place

_PREFIX: Final = "run-"
_UNNAMED: Final = ".new-"
_UNNAMED_SECONDS: Final = 60.0
"""How old a folder must be to be no one's that is just being made."""

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class RunFolder:
    """A new folder under `work`, for this user only, removed by `remove`."""

    def __init__(self, work: Path) -> None:
        """Make it. Raises `DiskError` where the file system says no."""
        try:
            self._make(work)
        except OSError as error:
            raise disk_error("write into", work, error) from error

    def _make(self, work: Path) -> None:
        make_folder(work)
        work.mkdir(exist_ok=True)  # of a file that lies there, this tells
        self._logs = work / "logs"
        self._logs.mkdir(exist_ok=True)
        for old in work.glob(f"{_PREFIX}*"):
            _remove_if_left(old)
        for begun in work.glob(f"{_UNNAMED}*"):
            _remove_if_old(begun)
        # The kernel drops the lock with this process: a locked folder belongs to a build that runs.
        # Locked before it is named, or a build that starts just now would take it for a left one.
        new = Path(tempfile.mkdtemp(prefix=_UNNAMED, dir=work.resolve()))
        self._lock = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path = new.rename(new.with_name(new.name.replace(_UNNAMED, _PREFIX)))
        self.inputs = self.path / "inputs"
        self.inputs.mkdir()
        self.made = self.path / "made"
        self.made.mkdir()

    def place(self, engine: str, number: int, seat: int) -> Place:
        """Room for worker `number`, which has seat `seat` among those of its engine. Raises `DiskError`."""
        home = self.path / f"worker-{number}"
        suffix = f"-{seat}" if seat > 1 else ""
        log = self._logs / f"{_safe(engine)}{suffix}.log"
        place = Place(home / "staging", home / "tmp", log, self.made)
        try:
            home.mkdir()
            place.staging.mkdir()
            place.temporary.mkdir()
        except OSError as error:
            raise disk_error("write into", self.path.parent, error) from error
        return place

    def clear(self, place: Place) -> None:
        """Remove what a worker left behind, but its log."""
        remove_tree(place.staging.parent)

    def remove(self) -> None:
        """Remove the folder; logs stay, for whoever wants to know why an engine failed."""
        remove_tree(self.path)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)


def _remove_if_left(folder: Path) -> None:
    try:
        _give_rights(folder)
        number = os.open(folder, _FOLDER)
    except OSError:
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_tree(folder)
    except BlockingIOError:
        return
    finally:
        os.close(number)


def _remove_if_old(folder: Path) -> None:
    """Remove the empty folder of a build that was killed before it could lock it."""
    with suppress(OSError):
        if folder.lstat().st_mtime < time.time() - _UNNAMED_SECONDS:
            folder.rmdir()


def remove_tree(folder: Path) -> None:
    """Remove `folder` with all that an engine left in it. Never raises; what is held fast stays.

    `shutil.rmtree` calls itself for each level, so a folder of a thousand levels is too deep for it, and a
    folder without rights stops it. Here each folder is lifted to the top before it is emptied: no path
    grows long, and two folders are open at a time.
    """
    with suppress(OSError):
        _give_rights(folder)
        top = os.open(folder, _FOLDER)
        try:
            _empty(top)
        finally:
            os.close(top)
        folder.rmdir()


def _empty(top: int) -> None:
    lifted = (f"{secrets.token_hex(8)}-{number}" for number in count())
    seen: set[str] = set()
    while names := [name for name in os.listdir(top) if name not in seen]:
        seen.update(names)
        for name in names:
            _take_apart(name, top, lifted)


def _take_apart(name: str, top: int, lifted: Iterator[str]) -> None:
    """Remove `name` if it can be; of a folder, after its own folders were lifted up beside it."""
    with suppress(OSError):
        if _is_gone(name, top):
            return
        inner = os.open(name, _FOLDER, dir_fd=top)
        try:
            for child in os.listdir(inner):  # noqa: PTH208 - `Path` can't list an open folder
                _lift(child, inner, top, next(lifted))
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=top)


def _lift(name: str, inner: int, top: int, lifted: str) -> None:
    with suppress(OSError):
        if not _is_gone(name, inner):
            os.rename(name, lifted, src_dir_fd=inner, dst_dir_fd=top)


def _is_gone(name: str, parent: int) -> bool:
    """Whether `name` is removed; else it is a folder, with every right for us."""
    if not stat.S_ISDIR(os.lstat(name, dir_fd=parent).st_mode):
        os.unlink(name, dir_fd=parent)
        return True
    _give_rights(name, parent)
    return False


def _give_rights(folder: str | Path, parent: int | None = None) -> None:
    if not stat.S_ISDIR(os.lstat(folder, dir_fd=parent).st_mode):
        raise NotADirectoryError
    # Linux follows a link here, whatever it is told; whoever could put one there by now has ended.
    os.chmod(folder, 0o700, dir_fd=parent)
