"""How an engine's process ended, or why it could not begin: in words, with the kind of error and one action.

Knows nothing of pipes, and starts and ends nothing.
"""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import Final, NamedTuple

from buildsys.files.durable import disk_error
from buildsys.make import advice
from buildsys.make.walls import starved
from buildsys.manifest.model import Engine
from engines.protocol import ErrorKind

_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE})


class Ending(NamedTuple):
    """As the rest of a sentence that begins with the engine."""

    fact: str
    kind: ErrorKind
    hint: str = ""
    killed: bool = False
    """Whether by `SIGKILL`, as the kernel does where the machine, not the device, has no memory left."""


def ending_of(engine: Engine, code: int, when: str, tail: str) -> Ending:
    """What the exit code of an engine says, negative for a signal; `tail` is the end of its log."""
    if code == -signal.SIGKILL:
        fact = f"was killed by SIGKILL {when}: perhaps the machine ran out of memory"
        hint = advice.on_want_of_memory(engine, killed=True)
        return Ending(fact, ErrorKind.OUT_OF_MEMORY, hint, killed=True)
    if most := starved(engine, code, tail):
        fact = f"ran out of memory {when}: it may take {most}"
        return Ending(fact, ErrorKind.OUT_OF_MEMORY, advice.raise_limit(engine, "memory"))
    if code < 0:
        return Ending(f"was ended by {_named(-code)} {when}", ErrorKind.TRANSIENT)
    return Ending(f"ended with exit code {code} {when}", ErrorKind.TRANSIENT)


def _named(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals, of which only the first and the last have a name
        return f"signal {number}"


def not_begun(engine: Engine, python: str, error: OSError) -> Ending:
    """Why there is no process: only what names the interpreter is the interpreter's fault."""
    subject = f"the engine `{engine.name}` can't be started"
    if error.errno in _OUT_OF_FILES:
        hint = "raise the limit of open files (`ulimit -n`)"
        return Ending(f"{subject}: {error.strerror}", ErrorKind.TRANSIENT, hint)
    if error.filename == python:
        fact = f"the interpreter `{python}` of `{engine.name}` can't be started: {error.strerror}"
        return Ending(fact, ErrorKind.MISSING, f"mend `python` of the engine `{engine.name}`")
    if error.filename is not None:
        told = disk_error("open", Path(os.fsdecode(error.filename)), error)
        return Ending(f"{subject}: {told.message}", ErrorKind.TRANSIENT, told.hint)
    return Ending(f"{subject}: {error.strerror}", ErrorKind.TRANSIENT, "close other programs")
