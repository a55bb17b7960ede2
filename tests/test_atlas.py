"""An atlas through the whole build: several files of one asset go everywhere that one file goes."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from game import Game
from pack_kit import read_godot

from engines import png

ASSETS = """
[assets."items/{color}"]
role = "sprite"
seed = 7
size = [9, 8]
prompt = "{color}"
matrix = { color = ["red", "green", "blue"] }

[assets."walk-{frame}"]
role = "sprite"
seed = 8
size = [5, 6]
prompt = "{frame}"
matrix = { frame = ["1", "2"] }

[assets."atlas/all"]
pack = ["walk-*", "items/*", "!items/green"]
formats = ["texturepacker", "godot"]
"""

FILES = ["atlas/all.json", "atlas/all.png", "atlas/all.tres"]


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(ASSETS)
    return made


def atlas(game: Game) -> dict[str, bytes]:
    """Its files; a temporary one that a killed build left is no file of anyone's."""
    return {name: data for name, data in game.outputs().items() if name.startswith("atlas/all")}


def spoil(game: Game, name: str) -> Path:
    path = game.folder / "out" / name
    path.write_bytes(path.read_bytes() + b"\n")
    return path


def status(game: Game) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(game.run("status", "--json").stdout)
    return found


def test_it_is_built_and_fresh_and_the_same_anywhere(game: Game, tmp_path: Path) -> None:
    assert "atlas/all" in game.build()["built"]
    assert sorted(atlas(game)) == FILES
    read = read_godot_of(game)
    assert sorted(read) == ["items/blue", "items/red", "walk-1", "walk-2"]
    for name, pixels in read.items():
        assert (pixels == png.rgba(png.decode(game.folder / "out" / f"{name}.png"))).all()
    lock = game.lock()
    assert len(game.build()["fresh"]) == 6
    assert game.lock() == lock
    assert game.run("check").returncode == 0
    other = Game(tmp_path / "other", tmp_path / "elsewhere")
    other.write(ASSETS)
    other.build()
    assert atlas(other) == atlas(game)


def read_godot_of(game: Game) -> dict[str, Any]:
    """As `read_godot`, of the atlas under its own name."""
    folder = game.folder / "out" / "atlas"
    (folder / "atlas.tres").write_bytes((folder / "all.tres").read_bytes())
    found = read_godot(folder).sprites
    (folder / "atlas.tres").unlink()
    return found


def test_the_lock_tells_every_file(game: Game) -> None:
    game.build()
    text = game.lock().decode()
    table = text.split('[assets."atlas/all"]')[1].split("[assets.")[0]
    assert 'companions.".json" = "' in table
    assert 'companions.".tres" = "' in table
    assert 'paths."sprite.items/red" = "asset:items/red"' in table
    recipe = text.split('[assets."atlas/all".recipe]')[1]
    assert 'inputs."sprite.items/red" = "' in recipe
    assert "finish_version" not in recipe.split("[assets.")[0]


def test_a_sprite_that_changed_packs_it_anew_and_one_that_did_not_leaves_it(game: Game) -> None:
    game.build()
    before = atlas(game)
    game.write(ASSETS.replace('prompt = "{color}"', 'prompt = "dark {color}"'))
    assert game.build()["built"][-1] == "atlas/all"
    assert atlas(game) != before
    game.write(ASSETS)
    assert game.build()["restored"] == ["items/red", "items/green", "items/blue", "atlas/all"]
    assert atlas(game) == before


def test_what_is_left_out_changes_nothing(game: Game) -> None:
    game.build()
    text = ASSETS.replace('["red", "green", "blue"]', '["red", "green", "blue", "old-red"]')
    game.write(text.replace('"!items/green"', '"!items/green", "!items/old-*"'))
    assert game.build()["built"] == ["items/old-red"]


