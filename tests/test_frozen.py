"""`build --frozen`: what the lock says, whatever the manifest says, or an error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from game import Game

from buildsys.lock.model import Lock
from buildsys.lock.read import load
from buildsys.lock.write import save
from buildsys.manifest.model import AssetName

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "x"
    seed = 3
    size = [40, 24]
    scales = [1, 2]

    [assets.small]
    from = "hero"
    finish = [{ resize = [20, 12] }]
"""
BROKEN = "[assets.hero\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder = tmp_path_factory.mktemp("made")
    game = Game(folder / "game", folder / "cache")
    game.write(ASSETS)
    game.build()
    return game


@pytest.fixture
def game(made: Game, tmp_path: Path) -> Game:
    for part in ("game", "cache"):
        shutil.copytree(made.folder.parent / part, tmp_path / part)
    copied = Game.lying(tmp_path / "game", tmp_path / "cache", made.count)
    copied.made()
    return copied


def test_from_the_lock_alone(game: Game) -> None:
    lock, pictures = game.lock(), game.outputs()
    shutil.rmtree(game.folder / "out")
    (game.folder / "assets.toml").unlink()
    assert sorted(game.build("--frozen")["restored"]) == ["hero", "hero@1x", "small"]
    assert game.outputs() == pictures
    # Without a store it is made, by the engine that made it, and in the order in which it was.
    shutil.rmtree(game.folder / "out")
    shutil.rmtree(game.cache)
    (game.folder / "assets.toml").write_text(BROKEN)
    assert sorted(game.build("--frozen")["built"]) == ["hero", "hero@1x", "small"]
    assert game.outputs() == pictures
    assert game.lock() == lock
    assert sorted(game.build("--frozen")["fresh"]) == ["hero", "hero@1x", "small"]


def test_the_manifest_has_no_say(game: Game) -> None:
    lock, pictures = game.lock(), game.outputs()
    game.write(
        ASSETS.replace("seed = 3", "seed = 4") + ASSETS.replace("hero", "other").split("[assets.small]")[0]
    )
    (game.folder / "out" / "hero@2x.png").unlink()
    found = game.build("--frozen", "hero")
    assert (found["restored"], found["fresh"]) == (["hero"], ["hero@1x"])
    assert (game.lock(), game.outputs()) == (lock, pictures)


def test_what_comes_out_otherwise_is_not_placed(game: Game) -> None:
    lock = game.lock()
    shutil.rmtree(game.folder / "out")
    shutil.rmtree(game.cache)
    adapter = game.folder / "tools" / "noise.py"
    adapter.write_text(adapter.read_text().replace('{request.prompt}"', '{request.prompt}!"'))
    found = game.build("--frozen", code=1)
    assert found["failures"]["hero"]["message"] == "`hero` came out other than the lock says"
    assert found["failures"]["hero"]["hint"] == "run `artlock build` without `--frozen`"
    assert game.outputs() == {}
    assert game.lock() == lock
    # Mended, it is drawn anew: what the store knows by now of the recipe is the other picture.
    adapter.write_text(adapter.read_text().replace('{request.prompt}!"', '{request.prompt}"'))
    assert "failed" not in game.build("--frozen")


def test_an_engine_that_makes_none_twice_is_not_asked(game: Game) -> None:
    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace('"bitwise"', '"none"'))
    # With what it handed over, its finishing is all there is to do.
    pictures = game.outputs()
    lock = load(game.folder / "assets.lock")
    for name in lock.records:
        digest = lock.records[name].picture.file
        (game.cache / "v1" / "objects" / digest[:2] / digest[2:]).unlink(missing_ok=True)
    shutil.rmtree(game.folder / "out")
    game.build("--frozen")
    assert game.outputs() == pictures
    assert game.made() == []
    shutil.rmtree(game.folder / "out")
    shutil.rmtree(game.cache)
    found = game.build("--frozen", code=1)
    assert found["reasons"]["hero"] == (
        "its picture is in neither the store nor git, and `noise` makes none twice"
    )
    assert game.made() == []


def test_a_file_changed_by_hand_is_kept(game: Game) -> None:
    painted = game.folder / "out" / "hero@2x.png"
    whole = painted.read_bytes()
    painted.write_bytes(b"by hand")
    assert game.build("--frozen")["edited"] == ["hero"]
    assert painted.read_bytes() == b"by hand"
    assert game.build("--frozen", "--force", "hero")["restored"] == ["hero"]
    assert painted.read_bytes() == whole


def test_a_circle_in_a_strangers_lock_is_no_endless_loop(game: Game) -> None:
    game.forge('paths.image = "asset:hero"', 'paths.image = "asset:small"')
    shutil.rmtree(game.folder / "out")
    assert "restored" in game.build("--frozen")


def test_the_plan_of_a_frozen_build(game: Game) -> None:
    (game.folder / "out" / "small.png").unlink()
    (game.folder / "assets.toml").write_text(BROKEN)
    found = json.loads(game.run("build", "--frozen", "--dry-run", "--json").stdout)
    assert {item["name"]: item["verdict"] for item in found} == {
        "hero": "fresh",
        "hero@1x": "fresh",
        "small": "restore",
    }
    assert not (game.folder / "out" / "small.png").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--locked"], "argument --locked: not allowed with argument --frozen"),
        (["--placeholders"], "`--frozen` and `--placeholders` exclude each other"),
        (["--rebuild"], "`--frozen` and `--rebuild` exclude each other"),
        (["hera"], "asset `hera` is not in the lock\n\nhint: did you mean `hero`?"),
    ],
)
def test_what_is_wrong_is_said(game: Game, words: list[str], message: str) -> None:
    assert message in game.run("build", "--frozen", *words, code=2).stderr


def test_without_a_lock(game: Game) -> None:
    (game.folder / "assets.lock").unlink()
    told = game.run("build", "--frozen", code=2).stderr
    assert told == (
        "error: there is no `assets.lock` to build from\n\nhint: run `artlock build` without `--frozen`\n"
    )
    save(game.folder / "assets.lock", Lock())
    assert game.build("--frozen").keys() <= {"seconds"}
    assert load(game.folder / "assets.lock").records.get(AssetName("hero")) is None
