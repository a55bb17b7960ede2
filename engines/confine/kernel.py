"""The kernel's calls that Python 3.11 has no word for, by ctypes: Linux only.

An engine may run in another interpreter, in which no package of ours is installed, so nothing but the
standard library is here. Every function raises `OSError` with the kernel's own reason.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Final

CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000

_SET_SECCOMP: Final = 22
_FILTER: Final = 2
_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITY_VERSION: Final = 0x20080522

_libc: Final = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """System call `number`. A `bytes` goes in as the address of what it holds."""
    # A variadic C function takes an int as 32 bits unless it is told otherwise.
    given = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *given))


def unshare(flags: int) -> None:
    """Leave the namespaces in `flags` for new ones: all of them, or none."""
    _checked(_libc.unshare(flags))


def forgo_privileges() -> None:
    """No program that is run from here on gains rights by being setuid, or by root running it."""
    _checked(_libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def keep_capabilities(kept: int) -> None:
    """Give up every capability but those in the bit mask `kept`, of which it may have none."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    now = ctypes.create_string_buffer(24)
    _checked(_libc.capget(header, now))
    effective, permitted, _, effective_high, permitted_high, _ = struct.unpack("=6I", now.raw)
    low, high = kept & 0xFFFFFFFF, kept >> 32
    left = (effective & low, permitted & low, 0, effective_high & high, permitted_high & high, 0)
    _checked(_libc.capset(header, struct.pack("=6I", *left)))


def filter_calls(program: list[tuple[int, int, int, int]]) -> None:
    """Have the BPF `program` judge every system call; rows of code, jump if true, jump if false, value."""
    body = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *row) for row in program))
    head = struct.pack("@HP", len(program), ctypes.addressof(body))
    _checked(_libc.prctl(_SET_SECCOMP, _FILTER, head, 0, 0))
