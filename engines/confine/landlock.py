"""Landlock: a process gives up, for good and for all its children, writing outside a few folders.

Knows nothing of engines. Reading stays free. What Landlock has no say in, on any kernel so far: `chmod`,
`chown`, times and extended attributes of files that the user owns, and connecting to a socket in the
file system. Numbers and layouts are those of the kernel's `linux/landlock.h`.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from typing import Final

from engines.confine import kernel

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1

_WRITE_FILE: Final = 1 << 1
_REMOVE: Final = 1 << 4 | 1 << 5
_MAKE_DEVICE: Final = 1 << 6 | 1 << 11
_MAKE: Final = 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12
_REFER: Final = 1 << 13
_TRUNCATE: Final = 1 << 14
_TCP: Final = 1 << 0 | 1 << 1
_ABSTRACT_SOCKETS: Final = 1 << 0
_SIGNALS: Final = 1 << 1

_SINCE_REFER: Final = 2
_SINCE_TRUNCATE: Final = 3
_SINCE_TCP: Final = 4
_SINCE_SCOPES: Final = 6


def version() -> int:
    """The kernel's version of Landlock; 0 where it has none, or where it is off."""
    try:
        return kernel.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    except OSError:
        return 0


def rights(abi: int, *, tcp: bool) -> tuple[int, int, int]:
    """What a kernel of version `abi` can be told to refuse: on files, on the network, and beyond us."""
    files = _WRITE_FILE | _REMOVE | _MAKE_DEVICE | _MAKE
    if abi >= _SINCE_REFER:
        files |= _REFER  # before, a file can't be moved to another folder at all
    if abi >= _SINCE_TRUNCATE:
        files |= _TRUNCATE
    network = _TCP if tcp and abi >= _SINCE_TCP else 0
    beyond = _ABSTRACT_SOCKETS | _SIGNALS if abi >= _SINCE_SCOPES else 0
    return files, network, beyond


def promises(abi: int, *, tcp: bool) -> tuple[str, ...]:
    """What the rules of version `abi` hold without a gap, in the words of `Hello.confined`."""
    words = {
        "files": abi >= _SINCE_TRUNCATE,  # before, any file of the user could be emptied
        "signals": abi >= _SINCE_SCOPES,
        "tcp": tcp and abi >= _SINCE_TCP,
    }
    return tuple(word for word, holds in words.items() if holds)


def _allow(ruleset: int, path: str, allowed: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        kernel.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", allowed, place), 0)
    finally:
        os.close(place)


def restrict(folders: Iterable[str], devices: Iterable[str], *, tcp: bool) -> tuple[str, ...]:
    """Refuse all writing but under `folders` and to `devices` that are there, and TCP where `tcp`.

    Returns what now holds; nothing where the kernel has no Landlock. Raises `OSError` where a folder is
    not there, or the kernel refuses. The caller has given up gaining privileges before.
    """
    abi = version()
    if not abi:
        return ()
    files, network, beyond = rights(abi, tcp=tcp)
    # A kernel that is older than a field takes it as long as it is zero.
    ruleset = kernel.syscall(_CREATE_RULESET, struct.pack("=QQQ", files, network, beyond), 24, 0)
    try:
        for folder in folders:
            _allow(ruleset, folder, files & ~_MAKE_DEVICE)
        for device in devices:
            if os.path.exists(device):  # noqa: PTH110 - pathlib costs more than all of this
                _allow(ruleset, device, files & (_WRITE_FILE | _TRUNCATE))
        kernel.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return promises(abi, tcp=tcp)
