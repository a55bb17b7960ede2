"""Runs a program under a limit of address space: `python limited.py BYTES PROGRAM ARGUMENT...`."""

import os
import resource
import sys

if __name__ == "__main__":
    size = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - that is what this program is for
