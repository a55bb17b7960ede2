"""`artlock check --staged`: what the next commit has, with real git, and not what lies around."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from game import Game

from buildsys.digest import of_bytes

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "x"
    seed = 3
    size = [40, 24]

    [assets.wall]
    role = "sprite"
    prompt = "y"
    seed = 4
    size = [16, 16]

    [assets.icon]
    from = "hero"
    finish = [{ resize = [20, 12] }]
"""
WALL = """
    [assets.wall]
    role = "sprite"
    prompt = "z"
    seed = 5
    size = [16, 16]
"""
NOTHING = "nothing is staged that artlock looks after\n"
AGREE = "3 assets checked: manifest, lock and files agree as they are staged\n"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder = tmp_path_factory.mktemp("made")
    game = Game(folder / "game", folder / "cache")
    game.write(ASSETS)
    game.build()
    game.commit()
    return game


@pytest.fixture
def game(made: Game, tmp_path: Path) -> Game:
    """As it was committed, with nothing staged; its store is empty, so that the lock alone is known."""
    copied = Game.lying(tmp_path / "game", tmp_path / "empty", tmp_path / "count.txt")
    shutil.copytree(made.folder, copied.folder)
    return copied


@pytest.fixture
def changed(game: Game, made: Game) -> Game:
    """With another seed for `hero`, built, nothing of it staged."""
    shutil.copytree(made.cache, game.cache)
    game.write(ASSETS.replace("seed = 3", "seed = 30"))
    game.build()
    return game


def told(game: Game, code: int = 1) -> tuple[list[str], str]:
    """The lines of what differs, and the hint."""
    done = game.run("check", "--staged", code=code)
    return done.stdout.splitlines(), done.stderr.rpartition("hint: ")[2].strip()


def test_nothing_staged(game: Game) -> None:
    (game.folder / "out" / "hero.png").unlink()
    assert game.run("check", "--staged").stdout == NOTHING
    assert game.run("check", "--staged", "--quiet").stdout == ""


def test_what_artlock_does_not_look_after_is_no_matter_though_the_last_commit_was_wrong(game: Game) -> None:
    game.git("rm", "-q", "out/wall.png")
    game.git("commit", "-qm", "wrong")
    (game.folder / "player.gd").write_text("extends Node\n")
    game.git("add", "player.gd")
    assert game.run("check", "--staged").stdout == NOTHING
    game.run("check", code=1)


def test_a_whole_change(changed: Game) -> None:
    changed.git("add", "--all")
    assert changed.run("check", "--staged").stdout == AGREE
    # What lies around is no matter, not even where it could not be read.
    changed.write("[assets.hero\n")
    (changed.folder / "out" / "wall.png").unlink()
    (changed.folder / "assets.lock").write_text("nonsense")
    assert changed.run("check", "--staged").stdout == AGREE


def test_the_picture_without_its_lock(changed: Game) -> None:
    changed.git("add", "assets.toml", "out")
    lines, hint = told(changed)
    assert lines[0] == (
        "edited  hero: the staged `out/hero.png` is not the one that the staged `assets.lock` tells of; "
        "seed: 3 → 30"
    )
    assert hint == "run `git add assets.lock`"
    changed.git("add", "assets.lock")
    assert changed.run("check", "--staged").stdout == AGREE


def test_the_lock_without_its_picture(changed: Game) -> None:
    changed.git("add", "assets.toml", "assets.lock")
    lines, hint = told(changed)
    assert lines[0] == (
        "edited  hero: the staged `out/hero.png` is not the one that the staged `assets.lock` tells of"
    )
    assert hint == "run `git add out/hero.png out/icon.png`"


def test_the_manifest_is_edited_but_not_staged(changed: Game) -> None:
    changed.git("add", "assets.lock", "out")
    lines, hint = told(changed)
    assert lines == ["recipe  hero: seed: 30 → 3", "recipe  icon: made from `hero`, which is made first"]
    assert hint == "run `git add assets.toml`"


def test_the_manifest_alone_without_a_build(game: Game) -> None:
    game.write(ASSETS.replace("seed = 3", "seed = 30"))
    game.git("add", "assets.toml")
    lines, hint = told(game)
    assert lines[0] == "recipe  hero: seed: 3 → 30"
    assert hint == "run `artlock build`, and stage what it changes"


