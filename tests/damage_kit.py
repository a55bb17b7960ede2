"""A small built project whose files are damaged: cut at every length, and with a bit flipped in every byte.

`HYPOTHESIS_PROFILE=thorough` flips every bit, and carries each damage through a whole build.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import graph_noise
import msgspec
from quick_pool import QuickPool

from buildsys.cli import main
from buildsys.errors import Exit
from buildsys.lock.model import Approval
from buildsys.lock.read import load
from buildsys.lock.write import save
from buildsys.make import schedule
from buildsys.make.build import Outcome
from buildsys.manifest.model import AssetName
from buildsys.session import Session
from buildsys.workbench import Workbench

_Item = TypeVar("_Item")

THOROUGH: Final = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
SEED: Final = "artlock"
"""The same damage in every run, so that one that fails can be looked at."""

MANIFEST: Final = """\
[project]
name = "game"

[engines.noise]
adapter = "noise.py"

[assets.hero]
engine = "noise"
prompt = "a knight"
seed = 7
size = [8, 8]

[assets.icon]
from = "hero"
finish = [{ resize = [4, 4] }]
"""


class Checkout:
    """Two assets, built once; `right` are their pictures."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "game"
        self.root.mkdir()
        self.store = folder / "store"
        kit = Path(graph_noise.__file__)
        for suffix in (".py", ".toml"):
            shutil.copy(kit.with_suffix(suffix), self.root / f"noise{suffix}")
        (self.root / "assets.toml").write_text(MANIFEST)
        self.lock = self.root / "assets.lock"
        self.index = self.root / ".artlock" / "index"
        self.note = self.root / ".artlock" / "placed"
        self.journal = self.root / ".artlock" / "journal.db"
        outcome = self.build()
        assert outcome.built == ("hero", "icon")
        self.right = self.pictures()
        self.sound = self.lock.read_bytes()

    def judge(self) -> None:
        """Have one picture approved and the other one frozen."""
        lock = load(self.lock)
        hero, icon = (lock.records[AssetName(name)] for name in ("hero", "icon"))
        approval = Approval(pixels=hero.picture.pixels, by="Ada <ada@example.org>")
        said = msgspec.structs.replace(
            lock, approvals={hero.name: approval}, frozen={icon.name: icon.picture.file}
        )
        save(self.lock, said)
        self.sound = self.lock.read_bytes()

    def build(self) -> Outcome:
        """A build by the real code, engines included, but in this process."""
        hire = partial(QuickPool, order=0, asked=lambda *_: None)
        with Workbench(Session.open(self.root), None, jobs=1, hire=hire) as bench:
            return bench.build.run(schedule.threads_for(1), bench.pool.stop)

    def pictures(self) -> Mapping[str, bytes]:
        """What lies in the output folder, without what a killed write leaves behind."""
        return {path.name: path.read_bytes() for path in sorted((self.root / "out").glob("*.png"))}

    def mend(self, *, pictures: bool = True) -> None:
        """Put the lock back, and the pictures (or take them away)."""
        self.lock.write_bytes(self.sound)
        for name, data in self.right.items():
            file = self.root / "out" / name
            if not pictures:
                file.unlink(missing_ok=True)
            elif not file.exists() or file.read_bytes() != data:
                file.write_bytes(data)

    def run(self, *words: str) -> tuple[int, str]:
        """A command in this process: its exit code and what it said; a bug of ours fails the test."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*words, "-C", str(self.root)])
        said = out.getvalue() + err.getvalue()
        assert code != Exit.BUG, said
        assert "Traceback" not in said
        if code == Exit.USAGE:
            assert "\n\nhint: " in said, said
        return code, said


def cuts(data: bytes) -> Iterator[bytes]:
    """`data` at every shorter length."""
    for length in range(len(data)):
        yield data[:length]


def flips(data: bytes) -> Iterator[bytes]:
    """`data` with one bit of one byte flipped: of every byte one, in thorough mode all eight."""
    chance = random.Random(SEED)  # noqa: S311 - which bit is no secret
    for at in range(len(data)):
        for bit in range(8) if THOROUGH else (chance.randrange(8),):
            yield data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def damaged(data: bytes) -> Iterator[bytes]:
    """All of both."""
    yield from cuts(data)
    yield from flips(data)


def some(items: Iterator[_Item], count: int) -> Sequence[_Item]:
    """`count` of `items`, the same in every run; in thorough mode all."""
    found = list(items)
    chance = random.Random(SEED)  # noqa: S311 - which of them is no secret
    return found if THOROUGH or len(found) <= count else chance.sample(found, count)
