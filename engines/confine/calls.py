"""A filter of system calls: those that reach past the other walls, and that no engine has a use for.

Knows nothing of engines. Landlock judges files and signals, namespaces what has a name in them. What is
left is here: another process's limits, priority and memory, keys that outlive the build, and sockets to
where no namespace ends. Needs no right but that of giving up rights, so it works in containers too.
"""

from __future__ import annotations

import errno
import os
from typing import Final

from engines.confine import kernel

Row = tuple[int, int, int, int]
"""Code, rows to skip if true, rows to skip if false, value."""

_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""Machine to its number in a filter. Both are little-endian."""

_X86, _ARM = "x86_64", "aarch64"

_USELESS: Final = {
    _X86: (101, 310, 311, 312, 248, 249, 250, 251, 425, 438),
    _ARM: (117, 270, 271, 272, 217, 218, 219, 30, 425, 438),
}
"""ptrace, process_vm_readv and _writev, kcmp; add_key, request_key, keyctl; ioprio_set; io_uring_setup,
since a ring opens sockets without a call that we would see; pidfd_getfd."""

_SHARED: Final = {
    _X86: (29, 30, 31, 64, 65, 66, 68, 69, 70, 71, 220, 240, 241),
    _ARM: (194, 196, 195, 190, 193, 191, 186, 189, 188, 187, 192, 180, 181),
}
"""shmget, shmat, shmctl; semget, semop, semctl; msgget, msgsnd, msgrcv, msgctl; semtimedop; mq_open,
mq_unlink. All of them, because an object that is there already has a number that can be guessed."""

_SET_LIMIT: Final = {_X86: 302, _ARM: 261}
_SET_PRIORITY: Final = {_X86: 141, _ARM: 140}
_SOCKET: Final = {_X86: 41, _ARM: 198}
_CONNECT: Final = {_X86: 42, _ARM: 203}

_X32: Final = 0x40000000
_LOCAL: Final = (1, 16)
"""Address families that lead nowhere: AF_UNIX, and AF_NETLINK, which asks the kernel about itself."""
_INTERNET: Final = (2, 10)

_LOAD: Final = 0x20
_IF_EQUAL: Final = 0x15
_IF_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_CALL_NUMBER, _ARCHITECTURE = 0, 4
_FIRST, _SECOND, _THIRD = 16, 24, 32

_ALLOW: Final[Row] = (_RETURN, 0, 0, 0x7FFF0000)
_REFUSE: Final[Row] = (_RETURN, 0, 0, 0x00050000 | errno.EPERM)
_CLOSED: Final[Row] = (_RETURN, 0, 0, 0x00050000 | errno.EACCES)


def refuse(*, offline: bool, apart: frozenset[str]) -> bool:
    """Have the kernel refuse what no engine needs; whether it does.

    Beside it, for one that is `offline`, what connects, and what the namespaces that it is `apart` in
    don't hold.
    """
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        return False
    try:
        kernel.filter_calls(program(machine, offline=offline, apart=apart))
    except OSError:
        return False
    return True


def program(machine: str, *, offline: bool, apart: frozenset[str]) -> list[Row]:
    """The filter's rows for `machine`."""
    refused = _USELESS[machine] if "ipc" in apart else (*_USELESS[machine], *_SHARED[machine])
    families = _LOCAL if offline and "network" not in apart else (*_LOCAL, *_INTERNET)
    rows = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        _REFUSE,  # a 32-bit program has other numbers for everything
        (_LOAD, 0, 0, _CALL_NUMBER),
        (_IF_AT_LEAST, 0, 1, _X32),
        _REFUSE,
        *(row for number in refused for row in _at(number, _REFUSE)),
        *_at(_SET_LIMIT[machine], *_of_another_process()),
        *_at(_SET_PRIORITY[machine], *_of_others()),
        *_at(_SOCKET[machine], *_unless(families)),
    ]
    if offline:
        # All that is left to connect to is a socket in the file system: the desktop's bus, a terminal's
        # server, a container daemon. Each of them runs programs for whoever asks, outside our walls.
        rows += _at(_CONNECT[machine], _CLOSED)
    return [*rows, _ALLOW]


def _at(number: int, *body: Row) -> list[Row]:
    """`body`, which ends in an answer whatever happens, for call `number` alone."""
    return [(_IF_EQUAL, 0, len(body), number), *body]


def _of_another_process() -> list[Row]:
    """prlimit64: one's own limits, and reading those of others, which has no new limit."""
    return [
        (_LOAD, 0, 0, _FIRST),
        (_IF_EQUAL, 4, 0, 0),
        (_LOAD, 0, 0, _THIRD),
        (_IF_EQUAL, 0, 3, 0),
        (_LOAD, 0, 0, _THIRD + 4),  # an address has two halves
        (_IF_EQUAL, 0, 1, 0),
        _ALLOW,
        _REFUSE,
    ]


def _of_others() -> list[Row]:
    """setpriority: of oneself only, not of a group or a user."""
    return [
        (_LOAD, 0, 0, _FIRST),
        (_IF_EQUAL, 0, 3, 0),
        (_LOAD, 0, 0, _SECOND),
        (_IF_EQUAL, 0, 1, 0),
        _ALLOW,
        _REFUSE,
    ]


def _unless(families: tuple[int, ...]) -> list[Row]:
    """socket: of these `families`. Not AF_VSOCK, which leaves any network namespace for the host."""
    count = len(families)
    checks = [(_IF_EQUAL, count - place, 0, family) for place, family in enumerate(families)]
    return [(_LOAD, 0, 0, _FIRST), *checks, _CLOSED, _ALLOW]