def test_a_new_asset(game: Game, made: Game) -> None:
    shutil.copytree(made.cache, game.cache)
    game.write(
        ASSETS
        + '\n    [assets.door]\n    role = "sprite"\n    prompt = "z"\n    seed = 9\n    size = [8, 8]\n'
    )
    game.build()
    game.git("add", "assets.toml", "assets.lock")
    assert told(game) == (["missing  door: `out/door.png` is not staged"], "run `git add out/door.png`")
    game.git("reset", "-q")
    game.git("add", "assets.toml", "out")
    assert told(game) == (
        ["foreign  door: `out/door.png` is staged, and the staged `assets.lock` does not know it"],
        "run `git add assets.lock`",
    )
    game.git("reset", "-q")
    game.git("add", "assets.lock", "out")
    assert told(game) == (
        ["orphan  door: the staged manifest no longer has it, the staged lock has"],
        "run `git add assets.toml`",
    )


def test_a_staged_deletion(game: Game) -> None:
    game.git("rm", "-q", "--cached", "out/wall.png")
    assert told(game) == (["missing  wall: `out/wall.png` is not staged"], "run `git add out/wall.png`")
    (game.folder / "out" / "wall.png").unlink()
    assert told(game)[1] == "run `artlock build`, and stage what it changes"


def test_an_asset_that_is_gone_from_the_manifest(game: Game) -> None:
    game.write(ASSETS.partition("\n    [assets.icon]")[0] + "\n")
    game.git("add", "assets.toml")
    assert told(game)[1] == "run `artlock clean`, and stage what it changes"
    (game.folder / "out" / "icon.png").unlink()
    assert told(game) == (
        ["orphan  icon: the staged manifest no longer has it, the staged lock has"],
        "run `artlock build`, and stage what it changes",
    )
    game.build()
    game.git("add", "--all")
    assert game.run("check", "--staged").stdout == AGREE.replace("3", "2")


def test_a_gap_is_told_once(game: Game) -> None:
    """What is made from a picture that is not staged is judged as if it were."""
    game.git("rm", "-q", "--cached", "out/hero.png")
    assert told(game) == (["missing  hero: `out/hero.png` is not staged"], "run `git add out/hero.png`")


def test_intent_to_add_is_no_content(changed: Game) -> None:
    changed.git("rm", "-q", "--cached", "out/wall.png")
    changed.git("add", "--intent-to-add", "out/wall.png")
    changed.git("add", "assets.toml", "assets.lock", "out/hero.png", "out/icon.png")
    assert told(changed) == (["missing  wall: `out/wall.png` is not staged"], "run `git add out/wall.png`")


def test_a_picture_that_git_ignores(game: Game) -> None:
    game.git("rm", "-q", "--cached", "out/wall.png")
    (game.folder / ".gitignore").write_text("wall.png\n.artlock/\n")
    assert told(game)[1] == "take `out/wall.png` out of what git ignores, and stage it"


def test_pictures_outside_git_are_not_to_be_staged(game: Game, made: Game) -> None:
    shutil.copytree(made.cache, game.cache)
    manifest = game.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace('name = "test"\n', 'name = "test"\noutputs = "store"\n'))
    game.git("rm", "-qr", "--cached", "out")
    (game.folder / ".gitignore").write_text("/out/\n.artlock/\n__pycache__/\n")
    game.commit()
    manifest.write_text(manifest.read_text().replace("seed = 3", "seed = 30"))
    game.build()
    game.git("add", "assets.toml")
    assert told(game)[1] == "run `git add assets.lock`"
    # Nor where nobody told git to leave them out.
    (game.folder / ".gitignore").write_text(".artlock/\n__pycache__/\n")
    assert told(game)[1] == "run `git add assets.lock`"
    game.git("add", "assets.lock")
    assert game.run("check", "--staged").stdout == AGREE


def test_an_input_that_is_kept_out_of_git_stays_there(game: Game, made: Game) -> None:
    """A licensed picture, say: nobody is told to publish it."""
    shutil.copytree(made.cache, game.cache)
    (game.folder / "art").mkdir()
    shutil.copyfile(game.folder / "out" / "hero.png", game.folder / "art" / "logo.png")
    (game.folder / ".gitignore").write_text("/art/\n.artlock/\n__pycache__/\n")
    logo = '\n    [assets.logo]\n    source = "art/logo.png"\n'
    game.write(ASSETS + logo)
    game.build()
    game.commit()
    game.write(ASSETS.replace("seed = 4", "seed = 40") + logo)
    game.build()
    game.git("add", "assets.toml", "out")
    assert told(game)[1] == "run `git add assets.lock`"
    game.git("add", "assets.lock")
    assert game.run("check", "--staged").stdout == AGREE.replace("3", "4")


