"""Who keeps the journal just now: tells a run that goes on from one that was killed.

Knows nothing of SQLite.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

NAME: Final = "journal.lock"


class Presence:
    """A shared lock beside the journal at `path`, held until `end`; the kernel drops it with the process."""

    def __init__(self, path: Path) -> None:
        """Take it. Raises `OSError`."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        self._descriptor = os.open(path.with_name(NAME), flags, 0o666)
        # A report that looks just now holds it for microseconds. Then this run has none, and would be
        # called killed while it goes on: no reason to wait, or to do without a journal.
        with suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def end(self) -> None:
        """Let go."""
        os.close(self._descriptor)


def lives(path: Path, process: int) -> bool:
    """Whether `process` may still keep the journal at `path`.

    A process id alone proves nothing, for the system gives it out again; the lock alone does not say whose
    it is. Both together are wrong only where another command runs while a killed one's id is in use.
    """
    try:
        descriptor = os.open(path.with_name(NAME), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return _exists(process)
    finally:
        os.close(descriptor)
    return False


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return process > 0
