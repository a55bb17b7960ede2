"""Runs `artlock` in this process, and kills it at its Nth step: `mortal_builder.py N STEPS FOLDER WORD...`.

A step is whatever a kill could leave half done: it comes just before a file is opened for writing, renamed
or removed, before a new folder, before an engine's start, and in the middle of a write. So the step after
one is what that one left whole. They are counted from outside of the code under test: by Python's audit
events, and by `os.write`, which has none. Each is noted in the file STEPS; only those in FOLDER count. What
SQLite writes has no steps; it is killed at random moments. N = 0: never.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path
from typing import Any

SEEN = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "subprocess.Popen"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Steps:
    """Counts the steps, notes each, and dies at one."""

    def __init__(self, fatal: int, notes: Path, folder: str) -> None:
        self.fatal = fatal
        self.folder = folder
        self.numbers = itertools.count(1)
        self.write = os.write
        self.notes = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)

    def watch(self) -> None:
        os.write = self.written
        sys.addaudithook(self.heard)

    def step(self, what: str) -> None:
        number = next(self.numbers)
        self.write(self.notes, f"{number} {what}\n".encode())
        if number == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()  # until the signal is here

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            self.step(f"{event} {arguments[1][-1]}")
        elif event in SEEN or (event == "open" and (arguments[2] or 0) & WRITING):
            name = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else ""
            if name.startswith(self.folder) and changes(event, name):
                self.step(f"{event} {name}")

    def written(self, descriptor: int, data: Any) -> int:
        name = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if not name.startswith(self.folder):
            return self.write(descriptor, data)
        half = self.write(descriptor, data[: len(data) // 2])
        self.step(f"half of {name}")
        return half + self.write(descriptor, data[half:])


def changes(event: str, name: str) -> bool:
    """Whether the call will do anything: many are made to be sure, such as of a folder that is there."""
    return event == "open" or os.path.lexists(name) == (event != "os.mkdir")


def main() -> int:
    fatal, notes, folder, *words = sys.argv[1:]
    from buildsys.cli import main as artlock  # noqa: PLC0415 - what it loads is no step

    Steps(int(fatal), Path(notes), folder).watch()
    return artlock(words)


if __name__ == "__main__":
    sys.exit(main())
