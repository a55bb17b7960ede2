"""A process tree: a keeper, the engine it keeps, and the lines to both.

Knows nothing of messages. The keeper (`engines/__main__.py`) ends the tree when the lifeline closes;
only this process holds the lifeline's other end, so the kernel closes it however the builder ends.
Where the keeper itself was killed, what it would have ended is looked for; see `strays`.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from buildsys.make import strays
from engines import protocol

_ENTRY: Final = Path(protocol.__file__).with_name("__main__.py")

_POLITE: Final = 2.0
"""Seconds that an engine has to leave when its input ended."""

_FORCED: Final = 5.0
"""Seconds that a keeper has to end a tree; a process that sits in a driver may need them all."""

_MARK: Final = "ARTLOCK_TREE"
"""The environment variable, different for each tree, that all of its processes inherit."""


class ProcessTree:
    """One keeper with its engine. Any thread may `cut`; the rest belongs to one thread."""

    def __init__(
        self,
        python: str,
        adapter: str,
        folder: Path,
        log: Path,
        environ: Mapping[str, str],
        walls: Sequence[str] = (),
    ) -> None:
        """Start it in `folder`, the engine within `walls`.

        Raises `OSError`, whose `filename` is `python` where that can't be run, and `log` where that can't
        be written.
        """
        self.peak = 0
        """The most main memory that one of its processes had, in bytes, once it was ended; 0: unknown."""
        self._lock = threading.Lock()
        self._name = secrets.token_hex(16)
        self.requests = self.replies = -1
        self._lifeline: socket.socket | None = None
        theirs: list[int] = []
        try:
            theirs.append(os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
            theirs_in, self.requests = os.pipe()
            theirs.append(theirs_in)
            self.replies, theirs_out = os.pipe()
            theirs.append(theirs_out)
            # Not a pipe: on its way out, the keeper says here what only it can know.
            self._lifeline, keepers = socket.socketpair()
            theirs_life = keepers.detach()
            theirs.append(theirs_life)
            self._keeper = subprocess.Popen(  # noqa: S603 - the interpreter and the file are ours
                # -P: nothing in the current folder may shadow a module.
                [python, "-P", str(_ENTRY), str(theirs_life), adapter, *walls],
                stdin=theirs_in,
                stdout=theirs_out,
                stderr=theirs[0],
                cwd=folder,
                env={**environ, _MARK: self._name},
                pass_fds=(theirs_life,),
                # Not in the terminal's group: a ctrl-C is for the builder, which then decides.
                start_new_session=True,
            )
        except BaseException:  # a bug, too, such as an environment that no process can have
            self._close_pipes()
            raise
        finally:
            for number in theirs:
                os.close(number)

    def wait(self, seconds: float = _POLITE) -> int | None:
        """The exit code of an engine that ended, negative for a signal; None if it has not."""
        try:
            return self._keeper.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def cut(self) -> None:
        """Have the keeper end the whole tree; returns at once. Any thread, any time, any number."""
        with self._lock:
            if self._lifeline is not None:
                with suppress(OSError):  # the keeper may be gone
                    self._lifeline.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        """End the whole tree and wait until it is gone."""
        self.cut()
        if self.wait(_FORCED) is None:
            self._keeper.kill()  # the engine follows its keeper, by its parent death signal
            self.wait(_FORCED)
        if self._keeper.returncode != 0:
            # A keeper ends as its engine did, so this may be either's own death, and then nobody has ended
            # what the engine left behind.
            strays.end(f"{_MARK}={self._name}", _FORCED)
        self._hear_out()
        self._close_pipes()

    def leave(self) -> None:
        """End the engine's input, wait for it to go, and end it where it does not."""
        if self.requests >= 0:
            os.close(self.requests)
            self.requests = -1
        self.wait()
        self.kill()

    def _hear_out(self) -> None:
        """Take in the last word of a keeper that has ended; one that was killed said none."""
        if self._lifeline is not None:
            self._lifeline.setblocking(False)
            with suppress(OSError, ValueError):
                self.peak = int(self._lifeline.recv(32))

    def _close_pipes(self) -> None:
        with self._lock:
            if self._lifeline is not None:
                self._lifeline.close()
                self._lifeline = None
        for number in (self.requests, self.replies):
            if number >= 0:
                os.close(number)
        self.requests = self.replies = -1
