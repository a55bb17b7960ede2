"""The merge driver of `assets.lock`, by real merges, rebases, cherry-picks, reverts and stashes of git."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from game import Game

from buildsys.githooks import words
from buildsys.lock.read import parse
from buildsys.manifest.model import AssetName

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "x"
    seed = 3
    size = [8, 8]

    [assets.wall]
    role = "sprite"
    prompt = "y"
    seed = 4
    size = [8, 8]
"""
ONE = '\n    [assets.{}]\n    role = "sprite"\n    prompt = "z"\n    seed = {}\n    size = [8, 8]\n'
DOOR, EAGLE = ONE.format("door", 1), ONE.format("eagle", 2)
NO_WALL = ASSETS.partition("\n    [assets.wall]")[0] + "\n"
NO_HERO = "\n    [assets.wall]" + ASSETS.partition("\n    [assets.wall]")[2]
HERO_5, HERO_6 = (ASSETS.replace("seed = 3", f"seed = {seed}") for seed in (5, 6))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Game:
    """A repository with a branch per edit, each from the same commit; the manifest is merged by hand."""
    folder = tmp_path_factory.mktemp("made")
    game = Game(folder / "game", folder / "cache")
    game.write(ASSETS)
    game.build()
    game.commit()
    game.run("hooks", "install")
    (game.folder / ".git" / "hooks" / "pre-commit").unlink()
    game.commit()
    edits = {
        "door": ASSETS + DOOR,
        "eagle": ASSETS + EAGLE,
        "no-wall": NO_WALL,
        "no-hero": NO_HERO,
        "hero-5": HERO_5,
        "hero-6": HERO_6,
    }
    for branch, text in edits.items():
        game.git("checkout", "-q", "-b", branch, "main")
        game.write(text)
        if branch.startswith("no-"):
            (game.folder / "out" / f"{branch[3:]}.png").unlink()
        game.build()
        # Only lock and pictures: whether git can merge the manifest's lines is no matter here.
        game.git("checkout", "-q", "main", "--", "assets.toml")
        game.commit()
    return game


@pytest.fixture
def game(made: Game, tmp_path: Path) -> Game:
    copied = Game.lying(tmp_path / "game", made.cache, tmp_path / "count.txt")
    shutil.copytree(made.folder, copied.folder, symlinks=True)
    copied.git("checkout", "-q", "main")
    return copied


def tried(game: Game, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *words], cwd=game.folder, env=game.environ, check=False, capture_output=True, text=True
    )


def names(game: Game) -> list[str]:
    """The lock's assets; it must be whole, and as artlock itself writes it."""
    text = game.lock().decode()
    found = parse(text)
    assert not found.marked
    return sorted(found.records)


def test_both_sides_add_assets(game: Game) -> None:
    game.git("checkout", "-q", "door")
    game.git("merge", "-q", "--no-edit", "eagle")
    assert names(game) == ["door", "eagle", "hero", "wall"]
    game.write(ASSETS + DOOR + EAGLE)
    before = game.lock()
    assert {key: sorted(named) for key, named in game.build().items()} == {
        "fresh": ["door", "eagle", "hero", "wall"]
    }
    assert game.lock() == before
    game.run("check")


def test_git_alone_could_not(game: Game) -> None:
    """Else the tests above would show nothing."""
    game.git("config", "--remove-section", "merge.artlock")
    game.git("checkout", "-q", "door")
    assert tried(game, "merge", "eagle").returncode == 1
    assert "<<<<<<<" in game.lock().decode()


def test_one_side_deletes_and_the_other_adds(game: Game) -> None:
    game.git("checkout", "-q", "no-wall")
    game.git("merge", "-q", "--no-edit", "door")
    assert names(game) == ["door", "hero"]


def test_one_side_deletes_what_the_other_left(game: Game) -> None:
    game.git("checkout", "-q", "hero-5")
    game.git("merge", "-q", "--no-edit", "no-wall")
    assert names(game) == ["hero"]


