"""One run of a program: started, listened to, and told how it ended.

Knows nothing of pictures. The program stays in the engine's own session and sandbox, so whatever ends the
engine ends it too; a new session was refused, because a process that leaves it could outlive the build.
"""

from __future__ import annotations

import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from engines.parameters import bad
from engines.protocol import EngineError, ErrorKind

_PROGRESS: Final = re.compile(rb"artlock: progress ([0-9]{1,9})/([0-9]{1,9})\s*")
_LINE: Final = 8192
"""Bytes after which a line is taken as ended: a program that writes none must not fill the memory."""
_SHOWN: Final = 300
_KEPT: Final = 6
"""Last lines that a message shows, and characters of each."""
_LINGER: Final = 1.0
"""Seconds to read on after the program ended, where something it started holds its output open."""
_TICK: Final = 0.05
_END: Final = b""
_KILLED: Final = (-signal.SIGKILL, 128 + signal.SIGKILL)
"""Exit codes of a program that was killed, and of a shell whose program was."""


def found(program: str, path: str) -> str:
    """The absolute path of `program`, looked for on `path`. Raises `EngineError`."""
    if "/" in program and not program.startswith("/"):
        raise bad(
            f"`{program}` is a relative path, and programs run in a folder of their own",
            'give a file of the project as `script`, and run it: `run = ["sh", "{script}", "{output}"]`',
        )
    lies = shutil.which(program, path=path)
    if lies is None:
        raise EngineError(
            ErrorKind.MISSING,
            f"the program `{program}` is not on this machine",
            hint=f"install `{program}`, or put its folder on `PATH`",
        )
    return lies


class Run:
    """A program at work, its output read to the end."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], folder: Path) -> None:
        """Start it in `folder`. Raises `EngineError` where it can't be started."""
        self.name = Path(words[0]).name
        self._last: deque[str] = deque(maxlen=_KEPT)
        # Bounded: a program that writes faster than the log is written waits, and fills no memory.
        self._lines: queue.Queue[bytes] = queue.Queue(maxsize=256)
        lies = found(words[0], environ.get("PATH", ""))
        try:
            self._process = subprocess.Popen(  # noqa: S603 - running the user's program is the purpose
                [lies, *words[1:]],
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise EngineError(
                ErrorKind.MISSING, f"the program `{words[0]}` can't be started: {error.strerror}"
            ) from error
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: a pipe was asked for
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def _read(self, output: IO[bytes]) -> None:
        with output:
            while line := output.readline(_LINE):
                self._lines.put(line)
        self._lines.put(_END)

    def listen(self, progress: Callable[[int, int], None]) -> int:
        """Tell `progress` of each step until the program ends; its exit code, or minus a signal's number.

        Whatever interrupts this ends the program.
        """
        try:
            self._hear(progress)
        finally:
            self._process.kill()
            code = self._process.wait()
        return code

    def _hear(self, progress: Callable[[int, int], None]) -> None:
        until = None
        while until is None or time.monotonic() < until:
            if until is None and self._process.poll() is not None:
                until = time.monotonic() + _LINGER
            try:
                line = self._lines.get(timeout=_TICK)
            except queue.Empty:
                continue
            if line == _END:
                self._process.wait()
                return
            mark = _PROGRESS.fullmatch(line)
            if mark and 1 <= int(mark[1]) <= int(mark[2]):
                progress(int(mark[1]), int(mark[2]))
            else:
                self._log(line)

    def _log(self, line: bytes) -> None:
        sys.stderr.write(line.decode(errors="replace"))
        text = line.decode(errors="replace").strip()[:_SHOWN]
        if text:
            self._last.append(text)

    def told(self) -> str:
        """Its last lines, to stand at the end of a message."""
        if not self._last:
            return ""
        return f"; its last {'line' if len(self._last) == 1 else 'lines'}:\n" + "\n".join(self._last)

    def check(self, code: int) -> None:
        """Raise `EngineError` unless `code` says that all went well."""
        if code == 0:
            return
        if code in _KILLED:
            raise EngineError(
                ErrorKind.OUT_OF_MEMORY,
                f"`{self.name}` was killed by `SIGKILL`: perhaps the machine ran out of memory{self.told()}",
                hint="close other programs, or make the picture smaller",
            )
        how = f"was ended by `{_signal(-code)}`" if code < 0 else f"failed with exit code {code}"
        raise EngineError(ErrorKind.INTERNAL, f"`{self.name}` {how}{self.told()}")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def first_line(words: Sequence[str], environ: Mapping[str, str], folder: Path) -> str:
    """The first line that a command writes, such as a program's version. Raises `EngineError`."""
    lies = found(words[0], environ.get("PATH", ""))
    try:
        ended = subprocess.run(  # noqa: S603 - running the user's program is the purpose
            [lies, *words[1:]],
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise bad(f"`probe` can't be run: {error}", "give a command that prints a version") from error
    lines = ended.stdout.decode(errors="replace").split("\n")
    line = next((line.strip() for line in lines if line.strip()), "")
    if ended.returncode or not line:
        raise bad(
            f"`probe` printed no version: exit code {ended.returncode}, `{line[:_SHOWN]}`",
            "give a command that prints a version",
        )
    return line[:_SHOWN]
