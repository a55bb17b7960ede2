"""What an engine's process may do, given up before any adapter is imported: there is no way back.

Knows nothing of adapters. The builder says what to hold in words on the command line, not in the protocol,
because a message would be read by a process that has imported the world:

- `write=FOLDER`: it may write under this folder, and under others that are named so, and nowhere else. It
  also gives up every reach into processes that are not its own, shared memory of the machine, and every
  capability but reading.
- `offline`: beside the former, it gets no network, and connects to nothing.
- `memory=BYTES`: of address space.

Best effort by what the kernel has and permits; what really holds goes into `Hello.confined`. See
`docs/workers.md`.
"""

from __future__ import annotations

import os
import resource
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_READ_ANYTHING: Final = 1 << 2
"""CAP_DAC_READ_SEARCH: a project that root builds may belong to another user."""

_DEVICES: Final = ("null", "zero", "full", "random", "urandom", "dri", "kfd", "dxg")
"""Under `/dev`, beside `nvidia*`: what programs write to without storing anything. Not `shm`: what is
written there is there for everyone, and outlives the process."""


@dataclass(frozen=True, slots=True)
class Walls:
    """What was asked for."""

    write: tuple[str, ...] = ()
    """The only folders to write in; empty: anywhere."""
    offline: bool = False
    memory: int = 0
    """Bytes of address space; 0: no limit."""

    @classmethod
    def of(cls, words: Sequence[str]) -> Walls:
        """The walls that `words` of the command line ask for. Raises `ValueError` for an unknown word."""
        write, offline, memory = [], False, 0
        for word in words:
            name, _, value = word.partition("=")
            if name == "write" and value:
                write.append(value)
            elif word == "offline":
                offline = True
            elif name == "memory":
                memory = int(value)
            else:
                raise ValueError(f"`{word}` is no wall that an engine knows")
        return cls(tuple(write), offline, memory)


def confine(walls: Walls) -> tuple[str, ...]:
    """Give up what `walls` say, in a process with one thread; returns what really holds."""
    held: set[str] = set()
    if sys.platform == "linux":
        if walls.write:
            # Of a model of 10 GB it would be 10 GB, in a folder that is about to be removed.
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            held |= _enclose(walls)
        if walls.memory:
            _, most = resource.getrlimit(resource.RLIMIT_AS)
            limit = walls.memory if most == resource.RLIM_INFINITY else min(walls.memory, most)
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            held.add("memory")
    return tuple(sorted(held))


def _enclose(walls: Walls) -> set[str]:
    from engines.confine import calls, kernel, namespaces  # noqa: PLC0415 - Linux only

    apart = namespaces.leave(offline=walls.offline)
    kernel.forgo_privileges()
    kernel.keep_capabilities(_READ_ANYTHING if os.geteuid() == 0 else 0)
    filtered = calls.refuse(offline=walls.offline, apart=apart)
    held = set(apart)
    if filtered:
        held |= {"ipc", "network"} if walls.offline else {"ipc"}
    beyond = _landlock(walls, tcp=walls.offline and "network" not in held)
    # A limit of processor time, set from outside, ends a process as well as a signal does.
    return held | (beyond if filtered else beyond - {"signals"})


def _landlock(walls: Walls, *, tcp: bool) -> set[str]:
    from engines.confine import landlock  # noqa: PLC0415 - Linux only

    devices = [f"/dev/{name}" for name in (*_DEVICES, *_nvidia())]
    # CUDA names its threads there, and does not start where it can't.
    devices.append("/proc/self")
    try:
        return set(landlock.restrict(walls.write, devices, tcp=tcp))
    except OSError:
        traceback.print_exc()  # into the log: the kernel has Landlock, so somebody will want to know
        return set()


def _nvidia() -> list[str]:
    return [name for name in os.listdir("/dev") if name.startswith("nvidia")]  # noqa: PTH208 - as above