def test_both_sides_change_one(game: Game) -> None:
    game.git("checkout", "-q", "hero-5")
    done = tried(game, "merge", "hero-6")
    assert done.returncode == 1
    assert "both sides changed `hero` in `assets.lock`" in done.stdout + done.stderr
    assert "CONFLICT (content): Merge conflict in assets.lock" in done.stdout
    lock = game.lock().decode()
    assert lock.count("<<<<<<< artlock: ours") == 1
    assert list(parse(lock).conflicts) == ["hero"]
    assert game.git("ls-files", "-u", "assets.lock").count("\n") == 3
    assert game.run("resolve", code=1).stdout.startswith("conflict  hero\n  seed: 5 → 6\n")
    game.run("resolve", "hero", "--theirs")
    game.write(HERO_6)
    assert game.run("check").stdout.startswith("2 assets checked")
    game.git("add", ".")
    assert game.run("check", "--staged").stdout.startswith("2 assets checked")
    game.git("commit", "-q", "--no-edit")
    assert names(game) == ["hero", "wall"]


def test_one_side_deletes_what_the_other_changes(game: Game) -> None:
    game.git("checkout", "-q", "hero-5")
    assert tried(game, "merge", "no-hero").returncode == 1
    conflict = parse(game.lock().decode()).conflicts[AssetName("hero")]
    assert conflict.base is not None
    assert conflict.ours is not None
    assert conflict.theirs is None


def test_rebase(game: Game) -> None:
    game.git("checkout", "-q", "door")
    game.git("rebase", "-q", "eagle")
    assert names(game) == ["door", "eagle", "hero", "wall"]
    game.git("checkout", "-q", "hero-5")
    assert tried(game, "rebase", "hero-6").returncode == 1
    # In a rebase, `ours` is the branch below.
    conflict = parse(game.lock().decode()).conflicts[AssetName("hero")]
    assert conflict.ours is not None
    assert conflict.ours.parts.seed == 6
    game.run("resolve", "hero", "--theirs")
    game.git("add", "assets.lock", "out")
    game.git("-c", "core.editor=true", "rebase", "--continue")
    assert parse(game.lock().decode()).records[conflict.ours.name].parts.seed == 5


def test_cherry_pick_and_revert(game: Game) -> None:
    game.git("checkout", "-q", "door")
    game.git("cherry-pick", "eagle")
    assert names(game) == ["door", "eagle", "hero", "wall"]
    game.git("revert", "--no-edit", "HEAD~1")
    assert names(game) == ["eagle", "hero", "wall"]
    assert not (game.folder / "out" / "door.png").exists()


def test_stash_pop(game: Game) -> None:
    game.write(ASSETS + DOOR)
    game.build()
    game.git("checkout", "-q", "assets.toml")
    game.git("add", "out")
    game.git("stash")
    game.git("merge", "-q", "eagle")
    game.git("stash", "pop")
    assert names(game) == ["door", "eagle", "hero", "wall"]


def test_merges_on_both_sides_of_a_history_that_crosses(game: Game) -> None:
    """Two common ancestors: git merges those first, by the driver too."""
    for branch, other in (("door", "eagle"), ("eagle", "door~0")):
        game.git("checkout", "-q", "-b", f"cross-{branch}", branch)
        game.git("merge", "-q", "--no-edit", other)
    game.git("checkout", "-q", "cross-door")
    game.git("merge", "-q", "--no-edit", "cross-eagle")
    assert names(game) == ["door", "eagle", "hero", "wall"]


@pytest.mark.parametrize("gone", ["artlock", "python"])
def test_without_artlock_git_merges_as_it_does_by_itself(game: Game, tmp_path: Path, gone: str) -> None:
    """Nothing on the `PATH`; or an interpreter that lost artlock, which ends in 1 as a conflict does."""
    python = tmp_path / "python"
    if gone == "python":
        python.write_text("#!/bin/sh\necho No module named buildsys >&2\nexit 1\n")
        python.chmod(0o755)
    game.git("config", "merge.artlock.driver", words.settings(str(python))["merge.artlock.driver"])
    game.git("checkout", "-q", "hero-5")
    assert tried(game, "merge", "hero-6").returncode == 1
    text = game.lock().decode()
    assert "<<<<<<< ours" in text
    assert ">>>>>>> theirs" in text
    assert game.git("ls-files", "-u", "assets.lock").count("\n") == 3
    assert game.run("resolve", code=1).stdout.startswith("conflict  hero\n")


def test_a_lock_of_a_newer_artlock_is_merged_as_lines(game: Game) -> None:
    game.git("checkout", "-q", "-b", "newer", "hero-5")
    lock = game.folder / "assets.lock"
    text = lock.read_text()
    number = text.split("revision = ", 1)[1].split("\n", 1)[0]
    lock.write_text(text.replace(f"revision = {number}", "revision = 99"))
    game.commit()
    done = tried(game, "merge", "hero-6")
    assert done.returncode == 1
    assert "upgrade artlock" in done.stdout + done.stderr
    assert "<<<<<<< ours" in lock.read_text()


