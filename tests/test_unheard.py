"""Whoever reads what a command says may leave early, as `head` does: no more words, no false success."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from game import Game

from buildsys.errors import Exit

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "knight"
    seed = 1
    size = [32, 32]
"""
SAYING = [
    "--help",
    "plan",
    "status --json",
    "check --json",
    "check --staged",
    "diff --json",
    "log hero --json",
    "audit --format jsonl",
    "audit --format csv",
    "schema",
]
REFUSED = ["nothing --json", "diff nowhere --json"]


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder = tmp_path_factory.mktemp("unheard")
    made = Game(folder / "game", folder / "cache")
    made.write(ASSETS)
    made.build()
    made.commit()
    return made


def left(game: Game, words: str, *, unbuffered: bool = False, both: bool = False) -> tuple[int, str]:
    """Exit code and complaints of a command whose reader is gone, of `both` streams if told so."""
    reading, writing = os.pipe()
    os.close(reading)
    environ = {key: value for key, value in game.environ.items() if key != "PYTHONUNBUFFERED"}
    if unbuffered:
        environ["PYTHONUNBUFFERED"] = "1"
    with os.fdopen(writing) as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "buildsys", *words.split()],
            cwd=game.folder,
            env=environ,
            stdout=pipe,
            stderr=pipe if both else subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
    return done.returncode, done.stderr or ""


@pytest.mark.parametrize("words", SAYING)
def test_what_fits_the_buffer_ends_as_ever(game: Game, words: str) -> None:
    code, told = left(game, words)
    assert (code in {Exit.FINE, Exit.UNHEARD}, told) == (True, "")


@pytest.mark.parametrize("words", ["plan", "check --json", "audit --format csv"])
def test_what_is_cut_off_is_no_success(game: Game, words: str) -> None:
    assert left(game, words, unbuffered=True) == (Exit.UNHEARD, "")


@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize("words", REFUSED)
def test_a_refusal_is_told_to_the_person_alone(game: Game, words: str, *, unbuffered: bool) -> None:
    code, told = left(game, words, unbuffered=unbuffered)
    assert code == Exit.USAGE
    assert told == game.run(*words.split(), code=Exit.USAGE).stderr


@pytest.mark.parametrize("words", REFUSED)
def test_a_refusal_that_nobody_hears_keeps_its_exit_code(game: Game, words: str) -> None:
    assert left(game, words, both=True) == (Exit.USAGE, "")


def test_a_difference_keeps_its_exit_code(game: Game, tmp_path: Path) -> None:
    copy = game.copied(tmp_path)
    (copy.folder / "out" / "hero.png").unlink()
    assert left(copy, "check --json") == (Exit.MISSING, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_refusal_on_a_full_disk_is_told_to_the_person(game: Game) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "buildsys", "nothing", "--json"],
            cwd=game.folder,
            env=game.environ,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.count("error:")) == (Exit.USAGE, 1)
    assert "Traceback" not in done.stderr
