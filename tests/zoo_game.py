"""A game whose pictures are made by the whole zoo at once, and what is left of a build of it.

Knows nothing of what each animal does: that is `zoo_matrix`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from game import Game
from zoo_matrix import Row
from zookeeper import MARK, ROOT

GOOD = ("good/1", "good/2", "thumbs/1")
BELONGS = {
    ".gitignore",
    "agreement",
    "reading",
    "build.lock",
    "index",
    "logs",
    *(f"journal.{end}" for end in ("db", "db-shm", "db-wal", "lock")),
}
SECONDS = 150
"""How long anything is waited for. Generous: what a test waits for is an event, never the clock."""

CARD = """\
name = "{name}"
version = "1.0.0"
summary = "An animal of the zoo"
determinism = "bitwise"
prompt = "none"

[limits]
load_seconds = {load_seconds}
render_seconds = {render_seconds}
"""

SAID = """
[{table}.act]
type = "string"
default = ""
doc = "What it does."

[{table}.stuck]
type = "boolean"
default = false
doc = "Whether it hangs then."
"""

HEAD = """\
[project]
name = "zoo"

[engines.good]
adapter = "tools/good.py"

[assets."good/1"]
engine = "good"
seed = 1
size = [8, 6]

[assets."good/2"]
engine = "good"
seed = 2
size = [8, 6]

[assets."thumbs/1"]
from = "good/1"
finish = [{ resize = [4, 3] }]
"""


class ZooGame(Game):
    """A project; each row of the zoo is an engine, an asset that goes wrong, perhaps one that does not."""

    def __init__(self, folder: Path, rows: Collection[Row]) -> None:
        super().__init__(folder / "game", folder / "cache")
        self.mark = str(folder)
        self.rows = rows
        self.said = folder / "said.txt"
        """What the build said on stderr."""
        self.printed = folder / "printed.txt"
        self._able = {row.me for row in rows if row.lost}
        """Those whose pictures are fit all the same."""
        self._said: dict[str, str] = {}
        self._well: list[str] = []
        tools = self.folder / "tools"
        for file in ("draw.py", "good.py"):
            shutil.copy(ROOT / "tests" / "zoo" / file, tools)
        self._card("good")

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, MARK: self.mark}

    @property
    def private(self) -> Path:
        return self.folder / ".artlock"

    @property
    def names(self) -> list[str]:
        """Every asset."""
        return sorted([*GOOD, *(f"bad/{row.me}" for row in self.rows), *(f"well/{me}" for me in self._well)])

    def log(self, row: Row) -> Path:
        return self.private / "logs" / f"{row.me}.log"

    def _card(
        self,
        name: str,
        load_seconds: float = 600,
        render_seconds: float = 600,
        memory: str = "",
        table: str = "parameters",
    ) -> None:
        head = CARD.format(name=name, load_seconds=load_seconds, render_seconds=render_seconds)
        head += f'memory = "{memory}"\n' if memory else ""
        (self.folder / "tools" / f"{name}.toml").write_text(head + SAID.format(table=table))

    def release(self, *, stuck: bool, patience: float, also_well: bool) -> None:
        """Let the animals in: each misbehaves, and hangs then if `stuck`."""
        engines = ""
        for row in self.rows:
            shutil.copy(ROOT / "tests" / "zoo" / f"{row.animal}.py", self.folder / "tools" / f"{row.me}.py")
            said = f'act = "{row.act}"\nstuck = {str(stuck).lower()}\n'
            engines += f'\n[engines.{row.me}]\nadapter = "tools/{row.me}.py"\n'
            if row.loads:
                self._card(row.me, patience, patience, table="settings")
                engines += said
            else:
                self._card(row.me, 600, patience, row.memory)
                self._said[row.me] = said.strip().replace("\n", ", ")
        self._well = [row.me for row in self.rows if also_well and not row.loads]
        self._write(engines, {row.me: row.me for row in self.rows})

    def mend(self) -> None:
        """Do what a person does who reads the messages: have another engine make what could not be made."""
        engines = "".join(f'\n[engines.{me}]\nadapter = "tools/{me}.py"\n' for me in self._able)
        self._write(engines, {row.me: row.me if row.me in self._able else "good" for row in self.rows})

    def _write(self, engines: str, makers: Mapping[str, str]) -> None:
        bad = [
            _asset(f"bad/{me}", maker, self._said.get(me, "") if maker == me else "")
            for me, maker in makers.items()
        ]
        # One whose pictures are fit all the same goes on with its misdeed.
        well = [
            _asset(f"well/{me}", makers[me], self._said[me] if me in self._able else "") for me in self._well
        ]
        (self.folder / "assets.toml").write_text("".join([HEAD, engines, *bad, *well]))

    def launch(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a build whose words go into files: nobody has to read them for it to go on."""
        with self.printed.open("wb") as out, self.said.open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "buildsys", "build", "--json", "-j", "12", *words],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def told(self) -> str:
        """What the build said so far."""
        return self.said.read_text(encoding="utf-8")

    def at_work(self, told: str) -> str:
        """What of the zoo is not there yet where all are to misbehave at once; empty once all do."""
        missing = [name for name in GOOD if not _line("built", name, told)]
        for row in self.rows:
            if row.told:
                arrived = _line("failed", f"bad/{row.me}:", told)
            elif row.lost:
                arrived = _line("built", f"bad/{row.me}", told)
            else:
                arrived = self.log(row).is_file() and b"stuck" in self.log(row).read_bytes()
            if not arrived:
                missing.append(row.me)
        return " ".join(missing)

    def left_over(self) -> list[str]:
        """What lies in the checkout's private folder and does not belong there."""
        return sorted({path.name for path in self.private.iterdir()} - BELONGS)

    def locked(self) -> dict[str, str]:
        """The digest of each file that the lock records, by asset."""
        lock = self.folder / "assets.lock"
        assets = tomllib.loads(lock.read_text(encoding="utf-8"))["assets"] if lock.exists() else {}
        return {name: entry["file"] for name, entry in assets.items()}

    def placed(self) -> dict[str, str]:
        """The same, of what really lies in `out`."""
        return {
            name.removesuffix(".png"): hashlib.sha256(data).hexdigest()
            for name, data in self.outputs().items()
        }


def _asset(name: str, engine: str, said: str = "") -> str:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:2], "big")
    text = f'\n[assets."{name}"]\nengine = "{engine}"\nseed = {seed}\nsize = [8, 6]\n'
    return text + f"parameters = {{ {said} }}\n" if said else text


def _line(word: str, name: str, told: str) -> bool:
    return re.search(rf"\b{word} +{re.escape(name)}(\s|$)", told) is not None


def wait_until(nothing_missing: Callable[[], str], process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until `nothing_missing` says so with an empty text, while `process` lives."""
    deadline = time.monotonic() + SECONDS
    while missing := nothing_missing():
        assert process is None or process.poll() is None, f"it ended before its time; missing: {missing}"
        assert time.monotonic() < deadline, f"still missing: {missing}"
        time.sleep(0.02)


def troubles(told: str) -> Mapping[str, tuple[str, list[str], str]]:
    """Message, log lines and hint of each failure, as the end of a build tells them."""
    found = {}
    for block in re.split(r"^(?=failed  )", told, flags=re.MULTILINE)[1:]:
        lines = block.splitlines()
        name, _, message = lines[0].removeprefix("failed  ").partition(": ")
        log = [line.removeprefix("    | ") for line in lines if line.startswith("    | ")]
        hint = next((line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")), "")
        found[name] = (message, log, hint)
    return found
