"""A small game in a temporary folder, with an engine of its own, driven by the real command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

CARD = """\
name = "noise"
version = "1.0.0"
summary = "Coloured noise for tests"
determinism = "bitwise"
seed = "required"
prompt = "optional"
parallel = true

[parameters.seconds]
type = "number"
default = 0
doc = "How long it takes."

[parameters.fail]
type = "string"
doc = "Fail with this message."
"""

ADAPTER = '''\
"""Coloured noise for tests."""

import contextlib
import hashlib
import time

from engines.protocol import Done, EngineError, ErrorKind


def load(opening):
    return Noise()


class Noise:
    def environment(self):
        return {"noise": "1"}

    def render(self, requests, report):
        from PIL import Image

        for request in requests:
            if "fail" in request.parameters:
                print("the last words of the engine")
                raise EngineError(ErrorKind.BAD_REQUEST, request.parameters["fail"], hint="mend it")
            width, height = request.size
            time.sleep(request.parameters["seconds"])
            seed = f"{request.seed} {request.prompt}".encode()
            data = hashlib.shake_256(seed).digest(width * height * 3)
            Image.frombytes("RGB", (width, height), data).save(request.output)
            # Within walls, as where only the lock says how to run it, it can't count.
            with contextlib.suppress(PermissionError), open(COUNT, "a") as file:
                print(request.asset, file=file)
            yield Done(id=request.id, output=request.output)
'''

MANIFEST = """\
[project]
name = "test"

[engines.noise]
adapter = "tools/noise.py"
sandbox = false  # it notes in a file of the test's what it made

[roles]
sprite = "noise"
"""


class Game:
    """A project; `count` is the file in which its engine notes each picture that it really makes."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.cache = cache
        self.count = folder.parent / "count.txt"
        (folder / "tools").mkdir(parents=True)
        (folder / "tools" / "noise.toml").write_text(CARD)
        (folder / "tools" / "noise.py").write_text(f"COUNT = {str(self.count)!r}\n" + ADAPTER)

    @classmethod
    def lying(cls, folder: Path, cache: Path, count: Path) -> Game:
        """A game whose files lie there already: a copy or a clone of one."""
        game = cls.__new__(cls)
        game.folder, game.cache, game.count = folder, cache, count
        return game

    def copied(self, folder: Path) -> Game:
        """A copy of its files in `folder`, with the same store, to change as a test likes."""
        copy = Game.lying(folder / "game", self.cache, folder / "count.txt")
        shutil.copytree(self.folder, copy.folder)
        return copy

    def apart(self, folder: Path) -> Game:
        """A copy with a store of its own; what its engine makes is still noted in the same file."""
        copy = Game.lying(folder / "game", folder / "cache", self.count)
        shutil.copytree(self.folder, copy.folder)
        shutil.copytree(self.cache, copy.cache)
        return copy

    @property
    def environ(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "ARTLOCK_"))}
        return {
            **kept,
            "PYTHONPATH": str(ROOT),
            "ARTLOCK_CACHE_DIR": str(self.cache),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.invalid",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.invalid",
        }

    def write(self, assets: str) -> None:
        (self.folder / "assets.toml").write_text(MANIFEST + "\n" + textwrap.dedent(assets))

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "buildsys", *words],
            cwd=self.folder,
            env=self.environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, f"exit {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(process.args, code, out, err)

    def build(self, *words: str, code: int = 0) -> dict[str, Any]:
        """Build with `--json`: names by verdict, without what is empty."""
        found = json.loads(self.run("build", "--json", *words, code=code).stdout)
        return {key: value for key, value in found.items() if value}

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.folder, env=self.environ, check=True, capture_output=True, text=True
        )
        return done.stdout

    def commit(self) -> None:
        if not (self.folder / ".git").exists():
            self.git("init", "--quiet", "--initial-branch=main")
            (self.folder / ".gitignore").write_text(".artlock/\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=art")

    def made(self) -> list[str]:
        """Assets that the engine really made, since the last call."""
        found = self.count.read_text().split() if self.count.exists() else []
        self.count.unlink(missing_ok=True)
        return sorted(found)

    def lock(self) -> bytes:
        return (self.folder / "assets.lock").read_bytes()

    def forge(self, old: str, new: str) -> None:
        """Let the lock say `new` for `old`, as a stranger would: a seal that is not there fits."""
        text = self.lock().decode()
        assert old in text
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("seal = "))
        (self.folder / "assets.lock").write_text(text.replace(old, new))

    def outputs(self) -> dict[str, bytes]:
        out = self.folder / "out"
        return {
            path.relative_to(out).as_posix(): path.read_bytes()
            for path in sorted(out.rglob("*"))
            if path.is_file()
        }
