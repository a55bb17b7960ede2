"""A process and all its descendants while they run: how long, how much memory, how many engines.

Knows nothing of what the process does. Linux only.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

_EVERY: Final = 0.25
_ENTRY: Final = "engines/__main__.py"
"""The child entry: each engine process of a build has it in its command line, behind its keeper's."""


@dataclass(slots=True)
class Watched:
    """What was seen of a process that has ended."""

    code: int = 0
    seconds: float = 0.0
    memory: int = 0
    """The most memory that all processes had together: proportional set size, so that a page that two
    share counts once. Sampled four times a second."""
    space: int = 0
    """The most address space that any one of them had; the kernel keeps this peak itself."""
    loads: dict[str, int] = field(default_factory=dict)
    """Engine processes that were seen, by the adapter."""
    output: str = ""
    """The last of what it wrote on stderr."""


def run(command: Sequence[str], *, cwd: Path, environ: Mapping[str, str], log: Path) -> Watched:
    """Run `command` to its end; stderr goes to `log`, stdout to a file `.out` beside it."""
    found = Watched()
    ended = threading.Event()
    began = time.monotonic()
    with log.open("ab") as errors, log.with_suffix(".out").open("wb") as out:
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(environ), stdin=subprocess.DEVNULL, stdout=out, stderr=errors
        )
        watcher = threading.Thread(target=_watch, args=(process.pid, found, ended))
        watcher.start()
        try:
            found.code = process.wait()
        except BaseException:
            process.terminate()
            raise
        finally:
            found.seconds = time.monotonic() - began
            ended.set()
            watcher.join()
    found.output = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    return found


def _watch(pid: int, found: Watched, ended: threading.Event) -> None:
    seen: set[int] = set()
    while not ended.wait(_EVERY):
        try:
            root = psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
        except psutil.Error:
            return
        found.memory = max(found.memory, sum(_memory(process) for process in family))
        for process in family:
            found.space = max(found.space, _peak_space(process.pid))
            if process.pid not in seen:
                seen.add(process.pid)
                adapter = _engine(process)
                if adapter:
                    found.loads[adapter] = found.loads.get(adapter, 0) + 1


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def _peak_space(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmPeak:")), 0)


def _engine(process: psutil.Process) -> str:
    """The adapter, where `process` is an engine: the child of a keeper that has the same command line."""
    try:
        words, parent = process.cmdline(), process.parent()
        if parent is not None and words and words == parent.cmdline():
            place = next((number for number, word in enumerate(words) if word.endswith(_ENTRY)), None)
            return Path(words[place + 2]).stem if place is not None else ""
    except (psutil.Error, IndexError):
        pass
    return ""