def test_a_lock_that_git_ignores(changed: Game) -> None:
    changed.git("rm", "-q", "--cached", "assets.lock")
    (changed.folder / ".gitignore").write_text("assets.lock\n.artlock/\n")
    changed.git("add", "assets.toml", "out")
    assert told(changed)[1] == "take `assets.lock` out of what git ignores, and stage it"


def test_an_edited_picture(game: Game) -> None:
    (game.folder / "out" / "wall.png").write_bytes((game.folder / "out" / "hero.png").read_bytes())
    game.git("add", "out")
    lines, hint = told(game)
    assert lines == [
        "edited  wall: the staged `out/wall.png` is not the one that the staged `assets.lock` tells of"
    ]
    assert hint == (
        "run `artlock adopt wall` to keep it, or `artlock build --force wall` to make it anew, "
        "and stage what it changes"
    )
    # Each hint is followed to its end.
    game.run("adopt", "wall")
    assert told(game)[1] == "run `git add assets.toml assets.lock art/wall.png`"
    game.git("add", "assets.toml", "assets.lock", "art", "out")
    assert game.run("check", "--staged").stdout == AGREE


def test_all_edited_pictures_that_can_be_adopted_are_named(game: Game) -> None:
    """One command mends them, and `adopt` takes none of several where one can't be."""
    game.write(
        ASSETS.replace("[assets.wall]", '[assets."door/{side}"]\n    matrix = { side = ["left"] }') + WALL
    )
    game.build()
    game.commit()
    for name in ("hero", "wall", "door/left"):
        shutil.copy(game.folder / "out" / "icon.png", game.folder / "out" / f"{name}.png")
    game.git("add", "out")
    assert told(game)[1] == (
        "run `artlock adopt hero wall` to keep them, or `artlock build --force hero wall` to make them anew, "
        "and stage what it changes"
    )
    game.run("adopt", "hero", "wall")
    game.git("add", "--all")
    # Then what is made from them, and last what `adopt` does not take.
    assert [line.split()[1] for line in told(game)[0]] == ["icon:", "door/left:"]


def test_an_edited_picture_that_another_is_made_from(game: Game) -> None:
    shutil.copy(game.folder / "out" / "wall.png", game.folder / "out" / "hero.png")
    game.git("add", "out")
    lines, hint = told(game)
    assert [line.split()[1] for line in lines] == ["hero:", "icon:"]
    assert hint == (
        "run `artlock adopt hero` to keep it, or `artlock build --force hero` to make it anew, "
        "and stage what it changes"
    )


def test_an_edited_picture_of_a_source(game: Game) -> None:
    """It was adopted, and painted over once more."""
    wall = game.folder / "out" / "wall.png"
    shutil.copy(game.folder / "out" / "hero.png", wall)
    game.run("adopt", "wall")
    game.commit()
    shutil.copy(game.folder / "out" / "icon.png", wall)
    game.git("add", "out")
    ends = "`artlock build --force wall` to make it anew, and stage what it changes"
    assert told(game)[1] == f"copy `out/wall.png` over `art/wall.png` to keep it, or run {ends}"
    shutil.copy(wall, game.folder / "art" / "wall.png")
    assert told(game)[1] == f"run `artlock adopt wall` to keep it, or {ends}"
    game.run("adopt", "wall")
    game.git("add", "--all")
    assert game.run("check", "--staged").stdout == AGREE


def test_an_edited_picture_that_is_not_staged_is_in_nobodys_way(changed: Game) -> None:
    (changed.folder / "out" / "wall.png").write_bytes(b"half done")
    changed.git("add", "assets.toml", "out/hero.png", "out/icon.png")
    assert told(changed)[1] == "run `git add assets.lock`"
    # Staged, it is; and no build mends it, nor can it be adopted.
    changed.git("add", "out/wall.png")
    assert told(changed)[1] == (
        "move `out/wall.png` to another place, and run `artlock build` to have it made anew, "
        "and stage what it changes"
    )
    (changed.folder / "out" / "wall.png").rename(changed.folder / "mine.png")
    changed.build()
    assert told(changed)[1] == "run `git add assets.lock out/wall.png`"


