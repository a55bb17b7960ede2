"""`artlock verify`: every byte is hashed; what is damaged is dropped, and who needed it is told."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import rtoml
from game import Game

from buildsys.digest import Digest, of_bytes
from buildsys.store import checkouts
from buildsys.store.inventory import Kind, entries
from buildsys.store.objects import Store

ASSETS = """
[assets.hero]
role = "sprite"
prompt = "a hero"
seed = 1
size = [8, 8]

[assets.icon]
from = "hero"
finish = [{ resize = [4, 4] }]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(ASSETS)
    game.build()
    return game


def layout(game: Game) -> Path:
    return Store(game.cache).layout


def verify(game: Game, code: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(game.run("verify", "--json", code=code).stdout)
    return found


def damage(game: Game, digest: Digest, kind: Kind = Kind.OBJECT) -> Path:
    """One bit, as a disk would flip it."""
    path = layout(game) / kind / digest[:2] / digest[2:]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)
    return path


def locked(game: Game, name: str = "hero") -> dict[str, Any]:
    table: dict[str, Any] = rtoml.loads(game.lock().decode())["assets"][name]
    return table


def test_a_sound_store_is_called_so(game: Game) -> None:
    files = [*entries(layout(game), Kind.OBJECT), *entries(layout(game), Kind.ACTION)]
    told = game.run("verify").stdout
    size = sum(entry.size for entry in files)
    assert told.startswith(f"{len(files)} files checked, ")
    assert told.endswith(": all sound\n")
    found = verify(game, 0)
    assert (found["files"], found["bytes"], found["damaged"]) == (len(files), size, [])


def test_an_empty_store_is_sound(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    assert game.run("verify").stdout == "0 files checked, 0 B: all sound\n"
    assert not game.cache.exists()


def test_a_damaged_picture_is_dropped_and_told_where_it_is_still(game: Game) -> None:
    picture = locked(game)["file"]
    path = damage(game, picture)
    done = game.run("verify", code=1)
    assert done.stdout.splitlines()[0] == (
        f"dropped  object {picture[:12]}: the picture of `hero` in `{game.folder}`: "
        "the file is still in the checkout"
    )
    assert done.stdout.endswith(": 1 file damaged\n")
    assert not path.exists()
    verify(game, 0)


def again(game: Game) -> list[tuple[str, str, str]]:
    (found,) = verify(game, 1)["damaged"]
    return [(owner["asset"], owner["part"], owner["again"]) for owner in found["owners"]]


def test_it_says_where_each_part_can_be_had_again(game: Game) -> None:
    game.commit()
    picture, raw = locked(game)["file"], locked(game)["raw"]
    damage(game, raw)
    assert again(game) == [("hero", "raw", "engine")]
    damage(game, picture)
    # The icon was made from it: it is its raw picture.
    assert again(game) == [("hero", "picture", "out"), ("icon", "raw", "out")]
    game.run("build", "--rebuild", "hero")
    shutil.rmtree(game.folder / "out")
    damage(game, picture)
    assert again(game)[0] == ("hero", "picture", "git")
    shutil.rmtree(game.folder / ".git")
    store = Store(game.cache)
    store.put_bytes(b"other")
    icon = locked(game, "icon")["file"]
    damage(game, icon)
    assert again(game) == [("icon", "picture", "engine")]
    recipe = locked(game)["recipe"]["digest"]
    damage(game, recipe, Kind.ACTION)
    assert again(game) == [("hero", "result", "engine")]


def test_what_no_lock_names_is_told_as_that(game: Game) -> None:
    digest = Store(game.cache).put_bytes(b"an input of nobody")
    damage(game, digest)
    told = game.run("verify", code=1).stdout
    assert told.startswith(f"dropped  object {digest[:12]}: no lock of a known checkout names it\n")


def test_a_checkout_that_is_away_is_named(game: Game) -> None:
    checkouts.keep(layout(game), checkouts.Known(root="/nowhere/disk/game", device=0))
    assert verify(game, 0)["unread"] == []
    damage(game, Store(game.cache).put_bytes(b"red"))
    told = game.run("verify", code=1).stderr
    assert told == "the locks of `/nowhere/disk/game` could not be read\n"


def test_a_torn_store_is_no_traceback_and_the_next_build_mends_it(game: Game) -> None:
    files = game.outputs()
    for kind in Kind:
        for number, entry in enumerate(list(entries(layout(game), kind))):
            path = layout(game) / kind / entry.digest[:2] / entry.digest[2:]
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data[: number % 5])
    found = verify(game, 1)
    assert len(found["damaged"]) == found["files"]
    shutil.rmtree(game.folder / "out")
    game.build()
    assert game.outputs() == files


def test_what_cannot_be_read_is_told_and_stays(game: Game) -> None:
    digest = Store(game.cache).put_bytes(b"red")
    path = Store(game.cache).path_of(digest)
    if os.geteuid() == 0:
        pytest.skip("the administrator reads everything")
    path.chmod(0)
    found = verify(game, 1)
    assert list(found["unreadable"]) == [f"objects/{digest[:2]}/{digest[2:]}"]
    assert path.exists()


def test_a_damaged_note_of_a_checkout_hides_no_loss(game: Game, tmp_path: Path) -> None:
    checkouts.keep(layout(game), checkouts.Known(root=str(tmp_path), device=tmp_path.stat().st_dev))
    note = layout(game) / checkouts.FOLDER / of_bytes(str(tmp_path).encode())
    note.write_bytes(note.read_bytes()[:-3])
    picture = locked(game)["file"]
    damage(game, picture)
    done = game.run("verify", code=1)
    assert done.stdout.splitlines()[0].startswith(f"dropped  object {picture[:12]}: the picture of `hero`")
    assert done.stdout.endswith(": 2 files damaged\n")
    told = (
        f"`{note}` does not tell which checkout it stands for\n\n"
        "hint: remove it, and run `artlock build` in each of your checkouts\n"
    )
    assert done.stderr == told
    # And it stays a damage of the store, for what that checkout keeps is not known.
    assert verify(game, 1)["notes"] == [str(note)]
    note.unlink()
    assert verify(game, 0)["notes"] == []


def test_where_a_remote_is_named_pull_may_have_it(game: Game, tmp_path: Path) -> None:
    """It is not asked: its folder is not even there."""
    raw = locked(game)["raw"]
    game.write(f'[remote]\nurl = "{(tmp_path / "away").as_uri()}"\n' + ASSETS)
    damage(game, raw)
    done = game.run("verify", code=1)
    assert done.stdout.splitlines()[0] == (
        f"dropped  object {raw[:12]}: the raw picture of `hero` in `{game.folder}`: "
        "`artlock pull` may have it"
    )
    picture = locked(game)["file"]
    damage(game, picture)
    assert again(game)[0] == ("hero", "picture", "out")
    damage(game, locked(game)["recipe"]["digest"], Kind.ACTION)
    assert again(game) == [("hero", "result", "remote")]
    game.write("[assets.hero\n")
    damage(game, locked(game, "icon")["recipe"]["digest"], Kind.ACTION)
    assert again(game) == [("icon", "result", "engine")]
