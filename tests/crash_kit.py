"""A small but whole game for crashes: what a build of it gives, and what must hold after one was killed."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from game import ROOT, Game

from buildsys.lock.read import load
from buildsys.plan.companions import files_of

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
"""Every step, hundreds of moments: half an hour and more. Otherwise a few of them."""

SECONDS = 60
"""What a test waits for at most: the machine may be busy."""

ASSETS = """
[assets.hero]
role = "sprite"
prompt = "a knight"
seed = 7
size = [8, 8]
candidates = 2
choose = "contrast"
gates = { flat = {} }

[assets.icon]
from = "hero"
finish = [{ resize = [4, 4] }]

[assets.gem]
role = "sprite"
prompt = "a gem"
seed = 3
size = [6, 6]

[assets.sheet]
pack = ["icon", "gem"]
formats = ["css"]
"""
"""An asset, a derived one, a set of candidates, gates, an atlas with a companion."""
CHANGED = ASSETS.replace("seed = 3", "seed = 4")
"""Another gem, so another atlas."""


class State:
    """What a whole build left: its files and its lock."""

    def __init__(self, game: Game) -> None:
        self.outputs = game.outputs()
        self.lock = game.lock()


def new_game(folder: Path, assets: str = ASSETS, *, cache: Path | None = None) -> Game:
    """A game in `folder`/game with a store of its own, or another's, whose 512 folders are there already."""
    game = Game(folder / "game", cache or folder / "cache")
    for kind in ("actions", "objects"):
        for number in range(256):
            (game.cache / "v1" / kind / f"{number:02x}").mkdir(parents=True, exist_ok=True)
    (game.cache / "v1" / "staging").mkdir(exist_ok=True)
    game.write(assets)
    return game


def launch(game: Game, *words: str) -> subprocess.Popen[bytes]:
    """A build that runs, in a process group of its own, and tells nobody."""
    return subprocess.Popen(
        [sys.executable, "-m", "buildsys", *(words or ("build", "-j", "1"))],
        cwd=game.folder,
        env=game.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def twin(game: Game, folder: Path) -> Game:
    """The same game, in the same state, elsewhere, with a copy of its store."""
    other = Game(folder / "game", folder / "cache")
    ours = shutil.ignore_patterns("tools")
    shutil.copytree(game.folder, other.folder, dirs_exist_ok=True, ignore=ours)
    shutil.copytree(game.cache, other.cache)
    return other


def die(game: Game, fatal: int, *words: str) -> tuple[int, list[str]]:
    """A build that is killed at a step: its exit status, and the steps that it took."""
    notes = game.folder.parent / "steps"
    notes.unlink(missing_ok=True)
    command = [sys.executable, str(ROOT / "tests" / "mortal_builder.py"), str(fatal), str(notes)]
    done = subprocess.run(
        [*command, str(game.folder.parent), *(words or ("build", "-j", "1"))],
        cwd=game.folder,
        env={**game.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode in {0, -9}, done.stderr.decode()
    return done.returncode, notes.read_text().splitlines()


def last_run(game: Game) -> int:
    """The number of the last run in the journal; 0: there is none."""
    return max((run for run, _, _ in _asked(game)), default=0)


def asked(game: Game, after: int) -> list[tuple[str, str]]:
    """Engine and key of each action that an engine was asked for, and answered, in the runs after one."""
    return [(engine, key) for run, engine, key in _asked(game) if run > after and key]


def _asked(game: Game) -> list[tuple[int, str, str]]:
    journal = game.folder / ".artlock" / "journal.db"
    query = "SELECT run.id, engine, coalesce(key, '') FROM run LEFT JOIN action ON run = run.id AND hit = 0"
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as opened:
            return opened.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []  # killed before there was one


def stored(game: Game) -> set[str]:
    """The keys of the actions whose results are in the store."""
    return {path.parent.name + path.name for path in (game.cache / "v1" / "actions").glob("??/*")}


def check_nothing_is_torn(game: Game, *states: State) -> None:
    """Each output is that of one of `states`, the lock reads, and every object is what its name says."""
    for name, data in game.outputs().items():
        if not Path(name).name.startswith(".artlock-"):
            assert data in [state.outputs.get(name) for state in states], name
    lock = load(game.folder / "assets.lock")
    for record in lock.records.values():
        for path in files_of(record):
            assert (game.folder / path).is_file(), "the lock tells of what is not there"
    for stored_at in (game.cache / "v1" / "objects").glob("??/*"):
        found = hashlib.sha256(stored_at.read_bytes()).hexdigest()
        assert found == stored_at.parent.name + stored_at.name


def check_the_next_build(game: Game, whole: State) -> None:
    """It gives what `whole` is, makes nothing that was made, and leaves nothing of the killed one."""
    wait_for_engines(game)
    known, before = stored(game), last_run(game)
    game.made()
    game.run("build", "-j", "1")
    assert game.outputs() == whole.outputs
    assert game.lock() == whole.lock
    now = asked(game, before)
    assert last_run(game) > before, "without its journal this would prove nothing"
    assert known.isdisjoint(key for _, key in now), "what was made was made again"
    assert len(game.made()) == sum(engine == "noise" for engine, _ in now), "more was made than was told"
    assert leftovers(game) == []


def wait_for_engines(game: Game) -> None:
    """Until none is left of a build that was killed: one may still note that it made a picture."""
    deadline = time.monotonic() + SECONDS
    while any(str(game.folder) in environ.get("TMPDIR", "") for environ in _environs()):
        assert time.monotonic() < deadline, "an engine outlives its builder"
        time.sleep(0.05)


def _environs() -> Iterator[dict[str, str]]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                yield process.environ()


def leftovers(game: Game) -> list[str]:
    """What a build that was killed left in the project."""
    private = game.folder / ".artlock"
    found = [*game.folder.rglob(".artlock-*"), *private.glob("run-*"), *private.glob("placed")]
    return [path.relative_to(game.folder).as_posix() for path in found]


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small disk of its own at `folder`; skips the test where mounting is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the right to mount a file system: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
