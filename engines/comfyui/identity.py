"""Who we are to a server, and whether the one who left a job there is gone.

A build that is killed can't clean up behind itself, so the next one does, and has to know what is nobody's
any more. One name for all builds of a machine was refused: two of them at once would take each other's
messages, and each other's jobs.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
from pathlib import Path
from typing import Final

_CLIENT: Final = re.compile(r"artlock-([0-9a-f]{12})-([0-9]+)-([0-9]+)")
_STARTED: Final = 19
"""Which of the words after the program's name in `/proc/PID/stat` is the time of its start."""


def client() -> str:
    """The name of this process: its machine, its number, and when it started."""
    return f"artlock-{_machine()}-{os.getpid()}-{_started(os.getpid())}"


def is_gone(name: str) -> bool:
    """Whether `name` is of a process of this machine that has ended; False for anybody else's."""
    match = _CLIENT.fullmatch(name)
    if match is None or match[1] != _machine():
        return False
    number, started = int(match[2]), match[3]
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        # There, but not ours to signal: a sandbox says no to every process outside of it.
        pass
    # A number is given out again: another start is another process.
    return "0" not in {started, _started(number)} and started != _started(number)


def _machine() -> str:
    """A digest of what tells this machine from others, for a server shows its queue to everyone.

    A container counts as a machine: process numbers mean nothing outside of it.
    """
    try:
        number = Path("/etc/machine-id").read_text(encoding="utf-8").strip()
    except OSError:
        number = ""
    try:
        space = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        space = 0
    return hashlib.sha256(f"{platform.node()} {number} {space}".encode()).hexdigest()[:12]


def _started(process: int) -> str:
    """When `process` started, in ticks since the machine did; `0` where the system does not say."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "0"
    return stat.rpartition(")")[2].split()[_STARTED]
