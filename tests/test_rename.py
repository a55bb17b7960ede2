"""Renames: no engine is asked for what the lock has under another name; what was said of it goes along."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

import pytest
from game import Game

from buildsys.errors import Exit
from buildsys.lock.read import load
from buildsys.manifest.model import AssetName

ASSETS: Final = """
    [assets.{name}]
    role = "sprite"
    prompt = "a knight"
    seed = 1
    size = [16, 16]
    scales = [1, 2]

    [assets.small]
    from = "{name}"
    finish = [{{ resize = [8, 8] }}]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(ASSETS.format(name="hero"))
    game.build()
    game.made()
    return game


def renamed(game: Game) -> dict[str, str | None]:
    return {step["name"]: step["renamed_from"] for step in json.loads(game.run("plan", "--json").stdout)}


@pytest.mark.parametrize("store", ["full", "empty"])
def test_nothing_is_made_for_a_rename(game: Game, store: str) -> None:
    """Also where neither the store nor git has the picture: it lies in its old place."""
    before = game.outputs()
    game.run("approve", "hero", "--by", "Ada <a@x>")
    game.run("freeze", "hero@1x")
    if store == "empty":
        shutil.rmtree(game.cache)
    game.write(ASSETS.format(name="knight"))
    assert renamed(game) == {"knight": "hero", "knight@1x": "hero@1x", "small": None}
    assert "restore   knight  renamed from `hero`\n" in game.run("plan").stdout
    found = game.build()
    assert found["restored"] == ["knight", "knight@1x"]
    assert found["fresh"] == ["small"]
    assert game.made() == []
    after = game.outputs()
    assert (after["knight.png"], after["knight@2x.png"]) == (before["hero.png"], before["hero@2x.png"])
    lock = load(game.folder / "assets.lock")
    assert lock.is_approved(AssetName("knight"))
    assert "knight@1x" in lock.frozen
    assert "hero@1x" not in lock.frozen
    assert lock.records[AssetName("small")].paths == {"image": "asset:knight"}
    # What was left in the old place goes as ever.
    assert game.run("clean", "--yes").stdout == "remove  out/hero.png\nremove  out/hero@2x.png\n"
    assert sorted(game.outputs()) == ["knight.png", "knight@2x.png", "small.png"]
    assert game.run("check").returncode == 0
    assert [*load(game.folder / "assets.lock").records] == ["knight", "knight@1x", "small"]


def test_a_picture_that_was_moved_along(game: Game) -> None:
    shutil.rmtree(game.cache)
    out = game.folder / "out"
    for path in sorted(out.glob("hero*")):
        path.rename(out / path.name.replace("hero", "knight"))
    game.write(ASSETS.format(name="knight"))
    assert game.build()["restored"] == ["knight", "knight@1x"]
    assert (game.made(), sorted(game.outputs())) == ([], ["knight.png", "knight@2x.png", "small.png"])
    assert game.run("check").returncode == 0


def test_another_output_folder(game: Game) -> None:
    before = game.outputs()
    shutil.rmtree(game.cache)
    manifest = game.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace('name = "test"', 'name = "test"\nout = "art"'))
    assert game.build()["restored"] == ["hero", "hero@1x", "small"]
    assert game.made() == []
    assert {path.name: path.read_bytes() for path in (game.folder / "art").iterdir()} == before


def test_the_lock_would_change(game: Game) -> None:
    game.write(ASSETS.format(name="knight"))
    done = game.run("build", "--locked", code=Exit.FAILED)
    assert "\n  knight: renamed from `hero`\n" in done.stderr
    found = json.loads(game.run("check", "--json", code=Exit.FAILED).stdout)
    assert {item["name"]: item["kind"] for item in found["differences"]} == {
        "knight": "new",
        "knight@1x": "new",
    }


def test_where_the_bytes_are_gone_it_is_made_as_new(game: Game) -> None:
    shutil.rmtree(game.cache)
    shutil.rmtree(game.folder / "out")
    game.write(ASSETS.format(name="knight"))
    assert set(renamed(game).values()) == {None}
    assert game.build()["built"][0] == "knight"
    assert game.made() == ["knight"]


def test_a_person_s_file_in_the_new_place_is_kept(game: Game) -> None:
    game.write(ASSETS.format(name="knight"))
    small = game.outputs()["small.png"]
    (game.folder / "out" / "knight@2x.png").write_bytes(small)
    assert game.build()["edited"] == ["knight"]
    assert game.outputs()["knight@2x.png"] == small


def test_a_changed_recipe_is_another_asset(game: Game) -> None:
    game.write(ASSETS.format(name="knight").replace("a knight", "a horse"))
    assert set(renamed(game).values()) == {None}


SWAP = """
    [assets.{one}]
    role = "sprite"
    prompt = "a knight"
    seed = 1
    size = [16, 16]

    [assets.{two}]
    role = "sprite"
    prompt = "a horse"
    seed = 1
    size = [16, 16]
"""


def test_names_that_are_swapped_or_handed_on(tmp_path: Path) -> None:
    """No name is gone from the manifest, and yet no engine is asked; approvals go with the pictures."""
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(SWAP.format(one="a", two="b"))
    game.build()
    before = game.outputs()
    game.run("approve", "a", "--by", "Ada <a@x>")
    game.run("approve", "b", "--by", "Grace <g@x>")
    game.made()
    for one, two in (("b", "a"), ("c", "b")):
        game.write(SWAP.format(one=one, two=two))
        assert not {"built", "failed"} & game.build().keys()
        outputs = game.outputs()
        assert (outputs[f"{one}.png"], outputs[f"{two}.png"]) == (before["a.png"], before["b.png"])
        approvals = load(game.folder / "assets.lock").approvals
        assert approvals[AssetName(one)].by == "Ada <a@x>"
        assert approvals[AssetName(two)].by == "Grace <g@x>"
    assert game.made() == []


def test_a_swap_with_an_empty_store(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(SWAP.format(one="a", two="b"))
    game.build()
    before = game.outputs()
    game.made()
    shutil.rmtree(game.cache)
    game.write(SWAP.format(one="b", two="a"))
    assert sorted(game.build()["restored"]) == ["a", "b"]
    assert game.outputs() == {"a.png": before["b.png"], "b.png": before["a.png"]}
    assert game.made() == []
