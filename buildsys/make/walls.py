"""What an engine's process may do, in the words of its command line, and how its death tells of it.

Knows nothing of how the walls are made: that is `engines.confine`, in the process itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from buildsys.manifest.model import Engine

_LAST_WORDS: Final = (
    "bad_alloc",  # C++
    "memory allocation",  # Rust, OpenBLAS
    "annot allocate memory",  # the C library, the dynamic loader
    "an't allocate memory",  # torch
    "MemoryError",
    "out of memory",
    "Thread creation failed",  # OpenMP
    "pthread_create failed",  # OpenBLAS
    "can't start new thread",
    "Resource temporarily unavailable",
)
"""What a process says before it dies for want of address space."""

_CGROUP: Final = Path("/sys/fs/cgroup/memory.max")


def walls(engine: Engine, staging: Path, temporary: Path) -> tuple[str, ...]:
    """The words that keep the process of `engine` to two folders, offline, and within its memory."""
    words: list[str] = []
    if engine.sandbox:
        words += [f"write={staging}", f"write={temporary}"]
        if not engine.card.network:
            words.append("offline")
    if limit := address_space(engine):
        words.append(f"memory={limit}")
    return tuple(words)


def address_space(engine: Engine) -> int:
    """Bytes that a process of `engine` may map; 0 where there is no limit.

    Only on the CPU: a GPU's driver reserves far more addresses than it ever uses, and there the limit is
    one of the device's memory.
    """
    most = engine.limits.memory
    device = engine.settings.get("device") or next(iter(engine.devices), "cpu")
    if device != "cpu":
        return 0
    return int(most * _machine()) if most <= 1 else int(most)


def _machine() -> int:
    """Bytes of main memory that this machine, or the container that we are in, has."""
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(installed, int(_CGROUP.read_text(encoding="ascii")))
    except (OSError, ValueError):  # not Linux, another layout, or `max`
        return installed


def starved(engine: Engine, code: int, tail: str) -> str:
    """The limit, such as `6 GB`, where want of memory ended a process that has one; else an empty string.

    A C++ library aborts where it is refused memory, and others just crash. A crash alone proves nothing, so
    the last lines of the log must speak of it.
    """
    limit = address_space(engine)
    if not limit or not code or not any(words in tail for words in _LAST_WORDS):
        return ""
    return f"{limit / 1e9:.3g} GB"
