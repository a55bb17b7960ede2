"""A build asks the remote for what others made; it goes on where that is down, or lies."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from game import Game
from test_drift import made_with
from test_watch import watching

from buildsys.digest import of_bytes

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
def made(tmp_path: Path, folder: Path) -> Game:
    """Another machine, which built and pushed."""
    game = machine(tmp_path, "theirs", folder)
    game.build()
    game.run("push")
    assert game.made() == ["hero"]
    return game


def machine(tmp_path: Path, name: str, folder: Path, assets: str = ASSETS) -> Game:
    """A checkout with a store of its own; its engine counts what it makes."""
    game = Game(tmp_path / name / "game", tmp_path / name / "cache")
    game.write(f'{assets}\n[remote]\nurl = "{folder.as_uri()}"\nwrite = true\n')
    return game


def rows(game: Game, question: str) -> list[Any]:
    database = sqlite3.connect(game.folder / ".artlock" / "journal.db")
    try:
        return database.execute(question).fetchall()
    finally:
        database.close()


def test_what_another_machine_made_is_not_made_again(tmp_path: Path, folder: Path, made: Game) -> None:
    ours = machine(tmp_path, "ours", folder)
    done = ours.run("build")
    assert "brought from the remote" in done.stderr
    assert "restored hero from the remote in" in done.stderr
    # Its recipe is known only once the hero is: a second round.
    assert "restored icon from the remote in" in done.stderr
    assert ours.made() == []
    assert rows(ours, "SELECT count(*) FROM worker") == [(0,)]
    assert rows(ours, "SELECT asset, message FROM action ORDER BY asset") == [
        ("hero", "from the remote"),
        ("icon", "from the remote"),
    ]
    for name in ("hero.png", "icon.png"):
        assert (ours.folder / "out" / name).read_bytes() == (made.folder / "out" / name).read_bytes()
    assert (ours.folder / "assets.lock").read_bytes() == (made.folder / "assets.lock").read_bytes()


@pytest.mark.usefixtures("made")
def test_of_a_new_finish_only_the_finishing_is_made(tmp_path: Path, folder: Path) -> None:
    cropped = ASSETS.replace("size = [16, 16]\n", "size = [16, 16]\nfinish = [{ resize = [4, 4] }]\n", 1)
    ours = machine(tmp_path, "ours", folder, cropped)
    assert ours.build() == {"built": ["hero", "icon"]}
    assert ours.made() == []
    recalled = "SELECT asset, action, message FROM action WHERE hit AND action = 'generate'"
    assert rows(ours, recalled) == [("hero", "generate", "from the remote")]


@pytest.mark.usefixtures("made")
def test_a_recipe_that_is_known_late_is_looked_up_alone(tmp_path: Path, folder: Path) -> None:
    actions = [path for path in (folder / "v1" / "actions").rglob("*") if path.is_file()]
    results = {path: json.loads(path.read_bytes())["result"] for path in actions}
    for path, result in results.items():
        if result.get("name") != "icon":  # the hero's recipe, and its raw picture
            path.unlink()
    ours = machine(tmp_path, "ours", folder)
    assert ours.build() == {"built": ["hero"], "restored": ["icon"], "remote": ["icon"]}
    assert ours.made() == ["hero"]


def test_what_is_damaged_here_comes_from_the_remote(made: Game) -> None:
    picture = made.folder / "out" / "hero.png"
    whole = picture.read_bytes()
    for path in (made.cache / "v1" / "objects").rglob("*"):
        if path.is_file() and path.read_bytes() == whole:
            path.chmod(0o644)
            path.write_bytes(b"torn")
    picture.unlink()
    assert made.build() == {"restored": ["hero"], "fresh": ["icon"], "remote": ["hero"]}
    assert picture.read_bytes() == whole
    assert made.made() == []


def test_bytes_that_are_not_those_of_their_name_are_refused(tmp_path: Path, folder: Path, made: Game) -> None:
    whole = (made.folder / "out" / "hero.png").read_bytes()
    (poisoned,) = [
        path for path in (folder / "v1/objects").rglob("*") if path.is_file() and path.read_bytes() == whole
    ]
    poisoned.chmod(0o644)
    poisoned.write_bytes(b"another picture")
    ours = machine(tmp_path, "ours", folder)
    shutil.copy(made.folder / "assets.lock", ours.folder)
    done = ours.run("build", "--json")
    refused = f"note: refused {poisoned.as_uri()}: its bytes are not those of its name\n"
    assert (
        refused + "\nhint: run `artlock push --verify` on a machine that has the right ones\n" in done.stderr
    )
    # The lock names it, and so does the result of its recipe, which is asked for in a further round.
    assert done.stderr.count("refused") == 1
    found = json.loads(done.stdout)["poisoned"]
    assert found == [{"digest": of_bytes(whole), "place": poisoned.as_uri()}]
    assert json.loads(ours.run("build", "--json").stdout)["poisoned"] == []
    assert (ours.folder / "out" / "hero.png").read_bytes() == whole


def test_a_remote_that_is_down_is_told_of_once(tmp_path: Path, folder: Path) -> None:
    ours = machine(tmp_path, "ours", folder)
    shutil.rmtree(folder)
    # Neither of these asks the network.
    for words in (("plan",), ("status",)):
        assert "remote" not in ours.run(*words).stderr
    done = ours.run("build")
    told = f"note: the remote's folder `{folder}` is not there; the build goes on without it"
    assert done.stderr.count(told) == 1
    assert "2 built" in done.stderr
    assert ours.run("check").stderr == ""


@pytest.mark.usefixtures("made")
def test_a_remote_can_be_left_alone(tmp_path: Path, folder: Path) -> None:
    ours = machine(tmp_path, "ours", folder)
    assert ours.build("--no-remote") == {"built": ["hero", "icon"]}
    assert ours.made() == ["hero"]


@pytest.mark.usefixtures("made")
def test_what_is_to_be_made_again_is_not_looked_up(tmp_path: Path, folder: Path) -> None:
    ours = machine(tmp_path, "ours", folder)
    assert ours.build("--rebuild") == {"built": ["hero", "icon"]}
    assert ours.made() == ["hero"]


def test_a_reproduction_finds_what_only_the_remote_has(tmp_path: Path, folder: Path, made: Game) -> None:
    ours = machine(tmp_path, "ours", folder)
    shutil.copyfile(made.folder / "assets.lock", ours.folder / "assets.lock")
    manifest = ours.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace("sandbox =", 'retired = "2020-01-01"\nsandbox ='))
    locked = (made.folder / "out" / "hero.png").read_bytes()
    lost = ours.run("reproduce", "hero", "--no-remote", code=1).stdout
    assert "  its locked picture is lost: it is not in its place, in the store or in git\n" in lost
    to = tmp_path / "again"
    told = ours.run("reproduce", "hero", "--to", str(to), code=1).stdout
    assert "  its locked picture is in the remote, and taken from there\n" in told
    assert (to / "out" / "hero.png").read_bytes() == locked
    # It was for the scratch place alone.
    objects = ours.cache / "v1" / "objects"
    assert locked not in [path.read_bytes() for path in objects.rglob("*") if path.is_file()]
    # What an asset is made from is had from there, too.
    (found,) = json.loads(ours.run("reproduce", "icon", "--json").stdout)
    assert found["verdict"] == "identical-bytes"
    folder.rename(folder.with_name("gone"))
    said = ours.run("reproduce", "--all", "--json", code=1)
    assert [item["held"] for item in json.loads(said.stdout)] == ["lost", "lost"]
    assert said.stderr.count("the remote") == 1


def test_a_refresh_asks_for_what_it_is_made_from(tmp_path: Path, folder: Path, made: Game) -> None:
    made_with(made, "icon", pillow="1.0.0")
    for name, words, engine in (("ours", (), []), ("alone", ("--no-remote",), ["hero"])):
        game = machine(tmp_path, name, folder)
        shutil.copyfile(made.folder / "assets.lock", game.folder / "assets.lock")
        # The icon is made again, on purpose; the hero only where nobody has it.
        assert "icon" in game.build("--refresh-environment", "icon", *words)["built"]
        assert game.made() == engine


def test_a_watch_leaves_the_remote_alone_if_told_to(tmp_path: Path, folder: Path, made: Game) -> None:
    for name, words, engine in (("ours", (), []), ("alone", ("--no-remote",), ["hero"])):
        game = machine(tmp_path, name, folder)
        shutil.copyfile(made.folder / "assets.lock", game.folder / "assets.lock")
        with watching(game, *words) as watch:
            watch.until("watching")
        assert game.made() == engine