def test_a_file_that_is_gone_is_brought_back(game: Game) -> None:
    game.build()
    before = atlas(game)
    for name in FILES:
        (game.folder / "out" / name).unlink()
        (found,) = json.loads(game.run("check", "--json", code=12).stdout)["differences"]
        assert (found["name"], found["kind"]) == ("atlas/all", "missing")
        assert game.build()["restored"] == ["atlas/all"]
        assert atlas(game) == before


def test_git_brings_back_every_file(game: Game, tmp_path: Path) -> None:
    game.build()
    game.commit()
    before = atlas(game)
    game.cache = tmp_path / "empty"
    for name in FILES:
        (game.folder / "out" / name).unlink()
    assert game.build()["restored"] == ["atlas/all"]
    assert atlas(game) == before


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_a_person_edited_is_kept(game: Game, name: str) -> None:
    game.build()
    lock, path = game.lock(), spoil(game, name)
    edited = path.read_bytes()
    told = game.run("check", code=1)
    assert "edited  atlas/all" in told.stdout
    if not name.endswith("png"):
        assert f"`out/{name}`: its file was changed by hand" in told.stdout
    assert game.build(code=0)["edited"] == ["atlas/all"]
    assert (path.read_bytes(), game.lock()) == (edited, lock)
    assert game.build("--force", "atlas/all")["restored"] == ["atlas/all"]
    assert path.read_bytes() != edited


def test_an_edit_is_kept_where_the_picture_is_gone_too(game: Game) -> None:
    game.build()
    path = spoil(game, "atlas/all.json")
    edited = path.read_bytes()
    (game.folder / "out" / "atlas/all.png").unlink()
    assert game.build()["edited"] == ["atlas/all"]
    assert path.read_bytes() == edited


def test_a_file_of_a_person_where_one_will_lie_is_kept(game: Game) -> None:
    path = game.folder / "out" / "atlas" / "all.json"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    told = game.run("build", code=1)
    assert "a file that artlock did not make lies at `out/atlas/all.json`" in told.stderr
    assert "artlock build --force atlas/all" in told.stderr
    assert path.read_text() == "mine"
    assert sorted(atlas(game)) == ["atlas/all.json"]
    game.build("--force", "atlas/all")
    assert path.read_text() != "mine"


def test_the_files_are_owned(game: Game) -> None:
    game.build()
    (game.folder / "out" / "atlas" / "all.css").write_text("mine")
    assert status(game)["unowned"] == ["out/atlas/all.css"]
    game.write(ASSETS.split('[assets."atlas/all"]', maxsplit=1)[0])
    assert status(game)["orphans"] == ["atlas/all"]
    told = game.run("check", code=1).stdout
    assert "orphan  atlas/all: the manifest no longer has it\n" in told
    (game.folder / "out" / "atlas" / "all.png").unlink()
    game.build()
    assert status(game)["orphans"] == ["atlas/all"]
    for name in FILES:
        (game.folder / "out" / name).unlink(missing_ok=True)
    game.build()
    assert status(game)["orphans"] == []


def test_locked_builds_it_and_refuses_a_change(game: Game) -> None:
    game.build()
    for name in FILES:
        (game.folder / "out" / name).unlink()
    assert game.build("--locked")["restored"] == ["atlas/all"]
    game.write(ASSETS.replace('"godot"]', '"godot"]\npadding = 7'))
    assert "atlas/all: parameters.padding: 2 → 7" in game.run("build", "--locked", code=1).stderr


def test_it_is_reproduced_from_the_lock_alone(game: Game, tmp_path: Path) -> None:
    game.build()
    game.cache = tmp_path / "empty"
    (found,) = json.loads(game.run("reproduce", "--json", "atlas/all").stdout)
    assert (found["name"], found["likeness"]) == ("atlas/all", "identical-bytes")


