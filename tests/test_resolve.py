"""Real merges with conflicts in the lock and in pictures: what is told, and what `artlock resolve` leaves."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from game import Game

from buildsys.lock.read import load

ASSETS = """
    [assets.bush]
    role = "sprite"
    prompt = "x"
    seed = 1
    size = [16, 16]

    [assets.hero]
    role = "sprite"
    prompt = "x"
    seed = {seed}
    size = [40, 24]

    [assets.small-hero]
    from = "hero"
    finish = [{{ resize = [20, 12] }}]
"""
OTHER = """
    [assets.{name}]
    role = "sprite"
    prompt = "{name}"
    seed = 1
    size = [16, 16]
"""


class Merge:
    """Two branches that gave `hero` another seed each, and made an asset of their own each."""

    def __init__(self, folder: Path) -> None:
        self.game = Game(folder / "game", folder / "cache")
        self.pictures: dict[str, dict[str, bytes]] = {}
        self._make("base", 1, "")
        self.git("checkout", "--quiet", "-b", "feature")
        self._make("theirs", 3, OTHER.format(name="wall"))
        self.git("checkout", "--quiet", "main")
        self._make("ours", 2, OTHER.format(name="barrel"))
        self.game.made()

    def copied(self, folder: Path) -> Merge:
        """The same in another place: to make it anew for each test would take a minute each."""
        for part in ("game", "cache"):
            shutil.copytree(self.game.folder.parent / part, folder / part)
        merge = copy.copy(self)
        merge.game = copy.copy(self.game)
        merge.game.folder, merge.game.cache = folder / "game", folder / "cache"
        return merge

    def _make(self, side: str, seed: int, more: str) -> None:
        self.game.write(ASSETS.format(seed=seed) + more)
        self.game.build()
        self.game.commit()
        self.pictures[side] = self.game.outputs()

    def begin(self) -> None:
        self.git("merge", "feature", code=1)

    def git(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=self.game.folder,
            env=self.game.environ,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def manifest(self, seed: int) -> None:
        """What a person makes of the manifest: both new assets, and `hero` with `seed`."""
        more = OTHER.format(name="barrel") + OTHER.format(name="wall")
        self.game.write(ASSETS.format(seed=seed) + more)

    def picture(self) -> bytes:
        return self.game.outputs()["hero.png"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Merge:
    return Merge(tmp_path_factory.mktemp("made"))


@pytest.fixture(params=["merge"])
def merge(made: Merge, tmp_path: Path, request: pytest.FixtureRequest) -> Merge:
    merge = made.copied(tmp_path)
    merge.git("config", "merge.conflictStyle", request.param)
    return merge


STYLES = pytest.mark.parametrize("merge", ["merge", "diff3", "zdiff3"], indirect=True)


@STYLES
def test_every_command_names_the_conflict(merge: Merge) -> None:
    merge.begin()
    merge.manifest(2)
    game, before = merge.game, merge.game.lock()
    told = "both sides of a merge changed its entry in the lock"
    for words in (["status"], ["plan"], ["explain", "hero"], ["check"]):
        done = game.run(*words, code=1 if words == ["check"] else 0)
        assert told in done.stdout, words
        assert done.stderr.startswith(
            "warning: both sides of a merge changed `hero`, `small-hero` in `assets.lock`; "
            "run `artlock resolve`\n"
        )
    for words in (["report"], ["credits"], ["prompts"], ["engines"]):
        game.run(*words)
    assert game.lock() == before


@STYLES
@pytest.mark.parametrize(("side", "seed"), [("ours", 2), ("theirs", 3)])
def test_a_side_with_its_pictures(merge: Merge, side: str, seed: int) -> None:
    merge.begin()
    merge.manifest(seed)
    game = merge.game
    shutil.rmtree(game.cache)  # git alone has the pictures
    done = game.run("resolve", "--all", f"--{side}")
    assert done.stdout == f"{side}  hero\n{side}  small-hero\n"
    assert done.stderr == (
        "\n`assets.lock` is whole again\n\nhint: run `artlock check`, then `git add assets.lock out`\n"
    )
    expected = {**merge.pictures["ours"], **merge.pictures["theirs"], **merge.pictures[side]}
    assert game.outputs() == expected
    assert "5 assets checked: manifest, lock and files agree" in game.run("check").stdout
    assert b"<<<<<<<" not in game.lock()
    game.git("add", "--all")
    game.git("commit", "--quiet", "--no-edit")
    assert (
        game.build() == {"fresh": ["barrel", "bush", "hero", "small-hero", "wall"]} | {"seconds": None}
        or "built" not in game.build()
    )
    assert game.made() == []
    assert game.git("status", "--porcelain") == ""


def test_one_at_a_time(merge: Merge) -> None:
    merge.begin()
    merge.manifest(3)
    game = merge.game
    first = game.run("resolve", "hero", "--theirs")
    assert first.stderr == "\n1 conflict left: small-hero\n"
    assert b"<<<<<<< artlock: ours" in game.lock()
    found = load(game.folder / "assets.lock")
    assert (sorted(found.records), list(found.conflicts)) == (
        ["barrel", "bush", "hero", "wall"],
        ["small-hero"],
    )
    # A build makes what is whole, leaves the other alone, and keeps it marked.
    (game.folder / "out" / "bush.png").unlink()
    shutil.rmtree(game.cache)
    outcome = game.build(code=1)
    assert outcome["blocked"] == ["small-hero"]
    assert outcome["failures"]["small-hero"]["hint"] == (
        "run `artlock resolve small-hero` with `--ours`, `--theirs` or `--rebuild`"
    )
    assert load(game.folder / "assets.lock") == found
    game.run("resolve", "small-hero", "--theirs")
    assert game.outputs() == {**merge.pictures["ours"], **merge.pictures["theirs"]}
    game.run("check")


def test_neither(merge: Merge) -> None:
    merge.begin()
    merge.manifest(4)
    game = merge.game
    done = game.run("resolve", "--all", "--rebuild")
    assert done.stderr.endswith("hint: run `artlock build`, then `git add assets.lock out`\n")
    assert sorted(load(game.folder / "assets.lock").records) == ["barrel", "bush", "wall"]
    assert game.build()["built"] == ["hero", "small-hero"]
    game.run("check")


def test_pictures_outside_git_are_not_to_be_staged(merge: Merge) -> None:
    merge.begin()
    merge.manifest(2)
    manifest = merge.game.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace("[project]\n", '[project]\noutputs = "store"\n'))
    done = merge.game.run("resolve", "--all", "--ours")
    assert done.stderr.endswith("hint: run `artlock check`, then `git add assets.lock`\n")


def test_what_the_manifest_asks_for_is_said(merge: Merge) -> None:
    merge.begin()
    merge.manifest(3)
    found = json.loads(merge.game.run("resolve", "hero", "--ours", "--json").stdout)
    (hero,) = found["resolved"]
    assert hero["notes"] == [
        "the manifest asks for what `theirs` has (seed: 2 → 3): the next build changes it"
    ]
    assert found["left"] == ["small-hero"]
    assert merge.picture() == merge.pictures["ours"]["hero.png"]


def test_what_neither_side_has_is_said(merge: Merge) -> None:
    merge.begin()
    merge.manifest(7)
    told = merge.game.run("resolve", "hero", "--theirs").stdout
    assert told == (
        "theirs  hero\n"
        "  the manifest asks for what neither side has (seed: 3 → 7): the next build changes it\n"
    )


def test_with_a_manifest_that_is_in_conflict_itself(merge: Merge) -> None:
    merge.begin()
    assert "<<<<<<<" in (merge.game.folder / "assets.toml").read_text()
    merge.game.run("resolve", "--all", "--theirs")
    assert merge.picture() == merge.pictures["theirs"]["hero.png"]
    merge.manifest(3)
    merge.game.run("check")


@STYLES
def test_a_rebase_swaps_the_words_and_says_so(merge: Merge) -> None:
    merge.git("checkout", "--quiet", "feature")
    merge.git("rebase", "main", code=1)
    listed = merge.game.run("resolve", code=1)
    assert listed.stdout.splitlines()[:3] == [
        "conflict  hero",
        "  seed: 2 → 3",
        listed.stdout.splitlines()[2],
    ]
    assert listed.stderr.startswith(
        "\na rebase is under way: `ours` is the branch that you rebase onto, `theirs` your own commit\n"
    )
    # One's own commit, on the branch that was `theirs` in the merge as well.
    merge.manifest(3)
    merge.game.run("resolve", "--all", "--theirs")
    assert merge.picture() == merge.pictures["theirs"]["hero.png"]
    merge.game.run("check")
    merge.git("add", "--all")
    merge.git("-c", "core.editor=true", "rebase", "--continue")
    assert merge.git("status", "--porcelain") == ""
    merge.game.run("check")


def test_a_painted_picture_is_kept(merge: Merge) -> None:
    merge.begin()
    merge.manifest(3)
    painted = merge.game.folder / "out" / "hero.png"
    painted.write_bytes(merge.pictures["ours"]["bush.png"] + b"by hand")
    done = merge.game.run("resolve", "hero", "--theirs")
    assert done.stdout == "theirs  hero\n  `out/hero.png` was changed by hand, and is kept\n"
    assert painted.read_bytes().endswith(b"by hand")


def test_removed_on_one_side(merge: Merge) -> None:
    game = merge.game
    game.git("checkout", "--quiet", "feature")
    game.write("")
    game.run("build")
    game.run("clean", "--yes")
    game.commit()
    game.git("checkout", "--quiet", "main")
    merge.begin()
    assert game.run("resolve", code=1).stdout.startswith(
        "conflict  hero\n  theirs has it no more; the other side changed it\n"
    )
    game.run("resolve", "hero", "--theirs")
    assert not (game.folder / "out" / "hero.png").exists()
    game.run("resolve", "small-hero", "--ours")
    assert game.outputs()["small-hero.png"] == merge.pictures["ours"]["small-hero.png"]


def test_a_picture_that_nobody_has_is_told(merge: Merge) -> None:
    game = merge.game
    game.git("rm", "-r", "--quiet", "--cached", "out")
    (game.folder / ".gitignore").write_text(".artlock/\nout/\n")
    game.commit()
    game.git("checkout", "--quiet", "feature")
    game.git("rm", "-r", "--quiet", "--cached", "out")
    (game.folder / ".gitignore").write_text(".artlock/\nout/\n")
    game.commit()
    game.git("checkout", "--quiet", "main")
    merge.begin()
    merge.manifest(3)
    shutil.rmtree(game.cache)
    shutil.rmtree(game.folder / "out", ignore_errors=True)
    done = game.run("resolve", "hero", "--theirs")
    assert "is neither in the store nor in git: `artlock build` brings it, or makes it" in done.stdout
    game.run("resolve", "--all", "--theirs")
    assert "hero" in game.build()["built"]
    assert merge.picture() == merge.pictures["theirs"]["hero.png"]


def test_a_merge_without_conflicts_is_written_by_a_build(merge: Merge) -> None:
    game = merge.game
    game.git("checkout", "--quiet", "feature")
    game.write(ASSETS.format(seed=1) + OTHER.format(name="barn"))
    game.build()
    game.run("clean", "--yes")
    game.commit()
    game.git("checkout", "--quiet", "main")
    merge.begin()
    assert b"<<<<<<<" in game.lock()
    game.write(ASSETS.format(seed=2) + OTHER.format(name="barrel") + OTHER.format(name="barn"))
    assert "nothing is in conflict" in game.run("resolve").stderr
    locked = game.run("build", "--locked", code=1)
    assert "the lock would change:\n  it holds the marks of a merge" in locked.stderr
    game.build()
    assert b"<<<<<<<" not in game.lock()
    game.run("check")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["hero"], "it is not said which side holds\n\nhint: add `--ours`, `--theirs` or `--rebuild`"),
        (["--ours"], "no asset is named\n\nhint: name assets, or give `--all`"),
        (
            ["hero", "--all", "--ours"],
            "assets are named, and `--all` is given\n\nhint: leave one of the two away",
        ),
        (["hera", "--ours"], "`hera` is in no conflict\n\nhint: did you mean `hero`?"),
        (["bush", "--ours"], "`bush` is in no conflict\n\nhint: run `artlock resolve` for the list"),
    ],
)
def test_what_is_wrong_is_said(merge: Merge, words: list[str], message: str) -> None:
    merge.begin()
    assert message in merge.game.run("resolve", *words, code=2).stderr


def test_nothing_in_conflict(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(ASSETS.format(seed=1))
    assert game.run("resolve").stderr == "nothing is in conflict in `assets.lock`\n"
    assert game.run("resolve", "--all", "--ours").stderr == "`assets.lock` holds no marks of a merge\n"
    assert not (game.folder / "assets.lock").exists()
