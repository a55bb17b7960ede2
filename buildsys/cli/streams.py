"""The three streams as a command needs them: all open, and able to print any name."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

_STREAMS: Final = ("stdin", "stdout", "stderr")


def prepare() -> None:
    """Open what the caller closed (`>&-`), and let no name be unprintable."""
    for number, name in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            # In this order each takes its own number; else the next file to be opened would be stdout.
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - a descriptor, for as long as the process lives
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """Let what is still buffered vanish: Python would complain once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def outliving(stream: TextIO) -> Iterator[None]:
    """Say something on `stream`, or nothing ever again where it was a terminal that is closed.

    What is said last must not fail: it would take the place of the interrupt that it tells of.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        silence(stream)


@contextmanager
def deserted(stream: TextIO) -> Iterator[None]:
    """Say the last words on `stream`, though whoever read it may have left, as `head` does.

    The exit code is known by then, and tells the rest.
    """
    try:
        yield
    except BrokenPipeError:
        silence(stream)