def test_blocked_sprites_block_it_and_it_gets_no_stand_in(game: Game) -> None:
    game.write(
        ASSETS.replace('sprite = "noise"', "").replace(
            'role = "sprite"\nseed = 8', 'role = "other"\nseed = 8'
        )
    )
    manifest = game.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace("[roles]", '[roles]\nother = { final = "noise" }'))
    found = game.build("--placeholders", code=1)
    assert sorted(found["blocked"]) == ["atlas/all", "walk-1", "walk-2"]
    stand_ins = game.lock().decode().split("[placeholders]")[1].split("[")[0]
    assert ["walk-1" in stand_ins, "walk-2" in stand_ins, "atlas" in stand_ins] == [True, True, False]
    assert atlas(game) == {}


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_torn_set_is_mended(game: Game, cut: int) -> None:
    """A build that is killed between two files, before the lock: what lies there is known as its own."""
    game.build()
    before = atlas(game)
    game.write(ASSETS.replace('"godot"]', '"godot"]\npadding = 7'))
    game.build()
    after = atlas(game)
    lock_after = game.lock()
    # As a killed build leaves it: the old lock, the first files new and noted, the others old.
    game.write(ASSETS)
    game.build()
    order = ["atlas/all.json", "atlas/all.tres", "atlas/all.png"]
    note = ""
    for name in order[:cut]:
        (game.folder / "out" / name).write_bytes(after[name])
        note += json.dumps([f"out/{name}", digest(after[name])]) + "\n"
    (game.folder / ".artlock" / "placed").write_text(note)
    if cut % 2:
        game.write(ASSETS.replace('"godot"]', '"godot"]\npadding = 7'))
        assert game.build()["restored"] == ["atlas/all"]
        assert (atlas(game), game.lock()) == (after, lock_after)
    else:
        assert game.build()["restored"] == ["atlas/all"]
        assert atlas(game) == before


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_killed_at_any_moment_the_next_build_is_whole(game: Game, tmp_path: Path) -> None:
    whole = Game(tmp_path / "whole", tmp_path / "cache-of-whole")
    whole.write(ASSETS)
    whole.build()
    process = game.start("build")
    deadline = time.monotonic() + 60
    # By name alone: what is listed may have another name before it is read.
    folder = game.folder / "out" / "atlas"
    while not [*folder.glob("all*")] and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    game.build()
    assert atlas(game) == atlas(whole)
    assert game.run("check").returncode == 0
    assert status(game)["unowned"] == []


def test_pages_and_data_that_are_needed_no_more_are_cleaned(game: Game) -> None:
    game.write(ASSETS.replace('"godot"]', '"godot"]\nmax_size = 16'))
    game.build()
    pages = [name for name in atlas(game) if name.endswith("png")]
    assert len(pages) > 1
    game.write(ASSETS.replace('["texturepacker", "godot"]', '["godot"]'))
    game.build()
    told = game.run("clean", "--yes").stdout
    assert "remove  out/atlas/all-1.png" in told
    assert "remove  out/atlas/all.json" in told
    assert sorted(atlas(game)) == ["atlas/all.png", "atlas/all.tres"]
    assert game.run("check").returncode == 0
    game.write(ASSETS.split('[assets."atlas/all"]', maxsplit=1)[0])
    game.run("clean", "--yes")
    assert atlas(game) == {}
    assert status(game)["orphans"] == []


def test_an_atlas_is_not_adopted(game: Game) -> None:
    game.build()
    spoil(game, "atlas/all.png")
    told = game.run("adopt", "atlas/all", code=2).stderr
    assert told == (
        "error: `atlas/all` is an atlas, and can't be adopted\n\n"
        "hint: run `artlock build --force atlas/all`, and change what it packs\n"
    )


def test_an_atlas_is_not_compared(game: Game) -> None:
    told = game.run("compare", "atlas/all", "--engines", "noise,stock", code=2).stderr
    assert told == "error: no engine draws `atlas/all`: it is an atlas\n\nhint: compare what it packs\n"
