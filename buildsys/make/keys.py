"""The keys of engines: from the environment, or from a command there that prints one.

A password manager's, say: `OPENAI_API_KEY_COMMAND="pass show openai"`. Each runs once in a build, when the
first engine with that key starts. Knows nothing of engine processes.
"""

from __future__ import annotations

import shlex
import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import Final

from buildsys.make.failure import EngineFailed
from buildsys.manifest.model import Card
from buildsys.plan.ready import command_of
from engines.protocol import ErrorKind

_SECONDS: Final = 120.0
"""A person may have to find a token and type a password."""

_SHOWN: Final = 200
"""Characters of a command's complaint that a message shows."""


class Keys:
    """Asked by many threads; each command runs in the one that asks first, and the others wait for it."""

    def __init__(
        self,
        environ: Mapping[str, str],
        seconds: float = _SECONDS,
        *,
        printed: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`printed`: told each key that a command gave, before an engine has it; by any thread."""
        self._environ = environ
        self._seconds = seconds
        self._printed = printed
        self._found: dict[str, str | EngineFailed] = {}
        self._asking = threading.Lock()
        self._ending = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._ended = False

    def environ(self, card: Card) -> Mapping[str, str]:
        """The environment, the keys of `card` in it. Raises `EngineFailed` where a command gives none."""
        keys = {}
        for key in card.keys:
            # One that is set to nothing, as a CI does with a secret that it may not give, is not set.
            if not self._environ.get(key, "").strip() and self._environ.get(command_of(key), "").strip():
                keys[key] = self._asked(key)
        return {**self._environ, **keys}

    def end(self) -> None:
        """End a command that runs, and start no other. Any thread."""
        with self._ending:
            self._ended = True
            if self._process is not None:
                self._process.kill()

    def _asked(self, key: str) -> str:
        with self._asking:
            if key not in self._found:
                try:
                    printed = self._run(command_of(key))
                    self._printed(printed)
                    self._found[key] = printed
                except EngineFailed as error:
                    # Not asked again: who mistyped a password is not to type it for every engine.
                    self._found[key] = error
            found = self._found[key]
        if isinstance(found, EngineFailed):
            raise found
        return found

    def _run(self, variable: str) -> str:
        """The first line that the command in `variable` prints: managers write notes on those below."""
        with self._started(variable) as process:
            try:
                out, complaint = process.communicate(timeout=self._seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                raise _failed(variable, f"printed no key within {self._seconds:g} s") from None
        lines = out.split("\n")
        key = lines[0].strip()
        if process.returncode:
            said = complaint.strip().rpartition("\n")[2]
            for line in filter(None, (line.strip() for line in lines)):
                said = said.replace(line, "…")
            told = f": {said[:_SHOWN]}" if said else ""
            raise _failed(variable, f"failed with exit code {process.returncode}{told}")
        if not key:
            raise _failed(variable, "printed no key")
        return key

    def _started(self, variable: str) -> subprocess.Popen[str]:
        # The command itself is in no message: somebody may have written the key into it.
        try:
            words = shlex.split(self._environ[variable])
        except ValueError as error:
            raise _failed(variable, f"can't be read: {str(error).lower()}") from None
        with self._ending:
            if self._ended:
                raise _failed(variable, "was not run: the build was stopped")
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the user's own command is what is wanted
                    words,
                    env=dict(self._environ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                )
            except OSError as error:
                raise _failed(variable, f"can't be run: {error.strerror}") from None
            return self._process


def _failed(variable: str, fact: str) -> EngineFailed:
    hint = f"run the command in `{variable}` yourself, and correct it until it prints the key"
    return EngineFailed(f"the command in `{variable}` {fact}", hint, kind=ErrorKind.AUTH, lost=True)
