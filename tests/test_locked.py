"""`build --locked`: fails if the lock would change, before anything is made where that can be known."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from game import Game
from moods import Studio

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "x"
    seed = 3
    size = [40, 24]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(ASSETS)
    made.build()
    made.made()
    return made


def test_a_renamed_engine_is_told_before_anything_is_made(game: Game) -> None:
    manifest = game.folder / "assets.toml"
    manifest.write_text(
        manifest.read_text().replace("[engines.noise]", "[engines.twin]").replace('"noise"\n', '"twin"\n')
    )
    lock = game.lock()
    shutil.rmtree(game.folder / "out")
    shutil.rmtree(game.cache)
    told = game.run("build", "--locked", code=1).stderr
    assert told == (
        "error: the lock would change:\n  hero: engine: noise → twin\n\n"
        "hint: run `artlock build` without `--locked`\n"
    )
    assert game.made() == []
    assert game.lock() == lock


def test_what_comes_out_otherwise_is_not_placed(game: Game) -> None:
    lock = game.lock()
    adapter = game.folder / "tools" / "noise.py"
    adapter.write_text(adapter.read_text().replace('{request.prompt}"', '{request.prompt}!"'))
    shutil.rmtree(game.folder / "out")
    shutil.rmtree(game.cache)
    found = game.build("--locked", code=1)
    assert found["reasons"] == {"hero": "`hero` came out other than the lock says"}
    assert game.outputs() == {}
    assert game.lock() == lock
    # Now the store knows the other picture: that is told at once.
    game.made()
    told = game.run("build", "--locked", code=1).stderr
    assert "hero: its picture is lost, and the store knows another of its recipe" in told
    assert game.made() == []


def test_assets_that_are_not_named_may_go(game: Game) -> None:
    lock = game.lock()
    game.write(ASSETS + ASSETS.replace("hero", "wall"))
    game.build()
    both = game.lock()
    game.write(ASSETS)
    assert "wall: the manifest no longer has it" in game.run("build", "--locked", code=1).stderr
    assert game.build("--locked", "hero")["fresh"] == ["hero"]
    assert game.lock() == both != lock


def test_placeholders_would_change_it(game: Game) -> None:
    told = game.run("build", "--locked", "--placeholders", code=2).stderr
    assert (
        told
        == "error: `--locked` and `--placeholders` exclude each other\n\nhint: leave one of the two away\n"
    )


def test_a_stand_ins_picture_is_asked_of_the_stand_in(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.engines(alpha='fallback = ["beta"]\n')
    studio.told(alpha="refused")
    studio.build()
    pictures, lock = studio.outputs(), studio.lock()
    shutil.rmtree(studio.cache)
    shutil.rmtree(studio.folder / "out")
    studio.asked()
    studio.told()
    assert studio.build("--locked")["built"] == ["hero"]
    assert studio.asked() == ["beta hero"]
    assert (studio.outputs(), studio.lock()) == (pictures, lock)
