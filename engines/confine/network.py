"""Going offline: an empty network namespace, or a filter that refuses every socket to the outside.

Knows nothing of engines. Both hold for every protocol; Landlock's rules (see `landlock`) know TCP only.
"""

from __future__ import annotations

import errno
import os
from typing import Final

from engines.confine import kernel

_ARCHITECTURES: Final = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""Machine to its number in a filter and that of its `socket` call. Both are little-endian."""

_IO_URING_SETUP: Final = 425
_X32: Final = 0x40000000
_HARMLESS: Final = (1, 16)
"""Address families that lead nowhere: AF_UNIX, and AF_NETLINK, which asks the kernel about itself."""

_LOAD: Final = 0x20
_IF_EQUAL: Final = 0x15
_IF_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000
_CALL_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16


def leave() -> bool:
    """Move into an empty network namespace; whether that was permitted.

    An ordinary user needs a user namespace around it. Root does not, and shall not: there it would lose
    its access to other users' files, among them perhaps the project's.
    """
    try:
        kernel.unshare(kernel.CLONE_NEWNET)
    except OSError:
        return os.geteuid() != 0 and _leave_as_a_user()
    return True


def _leave_as_a_user() -> bool:
    # There is no way back out of a user namespace, and one in which nobody is anyone can't even make a
    # file. Ubuntu permits entering and then refuses the names: so a child goes first.
    probe = os.fork()
    if probe == 0:
        os._exit(0 if _become_alone(0) else 1)
    return os.waitpid(probe, 0)[1] == 0 and _become_alone(kernel.CLONE_NEWNET)


def _become_alone(others: int) -> bool:
    """Enter a user namespace in which we are who we were, and new ones for `others`."""
    lines = {
        "setgroups": "deny",  # the kernel's condition for a group of our own
        "uid_map": f"{os.geteuid()} {os.geteuid()} 1",
        "gid_map": f"{os.getegid()} {os.getegid()} 1",
    }
    try:
        kernel.unshare(kernel.CLONE_NEWUSER | others)
        for name, line in lines.items():
            number = os.open(f"/proc/self/{name}", os.O_WRONLY)
            os.write(number, line.encode())
            os.close(number)
    except OSError:
        return False
    return True


def refuse_sockets() -> bool:
    """Have the kernel refuse every socket that could leave this machine; whether it does.

    Needs no right but that of giving up rights, so it works where namespaces are off: in most containers,
    and for ordinary users of Ubuntu.
    """
    known = _ARCHITECTURES.get(os.uname().machine)
    if known is None:
        return False
    try:
        kernel.filter_calls(_program(*known))
    except OSError:
        return False
    return True


def _program(architecture: int, socket: int) -> list[tuple[int, int, int, int]]:
    """Rows of code, rows to skip if true, rows to skip if false, value."""
    refuse = (_RETURN, 0, 0, _REFUSE | errno.EACCES)
    allow = (_RETURN, 0, 0, _ALLOW)
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, architecture),
        refuse,  # a 32-bit program has other numbers for everything
        (_LOAD, 0, 0, _CALL_NUMBER),
        (_IF_AT_LEAST, 0, 1, _X32),
        refuse,
        (_IF_EQUAL, 0, 1, _IO_URING_SETUP),
        refuse,  # a ring opens sockets without a call that we would see
        (_IF_EQUAL, 1, 0, socket),
        allow,
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        *((_IF_EQUAL, len(_HARMLESS) - number, 0, family) for number, family in enumerate(_HARMLESS)),
        refuse,
        allow,
    ]
