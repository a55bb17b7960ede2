"""A game whose engines draw, refuse or are down as a test says, and note what they are asked."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from game import Game

CARD = """\
name = "mood"
version = "1.0.0"
summary = "Plain colours for tests"
determinism = "bitwise"
seed = "optional"
prompt = "optional"
negative = "optional"

[parameters.tone]
type = "string"
default = ""
doc = "What tells its pictures, and its recipes, from another engine's."
"""

ADAPTER = '''\
"""Plain colours, or whatever the test wants to go wrong."""

import hashlib
import json
import os
import time
from pathlib import Path

from engines.protocol import Done, EngineError, ErrorKind


def load(opening):
    return Mood(opening.engine)


class Mood:
    def __init__(self, name):
        self.name = name

    def environment(self):
        return {"mood": "1"}

    def render(self, requests, report):
        from PIL import Image

        for request in requests:
            with (HERE / "asked.txt").open("a") as file:
                print(self.name, request.asset, file=file)
            moods = json.loads((HERE / "moods.json").read_text())
            mood = moods.get(f"{self.name} {request.asset}", moods.get(self.name, ""))
            if mood == "crash":
                os._exit(3)
            if mood == "hang":
                time.sleep(600)
            if mood:
                raise EngineError(ErrorKind(mood), f"{self.name} says {mood}", hint=f"mend {self.name}")
            text = f"{request.parameters} {request.seed} {request.prompt}".encode()
            Image.new("RGB", request.size, tuple(hashlib.sha256(text).digest()[:3])).save(request.output)
            yield Done(id=request.id, output=request.output)
'''

HEAD = """\
[project]
name = "test"

[roles]
sprite = "alpha"
"""

ENGINE = """
[engines.{name}]
adapter = "tools/mood.py"
sandbox = false  # it notes in a file of the test's what it was asked
tone = "{name}"
limits.tries = {{ transient = 1, rate_limited = 1, internal = 1 }}
"""


class Studio(Game):
    """A game with the engines `alpha`, `beta` and `gamma`, all well unless they are `told` otherwise."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "game", folder / "cache")
        self._here = folder
        (self.folder / "tools" / "mood.toml").write_text(CARD)
        (self.folder / "tools" / "mood.py").write_text(
            ADAPTER.replace("\n\n\ndef load", f"\n\nHERE = Path({str(folder)!r})\n\n\ndef load", 1)
        )
        self.told()

    def told(self, **moods: str) -> None:
        """Have engines fail by these kinds from now on; `alpha__hero`: for the asset `hero` alone."""
        named = {name.replace("__", " "): mood for name, mood in moods.items()}
        (self._here / "moods.json").write_text(json.dumps(named))

    def asked(self) -> list[str]:
        """The engine and the asset of every request since the last call, sorted."""
        path = self._here / "asked.txt"
        found = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return sorted(found)

    def engines(self, assets: str = "", head: str = HEAD, **extra: str) -> None:
        """Write the manifest; `extra`: more lines for an engine's table."""
        tables = [
            ENGINE.format(name=name) + textwrap.dedent(extra.get(name, ""))
            for name in ("alpha", "beta", "gamma")
        ]
        text = "\n".join([head, *tables, textwrap.dedent(assets or HERO)])
        (self.folder / "assets.toml").write_text(text)


HERO = """
[assets.hero]
role = "sprite"
prompt = "a knight"
seed = 7
size = [16, 16]
"""