def test_an_edited_picture_that_is_frozen(game: Game) -> None:
    game.run("freeze", "wall")
    game.commit()
    (game.folder / "out" / "wall.png").write_bytes(b"else")
    game.git("add", "out")
    mend = "move or delete `out/wall.png`, and `artlock build` brings the frozen picture back"
    assert told(game)[1] == mend


def test_pointers_of_git_lfs_are_the_files_they_stand_for(changed: Game) -> None:
    """As `git add` leaves them where the filter is at work."""
    changed.git("add", "assets.toml", "assets.lock")
    made = ""
    for name in ("hero", "icon"):
        data = (changed.folder / "out" / f"{name}.png").read_bytes()
        text = POINTER.format(of_bytes(data), len(data)).encode()
        made = subprocess.run(
            ["git", "hash-object", "-w", "--stdin"],
            cwd=changed.folder,
            input=text,
            check=True,
            capture_output=True,
        ).stdout.decode()
        changed.git("update-index", "--cacheinfo", f"100644,{made.strip()},out/{name}.png")
    assert changed.run("check", "--staged").stdout == AGREE
    changed.git("update-index", "--cacheinfo", f"100644,{made.strip()},out/hero.png")
    assert told(changed)[0][0].startswith("edited  hero: ")


def test_a_link_is_no_picture(game: Game) -> None:
    (game.folder / "out" / "wall.png").unlink()
    (game.folder / "out" / "wall.png").symlink_to("hero.png")
    game.git("add", "out")
    assert told(game)[0] == ["blocked  wall: `out/wall.png` is staged as a link, not as a file"]


def test_a_broken_manifest_says_that_it_is_the_staged_one(game: Game) -> None:
    game.write(ASSETS.replace("prompt", "promt"))
    game.git("add", "assets.toml")
    game.write("# a line more\n" + ASSETS)
    done = game.run("check", "--staged", code=2)
    assert done.stderr.startswith("error: staged assets.toml:")
    assert "`promt`" in done.stderr


def test_an_unstaged_manifest(game: Game) -> None:
    game.git("rm", "-q", "--cached", "assets.toml")
    done = game.run("check", "--staged", code=2)
    assert done.stderr == "error: `assets.toml` is not staged\n\nhint: run `git add assets.toml`\n"
    game.git("rm", "-q", "--cached", "assets.lock")
    assert game.run("check", "--staged").stdout == NOTHING


def test_included_manifests_and_cards_are_the_staged_ones(game: Game, made: Game) -> None:
    shutil.copytree(made.cache, game.cache)
    (game.folder / "assets" / "deep").mkdir(parents=True)
    part = game.folder / "assets" / "deep" / "part.toml"
    part.write_text('[assets.door]\nrole = "sprite"\nprompt = "z"\nseed = 9\nsize = [8, 8]\n')
    manifest = game.folder / "assets.toml"
    manifest.write_text(
        manifest.read_text().replace('name = "test"\n', 'name = "test"\ninclude = ["assets/**/*.toml"]\n', 1)
    )
    game.build()
    game.git("add", "assets.toml", "assets.lock", "out")
    assert told(game) == (
        ["orphan  door: the staged manifest no longer has it, the staged lock has"],
        "run `git add assets/deep/part.toml`",
    )
    game.git("add", "assets")
    assert game.run("check", "--staged").stdout == AGREE.replace("3", "4")
    part.write_text("nonsense")
    (game.folder / "tools" / "noise.toml").write_text("nonsense")
    assert game.run("check", "--staged").stdout == AGREE.replace("3", "4")
    part.unlink()
    assert game.run("check", "--staged").stdout == AGREE.replace("3", "4")


def test_marks_of_a_merge_are_not_to_be_committed(game: Game) -> None:
    lock = game.folder / "assets.lock"
    text = lock.read_text()
    lock.write_text(
        text.replace("\n[assets.wall]", "\n<<<<<<< HEAD\n=======\n>>>>>>> other\n\n[assets.wall]")
    )
    game.git("add", "assets.lock")
    done = game.run("check", "--staged", code=2)
    assert done.stderr == (
        "error: staged assets.lock: git's marks of a merge are in it\n\n"
        "hint: run `artlock build`, then `git add assets.lock`\n"
    )


