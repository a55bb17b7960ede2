"""The folder of one run: where engines write, and where the builder keeps what they read and made.

Knows nothing of engines. A run that was killed leaves its folder behind; the next one removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from buildsys.errors import DiskError
from buildsys.make.worker import Place

_PREFIX: Final = "run-"


class RunFolder:
    """A new folder under `work`, for this user only, removed by `remove`."""

    def __init__(self, work: Path) -> None:
        """Make it. Raises `DiskError` where the file system says no."""
        try:
            self._make(work)
        except OSError as error:
            raise _said_no(work, error) from error

    def _make(self, work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self._logs = work / "logs"
        self._logs.mkdir(exist_ok=True)
        for old in work.glob(f"{_PREFIX}*"):
            _remove_if_left(old)
        # The kernel drops the lock with this process: a locked folder belongs to a build that runs.
        # Locked before it is named, or a build that starts just now would take it for a left one.
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=work.resolve()))
        self._lock = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path = new.rename(new.with_name(new.name.replace(".new-", _PREFIX)))
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
            raise _said_no(home, error) from error
        return place

    def clear(self, place: Place) -> None:
        """Remove what a worker left behind, but its log."""
        _remove(place.staging.parent)

    def remove(self) -> None:
        """Remove the folder; logs stay, for whoever wants to know why an engine failed."""
        _remove(self.path)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _said_no(path: Path, error: OSError) -> DiskError:
    return DiskError(
        f"`{path}` can't be written: {error.strerror}", "make room or set permissions, then build again"
    )


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)


def _remove(folder: Path) -> None:
    """Remove a folder and all in it, whatever rights an engine left there: they were its own to set."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return
    with suppress(OSError):
        folder.chmod(0o700)
    for home, names, _ in os.walk(folder):
        for path in (Path(home, name) for name in names):
            if not path.is_symlink():
                with suppress(OSError):
                    path.chmod(0o700)  # before `walk` looks into it
    shutil.rmtree(folder, ignore_errors=True)


def _remove_if_left(folder: Path) -> None:
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(folder)
    except BlockingIOError:
        return
    finally:
        os.close(number)