def test_marks_that_were_committed_are_nobodys_side(game: Game, tmp_path: Path) -> None:
    text = game.lock().decode()
    base, ours, theirs = (tmp_path / name for name in ("base", "ours", "theirs"))
    for file in (base, theirs):
        file.write_text(text)
    ours.write_text(text + "<<<<<<< a\n=======\n>>>>>>> b\n")
    before = ours.read_bytes()
    done = game.run("git", "merge-lock", str(base), str(ours), str(theirs), "art/assets.lock", code=2)
    assert done.stderr == (
        "error: art/assets.lock (ours): marks of a merge are in it\n\n"
        "hint: run `artlock resolve` on that branch first\n"
    )
    assert ours.read_bytes() == before


def test_both_sides_begin_a_lock(game: Game, tmp_path: Path) -> None:
    base, ours, theirs = (tmp_path / name for name in ("base", "ours", "theirs"))
    base.write_bytes(b"")
    ours.write_text(game.git("show", "door:assets.lock"))
    theirs.write_text(game.git("show", "eagle:assets.lock"))
    game.run("git", "merge-lock", str(base), str(ours), str(theirs))
    assert sorted(parse(ours.read_text()).records) == ["door", "eagle", "hero", "wall"]


def test_approvals_and_frozen_pictures_of_one_side(game: Game) -> None:
    game.git("config", "user.name", "Ada")
    game.git("config", "user.email", "ada@example.org")
    game.git("checkout", "-q", "-b", "said", "main")
    game.run("approve", "hero", "wall")
    game.run("freeze", "wall")
    game.commit()
    game.git("checkout", "-q", "door")
    game.git("merge", "-q", "--no-edit", "said")
    merged = parse(game.lock().decode())
    assert sorted(merged.approvals) == ["hero", "wall"]
    assert list(merged.frozen) == ["wall"]
    # It names the picture: of one that the other side changed, it says nothing any more.
    game.git("checkout", "-q", "hero-5")
    game.git("merge", "-q", "--no-edit", "said")
    merged = parse(game.lock().decode())
    hero, wall = (AssetName(name) for name in ("hero", "wall"))
    assert merged.approvals[hero].pixels != merged.records[hero].picture.pixels
    assert merged.approvals[wall].pixels == merged.records[wall].picture.pixels


def test_an_approval_goes_with_the_picture_that_the_merge_takes(game: Game) -> None:
    """Ours approved the old picture meanwhile; theirs made another and approved that."""
    game.git("checkout", "-q", "hero-5")
    game.run("approve", "hero", "--by", "Grace <grace@example.org>")
    game.commit()
    game.git("checkout", "-q", "main")
    game.run("approve", "hero", "--by", "Ada <ada@example.org>")
    game.commit()
    game.git("merge", "-q", "--no-edit", "hero-5")
    game.write(HERO_5)
    game.build()
    found = parse(game.lock().decode())
    assert found.approvals[AssetName("hero")].by == "Grace <grace@example.org>"
    assert found.is_approved(AssetName("hero"))
    game.run("check", "--approved", "hero")


@pytest.mark.parametrize(("side", "by"), [("ours", "Ada <ada@example.org>"), ("theirs", "Grace <g@x.org>")])
def test_an_approval_goes_with_the_side_that_is_taken(game: Game, side: str, by: str) -> None:
    """Both sides made and approved; the lock with marks is written again in between, and keeps both."""
    for branch, person in (("hero-6", "Grace <g@x.org>"), ("hero-5", "Ada <ada@example.org>")):
        game.git("checkout", "-q", branch)
        game.run("approve", "hero", "--by", person)
        game.commit()
    assert tried(game, "merge", "hero-6").returncode == 1
    game.git("add", "assets.lock")  # from now on, the text with its marks is all there is
    game.build("wall")
    game.run("resolve", "hero", f"--{side}")
    game.write(HERO_5 if side == "ours" else HERO_6)
    game.build()
    assert {name: word.by for name, word in parse(game.lock().decode()).approvals.items()} == {"hero": by}
    game.run("check", "--approved", "hero")
