"""Processes of a tree whose keeper died before it could end them, found by a mark in their environment.

Knows nothing of engines. Linux only. Being the sub-reaper of all that a dead keeper leaves was refused: it
holds for the whole process, which is perhaps somebody else's (doit runs as a library), and hands it the
orphans of programs that are none of ours. So were process groups and sessions: those who stay leave them.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from typing import Final

_ROUND: Final = 0.05
"""Seconds to wait for the deaths of one round before the next look."""


def end(mark: str, seconds: float) -> bool:
    """Kill every process that was started with `mark`, such as `NAME=VALUE`, until none is left.

    Whether that went well within `seconds`. One that was started with another environment is not found.
    """
    deadline = time.monotonic() + seconds
    while found := _marked(mark):  # again: one may have forked meanwhile
        if time.monotonic() > deadline:
            _close(found)
            return False
        for process in found:
            signal.pidfd_send_signal(process, signal.SIGKILL)
        gone = select.poll()
        for process in found:
            gone.register(process, select.POLLIN)
        gone.poll(_ROUND * 1000)
        _close(found)
    return True


def _close(numbers: list[int]) -> None:
    for number in numbers:
        os.close(number)


def _marked(mark: str) -> list[int]:
    """A file descriptor for each living process with `mark`: a number might be another's by then."""
    if sys.platform != "linux":
        return []
    found: list[int] = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - names are wanted, and pathlib costs more than the rest
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            process = os.pidfd_open(int(name))
        except OSError:
            continue
        if _has(int(name), mark.encode()):
            found.append(process)
        else:
            os.close(process)
    return found


def _has(process: int, mark: bytes) -> bool:
    try:
        with open(f"/proc/{process}/environ", "rb") as file:  # noqa: PTH123 - as above
            return mark in file.read().split(b"\0")  # nothing is left there of one that is dead
    except OSError:
        return False
