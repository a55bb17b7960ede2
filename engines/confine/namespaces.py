"""Namespaces of its own: an empty network, and none of the machine's shared memory, queues and semaphores.

Knows nothing of engines. Where they are not permitted, most containers among them, `calls` stands in.
"""

from __future__ import annotations

import os

from engines.confine import kernel


def leave(*, offline: bool) -> frozenset[str]:
    """Move into new namespaces; what was permitted of `ipc` and, where `offline`, `network`.

    An ordinary user needs a user namespace around them. Root does not, and shall not: there it would lose
    its access to other users' files, among them perhaps the project's.
    """
    wanted = {"ipc": kernel.CLONE_NEWIPC}
    if offline:
        wanted["network"] = kernel.CLONE_NEWNET
    if os.geteuid() != 0 and not _leave_as_a_user():
        return frozenset()
    return frozenset(name for name, flag in wanted.items() if _permitted(flag))


def _permitted(flag: int) -> bool:
    try:
        kernel.unshare(flag)
    except OSError:
        return False
    return True


def _leave_as_a_user() -> bool:
    # There is no way back out of a user namespace, and one in which nobody is anyone can't even make a
    # file. Ubuntu permits entering and then refuses the names: so a child goes first.
    probe = os.fork()
    if probe == 0:
        os._exit(0 if _become_alone() else 1)
    return os.waitpid(probe, 0)[1] == 0 and _become_alone()


def _become_alone() -> bool:
    """Enter a user namespace in which we are who we were."""
    lines = {
        "setgroups": "deny",  # the kernel's condition for a group of our own
        "uid_map": f"{os.geteuid()} {os.geteuid()} 1",
        "gid_map": f"{os.getegid()} {os.getegid()} 1",
    }
    try:
        kernel.unshare(kernel.CLONE_NEWUSER)
        for name, line in lines.items():
            number = os.open(f"/proc/self/{name}", os.O_WRONLY)
            os.write(number, line.encode())
            os.close(number)
    except OSError:
        return False
    return True
