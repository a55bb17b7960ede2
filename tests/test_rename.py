"""Renames: no engine is asked for what the lock has under another name; what was said of it goes along."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

import pytest
from crash_kit import die, twin
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
    told = game.run("plan").stdout
    assert "restore   knight  renamed from `hero`\n" in told
    assert "orphan    hero: is `knight` now: its entry goes, and its file if nobody changed it\n" in told
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
    # Nothing is left in the old place, nor in the lock.
    assert game.run("clean", "--yes").stdout == "nothing to clean\n"
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


def test_one_file_moved_for_git_and_for_a_reviewer(game: Game) -> None:
    game.commit()
    game.write(ASSETS.format(name="knight"))
    game.build()
    game.git("add", "--all")
    status = game.git("status", "--porcelain").splitlines()
    assert [line for line in status if "out/" in line] == [
        "R  out/hero.png -> out/knight.png",
        "R  out/hero@2x.png -> out/knight@2x.png",
    ]
    assert game.run("check", "--staged").returncode == 0
    changes = json.loads(game.run("diff", "--staged", "--no-pictures", "--json").stdout)["changes"]
    assert [(change["name"], change["kind"]) for change in changes if change["name"] != "small"] == [
        ("knight", "renamed"),
        ("knight@1x", "renamed"),
    ]


def test_an_old_file_that_a_person_changed_stays(game: Game) -> None:
    small = game.outputs()["small.png"]
    (game.folder / "out" / "hero@2x.png").write_bytes(small)
    game.write(ASSETS.format(name="knight"))
    assert game.build()["restored"] == ["knight", "knight@1x"]
    assert game.outputs()["hero@2x.png"] == small
    assert [*load(game.folder / "assets.lock").records] == ["hero", "knight", "knight@1x", "small"]
    assert game.run("clean", "--yes").stdout.startswith("keep    out/hero@2x.png")


def test_an_old_file_that_another_asset_is_made_from_stays(game: Game) -> None:
    manifest = game.folder / "assets.toml"
    head = manifest.read_text().partition("[assets.")[0]
    copied = """
[engines.copy]
adapter = "command"
run = ["cp", "{input.paper}", "{output}"]

[assets.copy]
engine = "copy"
size = [8, 8]
parameters = { inputs = { paper = "out/hero.png" } }
"""
    manifest.write_text(manifest.read_text() + copied)
    assert game.build()["built"] == ["copy"]
    manifest.write_text(head + ASSETS.format(name="knight") + copied)
    game.build()
    assert sorted(game.outputs()) == ["copy.png", "hero.png", "knight.png", "knight@2x.png", "small.png"]
    assert "hero@1x" in load(game.folder / "assets.lock").records


def test_a_build_of_some_follows_as_well(game: Game) -> None:
    game.write(ASSETS.format(name="knight"))
    game.build("knight")
    assert sorted(game.outputs()) == ["knight.png", "knight@2x.png", "small.png"]
    assert [*load(game.folder / "assets.lock").records] == ["knight", "knight@1x", "small"]
    assert game.build().keys() == {"fresh"}
    assert game.made() == []
    assert game.run("check").returncode == 0


def test_killed_between_the_lock_and_the_old_files(game: Game, tmp_path: Path) -> None:
    game.write(ASSETS.format(name="knight"))
    whole = twin(game, tmp_path / "whole")
    _, steps = die(whole, 0)
    found = [step.split(maxsplit=2) for step in steps]
    removals = [int(number) for number, what, path in found if what == "os.remove" and "/out/" in path]
    written = max(
        int(number) for number, what, path in found if what == "os.rename" and "game/.artlock-" in path
    )
    assert written < min(removals)
    for fatal in (written, *removals):
        killed = twin(game, tmp_path / str(fatal))
        assert die(killed, fatal)[0] == -9
        assert whole.outputs().items() <= killed.outputs().items()
        shutil.rmtree(killed.cache)
        killed.build()
        killed.run("clean", "--yes")
        assert (killed.outputs(), killed.lock()) == (whole.outputs(), whole.lock())
        assert killed.made() == []


def test_there_and_back(game: Game) -> None:
    before = game.outputs()
    game.run("approve", "hero", "--by", "Ada <a@x>")
    for name in ("knight", "hero"):
        game.write(ASSETS.format(name=name))
        game.build()
    assert (game.made(), game.outputs()) == ([], before)
    assert load(game.folder / "assets.lock").is_approved(AssetName("hero"))


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