def test_json_and_its_exit_code(changed: Game) -> None:
    changed.git("add", "assets.lock", "out")
    done = changed.run("check", "--staged", "--json", code=10)
    assert json.loads(done.stdout) == {
        "agree": False,
        "kind": "recipe",
        "code": 10,
        "checked": 3,
        "differences": [
            {"name": "hero", "kind": "recipe", "code": 10, "engine": "noise", "locked": "noise"},
            {"name": "icon", "kind": "recipe", "code": 10, "engine": "finish", "locked": "finish"},
        ],
        "orphans": [],
        "placeholders": [],
    }
    changed.git("add", "--all")
    assert json.loads(changed.run("check", "--staged", "--json").stdout)["checked"] == 3


def test_agreement_is_remembered_and_never_believed_of_something_else(changed: Game) -> None:
    changed.git("add", "--all")
    place = changed.folder / ".artlock" / "agreement"
    for path in ("assets.toml", "assets.lock", "tools/noise.py", "tools/noise.toml"):
        os.utime(changed.folder / path, (1, 1))
    changed.git("add", "--all")
    place.unlink(missing_ok=True)
    assert changed.run("check", "--staged").stdout == AGREE
    assert place.is_file()
    assert changed.run("check", "--staged").stdout == AGREE
    # The checkout still agrees with itself; what is staged does not.
    changed.git("rm", "-q", "--cached", "out/wall.png")
    assert told(changed)[0] == ["missing  wall: `out/wall.png` is not staged"]
    changed.git("add", "out/wall.png")
    changed.git(
        "update-index",
        "--cacheinfo",
        f"100644,{changed.git('rev-parse', 'HEAD:out/wall.png').strip()},out/hero.png",
    )
    assert told(changed)[0][0].startswith("edited  hero")


def test_a_sparse_checkout_has_no_gaps(game: Game) -> None:
    game.git("update-index", "--skip-worktree", "out/wall.png")
    (game.folder / "out" / "wall.png").unlink()
    (game.folder / "assets.toml").write_text((game.folder / "assets.toml").read_text() + "# more\n")
    game.git("add", "assets.toml")
    assert game.run("check", "--staged").stdout == AGREE


def test_the_first_commit_of_all(made: Game, tmp_path: Path) -> None:
    game = Game.lying(tmp_path / "deep" / "game", tmp_path / "empty", tmp_path / "count.txt")
    shutil.copytree(made.folder, game.folder, ignore=shutil.ignore_patterns(".git", ".artlock"))
    subprocess.run(["git", "init", "-q", str(tmp_path / "deep")], check=True)
    assert game.run("check", "--staged").stdout == NOTHING
    game.git("add", ".")
    assert game.run("check", "--staged").stdout == AGREE
    (tmp_path / "deep" / "else.txt").write_text("x")
    subprocess.run(["git", "add", "else.txt"], cwd=tmp_path / "deep", check=True)
    assert game.run("check", "--staged").stdout == AGREE


def test_no_repository(made: Game, tmp_path: Path) -> None:
    game = Game.lying(tmp_path / "game", tmp_path / "empty", tmp_path / "count.txt")
    shutil.copytree(made.folder, game.folder, ignore=shutil.ignore_patterns(".git"))
    done = game.run("check", "--staged", code=125)
    assert done.stderr.endswith("hint: run `git init` in the project's folder\n")


def test_an_index_of_its_own(changed: Game) -> None:
    """`git commit FILE` hands its hook an index that is not `.git/index`."""
    changed.git("add", "--all")
    own = {"GIT_INDEX_FILE": str(changed.folder / ".git" / "other")}
    environ = changed.environ | own
    subprocess.run(["git", "read-tree", "HEAD"], cwd=changed.folder, env=environ, check=True)
    subprocess.run(["git", "add", "assets.toml"], cwd=changed.folder, env=environ, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "buildsys", "check", "--staged"],
        cwd=changed.folder,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "recipe  hero: seed: 3 → 30" in done.stdout


def test_approval_is_asked_for_by_itself(game: Game) -> None:
    done = game.run("check", "--staged", "--approved", code=2)
    assert done.stderr == (
        "error: `--staged` and `--approved` exclude each other\n\nhint: run them one after the other\n"
    )
