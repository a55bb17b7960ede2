"""An interpreter on a kernel that has or permits less: `older_kernel.py REFUSED,… ARGUMENT…`.

A system-call filter answers as such a kernel does: `unshare` as Ubuntu and most containers, `landlock` as
before Linux 5.13, `seccomp` as one that was built without.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
from engines.confine import kernel

LOAD, IF_EQUAL, RETURN, ALLOW, REFUSE = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050000
UNSHARE, PRCTL = {"x86_64": (272, 157), "aarch64": (97, 167)}[platform.machine()]
REFUSALS = {
    "unshare": [(IF_EQUAL, 0, 1, UNSHARE), (RETURN, 0, 0, REFUSE | errno.EPERM)],
    "landlock": [(IF_EQUAL, 0, 1, 444), (RETURN, 0, 0, REFUSE | errno.ENOSYS)],
    "seccomp": [
        (IF_EQUAL, 0, 4, PRCTL),
        (LOAD, 0, 0, 16),
        (IF_EQUAL, 0, 1, 22),
        (RETURN, 0, 0, REFUSE | errno.EINVAL),
        (RETURN, 0, 0, ALLOW),
    ],
}

kernel.forgo_privileges()
rows = [row for name in sys.argv[1].split(",") for row in REFUSALS[name]]
kernel.filter_calls([(LOAD, 0, 0, 0), *rows, (RETURN, 0, 0, ALLOW)])
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])  # noqa: S606 - no shell wanted
