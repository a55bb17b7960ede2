"""Who brought a picture into the lock: real git, and locks that are only as whole as they need be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from game import Game

from buildsys import digest
from buildsys.audit import history
from buildsys.audit.history import Version
from buildsys.audit.model import Brought

BLUE, GREEN, RED = (digest.of_bytes(word.encode()) for word in ("blue", "green", "red"))


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.git("init", "--quiet", "--initial-branch=main")
    return made


def lock(pictures: Mapping[str, str], engine: str = "noise") -> str:
    tables = (
        f'\n[assets."{name}"]\nengine = "{engine}"\noutput = "out/{name}.png"\npixels = "{pixels}"\n'
        f'\n[assets."{name}".recipe]\nadapter = "x"\nprompt = "pixels = \\"{RED}\\""\n'
        for name, pixels in sorted(pictures.items())
    )
    return "version = 1\nrevision = 1\n" + "".join(tables)


def commit(game: Game, pictures: Mapping[str, str], message: str, engine: str = "noise") -> str:
    (game.folder / "assets.lock").write_text(lock(pictures, engine))
    game.git("add", "--all")
    game.git("commit", "--quiet", f"--message={message}")
    return game.git("rev-parse", "HEAD").strip()


def asked(
    game: Game, wanted: Mapping[str, str], at: str = "HEAD", folder: Path | None = None
) -> dict[str, Brought]:
    place = folder or game.folder
    return history.traced(place, game.git("rev-parse", at).strip(), wanted).brought


def test_a_lock_of_the_past_is_looked_through_whatever_else_it_holds() -> None:
    text = (
        lock({"ui/play": BLUE}) + f'\n[assets.plain]\npixels = "{GREEN}"\nseal = "x"\n\n[frozen]\nx = "y"\n'
    )
    found = history.versions(text.replace("\n", "\r\n").encode())
    assert found == {"ui/play": Version(BLUE, "noise"), "plain": Version(GREEN, "")}


def test_the_commit_that_brought_a_picture_is_told_not_the_one_that_touched_the_lock_last(game: Game) -> None:
    first = commit(game, {"hero": BLUE}, "the hero")
    second = commit(game, {"hero": BLUE, "gem": GREEN}, "a gem", engine="stock")
    (game.folder / "README").write_text("else")
    game.git("add", "--all")
    game.git("commit", "--quiet", "--message=no art")
    found = asked(game, {"hero": BLUE, "gem": GREEN})
    assert {name: item.commit for name, item in found.items()} == {"hero": first, "gem": second}
    assert found["hero"].name == "Ada"
    assert found["hero"].mail == "ada@example.invalid"
    assert found["hero"].subject == "the hero"
    assert found["hero"].date == game.git("show", "-s", "--format=%aI", first).strip()
    assert found["hero"].replaced == found["hero"].was == ""
    assert not found["hero"].earlier


def test_a_picture_that_came_back_was_brought_by_who_brought_it_back(game: Game) -> None:
    commit(game, {"hero": BLUE}, "blue", engine="stock")
    commit(game, {"hero": RED}, "red")
    again = commit(game, {"hero": BLUE}, "blue again", engine="stock")
    found = asked(game, {"hero": BLUE})["hero"]
    assert (found.commit, found.replaced) == (again, "noise")
    before = asked(game, {"hero": RED}, at="HEAD~1")["hero"]
    assert (before.subject, before.replaced) == ("red", "stock")


def test_what_is_not_committed_was_brought_by_nobody(game: Game) -> None:
    commit(game, {"hero": BLUE}, "blue")
    assert asked(game, {"hero": RED, "gem": BLUE}) == {}


def test_what_a_persons_picture_took_the_place_of_is_found(game: Game) -> None:
    first = commit(game, {"hero": BLUE}, "by an engine")
    own = 'paths.image = "art/hero.png"\nfile'
    for pixels in (GREEN, RED):
        text = lock({"hero": pixels}, "finish").replace("output", own, 1)
        (game.folder / "assets.lock").write_text(text.replace("file =", "output =", 1))
        game.git("commit", "--quiet", "--all", f"--message={pixels[:4]} by hand")
        for asked_for in (pixels, BLUE):  # committed, and not yet
            found = history.traced(game.folder, "HEAD", {"hero": asked_for})
            assert found.drawn == {"hero": (first, "hero")}


def test_a_rename_is_followed(game: Game) -> None:
    first = commit(game, {"hero": BLUE, "twin": RED}, "first")
    commit(game, {"knight": BLUE, "twin": RED}, "renamed")
    found = asked(game, {"knight": BLUE})["knight"]
    assert (found.commit, found.was) == (first, "hero")


def test_a_copy_is_no_rename(game: Game) -> None:
    commit(game, {"hero": BLUE}, "first")
    copied = commit(game, {"hero": BLUE, "knight": BLUE}, "copied")
    found = asked(game, {"knight": BLUE})["knight"]
    assert (found.commit, found.was) == (copied, "")


def test_each_side_of_a_merge_keeps_its_own(game: Game) -> None:
    commit(game, {"hero": BLUE}, "base")
    game.git("checkout", "--quiet", "-b", "side")
    side = commit(game, {"hero": BLUE, "gem": GREEN}, "gem on the side")
    game.git("checkout", "--quiet", "main")
    main = commit(game, {"hero": RED}, "red on main")
    game.git("merge", "--quiet", "--no-commit", "--strategy=ours", "side")
    merge = commit(game, {"hero": RED, "gem": GREEN, "crown": BLUE}, "merged, with a crown")
    found = asked(game, {"hero": RED, "gem": GREEN, "crown": BLUE})
    assert {name: item.commit for name, item in found.items()} == {"hero": main, "gem": side, "crown": merge}


def test_a_lock_that_was_deleted_in_between_is_no_stumbling_block(game: Game) -> None:
    commit(game, {"hero": BLUE}, "first")
    game.git("rm", "--quiet", "assets.lock")
    game.git("commit", "--quiet", "--message=gone")
    again = commit(game, {"hero": BLUE}, "again")
    assert asked(game, {"hero": BLUE})["hero"].commit == again


def test_a_shallow_clone_says_that_it_ends(game: Game, tmp_path: Path) -> None:
    commit(game, {"hero": BLUE}, "first")
    last = commit(game, {"hero": BLUE, "gem": GREEN}, "gem")
    game.git("clone", "--quiet", "--depth=1", game.folder.as_uri(), str(tmp_path / "clone"))
    found = asked(game, {"hero": BLUE, "gem": GREEN}, folder=tmp_path / "clone")
    assert {item.commit for item in found.values()} == {last}
    assert all(item.earlier for item in found.values())


def test_a_project_below_the_top_of_its_repository_is_found(game: Game) -> None:
    folder = game.folder / "games" / "one"
    folder.mkdir(parents=True)
    (folder / "assets.lock").write_text(lock({"hero": BLUE}))
    game.git("add", "--all")
    game.git("commit", "--quiet", "--message=below")
    commit(game, {"hero": RED}, "another game at the top")
    assert asked(game, {"hero": BLUE}, folder=folder)["hero"].subject == "below"


def test_many_branches_are_walked_once_each(game: Game) -> None:
    """More locks than are kept in memory, and each is asked for twice."""
    wanted = {}
    for number in range(70):
        wanted[f"a{number}"] = digest.of_bytes(str(number).encode())
        commit(game, wanted, f"number {number}")
    found = asked(game, wanted)
    assert {name: item.subject for name, item in found.items()} == {
        f"a{number}": f"number {number}" for number in range(70)
    }


def test_a_line_of_the_manifest_was_written_by_somebody(game: Game) -> None:
    path = game.folder / "assets.toml"
    path.write_text("a = 1\nb = 2\n")
    game.git("add", "--all")
    game.git("commit", "--quiet", "--message=both")
    path.write_text("a = 1\nb = 3\nc = 4\n")
    game.git("commit", "--quiet", "--all", "--message=second")
    path.write_text("a = 1\nb = 3\nc = 5\n")
    found = history.blame(game.folder, None, "assets.toml", (1, 2, 3))
    assert {line: item.subject for line, item in found.items()} == {1: "both", 2: "second"}
    assert found[1].name == "Ada"
    assert found[1].mail == "ada@example.invalid"
    assert found[1].date == game.git("show", "-s", "--format=%aI", "HEAD~1").strip()
    assert history.blame(game.folder, "HEAD~1", "assets.toml", (2,))[2].subject == "both"
    assert history.blame(game.folder, None, "assets.toml", ()) == {}
