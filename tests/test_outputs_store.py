"""`outputs = "store"`: finished files are in no git, and come from the store or its remote."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from game import Game

from buildsys.digest import of_bytes
from buildsys.errors import Exit

ASSETS = """\
[assets.hero]
role = "sprite"
seed = 1
size = [16, 16]

[assets.icon]
from = "hero"
finish = [{ resize = [8, 8] }]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "remote"
    folder.mkdir()
    return folder


@pytest.fixture
def game(tmp_path: Path, folder: Path) -> Game:
    """Built, pushed and committed, but for `out/`."""
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(f'{ASSETS}\n[remote]\nurl = "{folder.as_uri()}"\nwrite = true\n')
    manifest = game.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace('name = "test"\n', 'name = "test"\noutputs = "store"\n'))
    game.build()
    game.run("push")
    game.git("init", "--quiet", "--initial-branch=main")
    (game.folder / ".gitignore").write_text(".artlock/\n/out/\n__pycache__/\n")
    game.commit()
    game.made()
    return game


def clone(game: Game, tmp_path: Path, *, able: bool = False) -> Game:
    """A fresh clone with an empty store; its engine ends the process loudly, unless it is `able`."""
    game.git("clone", "--quiet", str(game.folder), str(tmp_path / "clone"))
    assert not (tmp_path / "clone" / "out").exists()
    fresh = Game.lying(tmp_path / "clone", tmp_path / "empty", game.count)
    if not able:
        (fresh.folder / "tools" / "noise.py").write_text("raise SystemExit('the engine was started')\n")
    return fresh


def test_a_fresh_clone_is_restored_without_an_engine(tmp_path: Path, game: Game) -> None:
    fresh = clone(game, tmp_path)
    assert "2 assets checked: manifest, lock and files agree" in fresh.run("check").stdout
    found = fresh.build()
    assert sorted(found.pop("restored")) == sorted(found.pop("remote")) == ["hero", "icon"]
    assert found == {}
    database = sqlite3.connect(fresh.folder / ".artlock" / "journal.db")
    assert database.execute("SELECT count(*) FROM worker").fetchall() == [(0,)]
    database.close()
    for name in ("hero.png", "icon.png"):
        assert (fresh.folder / "out" / name).read_bytes() == (game.folder / "out" / name).read_bytes()
    assert fresh.git("status", "--porcelain") == " M tools/noise.py\n"
    fresh.run("check", "--full")


def test_an_edited_file_is_a_difference_and_a_missing_one_is_none(game: Game) -> None:
    (game.folder / "out" / "hero.png").unlink()
    assert json.loads(game.run("check", "--json").stdout)["agree"] is True
    shutil.copyfile(game.folder / "out" / "icon.png", game.folder / "out" / "hero.png")
    found = json.loads(game.run("check", "--json", code=1).stdout)
    assert ("hero", "edited") in [(item["name"], item["kind"]) for item in found["differences"]]


def test_a_changed_recipe_is_a_difference_without_the_file(tmp_path: Path, game: Game) -> None:
    fresh = clone(game, tmp_path)
    manifest = fresh.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace("[8, 8]", "[4, 4]"))
    found = json.loads(fresh.run("check", "--json", code=Exit.RECIPE).stdout)
    assert [(item["name"], item["kind"]) for item in found["differences"]] == [("icon", "recipe")]


def test_what_nobody_has_is_made_again_and_told(tmp_path: Path, game: Game, folder: Path) -> None:
    shutil.rmtree(folder / "v1")
    fresh = clone(game, tmp_path, able=True)
    done = fresh.run("build")
    assert "note: the remote lacks 2 of 2 files that the lock names" in done.stderr
    assert fresh.made() == ["hero"]
    assert fresh.git("status", "--porcelain") == ""


def test_without_a_remote_it_is_told_before_anything_is_made_again(tmp_path: Path, game: Game) -> None:
    fresh = clone(game, tmp_path, able=True)
    manifest = fresh.folder / "assets.toml"
    manifest.write_text(re.sub(r"(?ms)^\[remote\]\n.*?(?=^\[|\Z)", "", manifest.read_text()))
    said = fresh.run("build").stderr
    told = (
        'note: 2 pictures of the lock are not on this machine, and made again: with `outputs = "store"`, '
        "git does not keep them, and there is no `[remote]` to ask\n\n"
        "hint: declare `[remote]`, then run `artlock push` where they are\n"
    )
    assert told in said
    assert said.index(told) < said.index("hero", said.index(told) + len(told))
    assert fresh.made() == ["hero"]
    # What is made anew on purpose, and what is there, is not told of.
    assert "[remote]" not in fresh.run("build", "--rebuild").stderr
    assert "[remote]" not in fresh.run("build").stderr


def test_a_poisoned_picture_is_told_once(tmp_path: Path, game: Game, folder: Path) -> None:
    picture = of_bytes((game.folder / "out" / "hero.png").read_bytes())
    place = folder / "v1" / "objects" / picture[:2] / picture[2:]
    place.chmod(0o644)
    place.write_bytes(b"a picture of something else")
    said = clone(game, tmp_path, able=True).run("build").stderr
    assert said.count(f"note: refused {place.as_uri()}: its bytes are not those of its name") == 1
    assert "lacks" not in said


@pytest.fixture
def alone(game: Game) -> Game:
    """Without a remote."""
    manifest = game.folder / "assets.toml"
    manifest.write_text(re.sub(r"(?ms)^\[remote\]\n.*?(?=^\[|\Z)", "", manifest.read_text()))
    return game


def test_an_edited_recipe_is_no_loss(alone: Game) -> None:
    """Of `icon` it is not known before `hero` is made what it is made from; but nothing is lost."""
    manifest = alone.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace("seed = 1", "seed = 2"))
    assert "[remote]" not in alone.run("build").stderr
    assert alone.made() == ["hero"]


def test_what_is_made_from_a_new_picture_is_no_loss_though_its_file_is_gone(
    tmp_path: Path, alone: Game
) -> None:
    fresh = Game.lying(alone.folder, tmp_path / "empty", alone.count)
    shutil.rmtree(fresh.folder / "out")
    manifest = fresh.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace("seed = 1", "seed = 2"))
    assert "[remote]" not in fresh.run("build").stderr


def test_what_the_store_still_has_is_no_loss(tmp_path: Path, alone: Game) -> None:
    fresh = Game.lying(alone.folder, tmp_path / "empty", alone.count)
    (fresh.folder / "out" / "hero.png").unlink()
    assert "note: 1 picture of the lock is not on this machine" in fresh.run("build").stderr
    assert fresh.git("status", "--porcelain") == " M assets.toml\n"


def test_init_keeps_outputs_out_of_git(tmp_path: Path, game: Game) -> None:
    folder = tmp_path / "new"
    assert "then commit `assets.lock`" in game.run("init", "--outputs", "store", str(folder)).stderr
    assert (folder / ".gitignore").read_text() == ".artlock/\n/out/\n"
    assert 'name = "new"\noutputs = "store"\n\n[roles]' in (folder / "assets.toml").read_text()
    assert "/out/" not in (folder / ".gitattributes").read_text()
