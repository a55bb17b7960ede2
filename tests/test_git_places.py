"""`check` where git is used otherwise: bisect, work trees, submodules, shallow and bare clones, hooks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rtoml
from game import ROOT, Game

from buildsys.errors import NoProjectError
from buildsys.places import find_root

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "x"
    seed = 3
    size = [8, 8]
"""
CHANGED = ASSETS.replace("seed = 3", "seed = 30")
CHECK = [sys.executable, "-m", "buildsys", "check"]
FINE = "1 asset checked: manifest, lock and files agree\n"
STAGED = "1 asset checked: manifest, lock and files agree as they are staged\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Game:
    """Five commits: before there was art; art; a newer artlock's lock; one that broke it; one on top."""
    folder = tmp_path_factory.mktemp("made")
    game = Game(folder / "game", folder / "cache")
    (game.folder / "player.gd").write_text("extends Node\n")
    game.commit()
    game.write(ASSETS)
    game.build()
    game.commit()
    game.git("tag", "good")
    lock = game.folder / "assets.lock"
    text = lock.read_text()
    lock.write_text(text.replace("version = 1", "version = 99"))
    game.commit()
    lock.write_text(text)
    game.write(CHANGED)
    game.commit()
    game.git("tag", "culprit")
    (game.folder / "player.gd").write_text("extends Node2D\n")
    game.commit()
    return game


@pytest.fixture
def game(made: Game, tmp_path: Path) -> Game:
    return made.copied(tmp_path)


def cloned(made: Game, target: Path, *words: str) -> Game:
    command = [
        "git",
        "-c",
        "advice.detachedHead=false",
        "clone",
        "-q",
        *words,
        f"file://{made.folder}",
        str(target),
    ]
    subprocess.run(command, env=made.environ, check=True)
    return Game.lying(target, made.cache, target.parent / "count.txt")


def test_bisect_finds_the_commit_and_passes_what_it_cannot_judge(game: Game) -> None:
    first = game.git("rev-list", "--max-parents=0", "HEAD").strip()
    game.run("check", code=1)
    game.git("checkout", "-q", "culprit~1")
    # The newer lock, and the folder from before there was a manifest, are nobody's fault.
    assert game.run("check", code=125).stderr.endswith("hint: upgrade artlock\n")
    game.git("checkout", "-q", "--force", first)
    assert "there is no `assets.toml` here" in game.run("check", code=125).stderr
    game.git("checkout", "-q", "main")
    game.git("bisect", "start", "HEAD", "good")
    found = subprocess.run(
        ["git", "bisect", "run", *CHECK],
        cwd=game.folder,
        env=game.environ,
        check=False,
        capture_output=True,
        text=True,
    ).stdout
    # Of two commits one can't be judged: git says that it is one of them.
    assert "only 'skip'ped commits left to test" in found
    assert game.git("rev-parse", "culprit").strip() in found


def test_bisect_names_the_commit(game: Game) -> None:
    game.git("reset", "-q", "--hard", "good")
    for number in range(4):
        (game.folder / "player.gd").write_text(f"# {number}\n")
        game.write(CHANGED if number > 1 else ASSETS)
        game.commit()
    game.git("bisect", "start", "HEAD", "good")
    found = game.git("bisect", "run", *CHECK)
    assert "is the first bad commit" in found
    assert (
        game.git("show", "-s", "--format=%H", "refs/bisect/bad").strip()
        == game.git("rev-parse", "main~1").strip()
    )


def test_a_shallow_detached_clone_as_ci_makes_it(made: Game, tmp_path: Path) -> None:
    clone = cloned(made, tmp_path / "ci", "--depth=1", "--branch", "good")
    assert clone.git("rev-parse", "--is-shallow-repository") == "true\n"
    assert clone.run("check").stdout == FINE
    (clone.folder / "assets.toml").write_text((clone.folder / "assets.toml").read_text() + "# more\n")
    clone.git("add", "--all")
    assert clone.run("check", "--staged").stdout == STAGED
    (clone.folder / "out" / "hero.png").write_bytes(b"none")
    assert (
        "asset    none that a lock tells of in this shallow clone; `git fetch --unshallow` brings the rest\n"
        in clone.run("git", "textconv", "out/hero.png").stdout
    )


def test_a_bare_repository_has_nothing_to_check(made: Game, tmp_path: Path) -> None:
    bare = cloned(made, tmp_path / "bare.git", "--bare")
    for words in ([], ["--staged"]):
        done = bare.run("check", *words, code=125)
        assert done.stderr == (
            f"error: `{bare.folder}` is a bare repository: no files lie in it\n\n"
            "hint: run this in a clone of it\n"
        )


def test_above_the_games_of_a_repository_they_are_told(tmp_path: Path) -> None:
    top = Game.lying(tmp_path, tmp_path / "cache", tmp_path / "count.txt")
    top.git("init", "-q")
    alone = "error: there is no `assets.toml` here or above"
    refused = f"{alone}\n\nhint: run `artlock init` to start a project\n"
    assert top.run("check", "--staged", code=125).stderr == refused
    for name in ("games/my keep", "games/tower"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "assets.toml").write_text('[project]\nname = "x"\n')
    assert top.run("check", "--staged", code=125).stderr == refused  # git does not know of them
    top.git("add", ".")
    assert top.run("check", "--staged", code=125).stderr == (
        f"{alone}; this repository has games in `games/my keep`, `games/tower`\n\n"
        "hint: run `artlock check --staged -C 'games/my keep'`\n"
    )


@pytest.mark.parametrize(
    ("head", "folders", "bare"),
    [
        ("ref: refs/heads/main\n", ["objects", "refs"], True),
        ("0123456789" * 4 + "\n", ["objects", "refs"], True),
        ("ref: refs/heads/main\n", ["objects"], False),
        ("The head of the dragon, and what it guards.\n", ["objects", "refs"], False),
        ("0123456789\n", ["objects", "refs"], False),
    ],
)
def test_only_what_git_takes_for_a_repository_is_called_one(
    tmp_path: Path, head: str, folders: list[str], *, bare: bool
) -> None:
    """A game may well have folders `objects` and `refs`, and a `HEAD`."""
    (tmp_path / "HEAD").write_text(head)
    for name in folders:
        (tmp_path / name).mkdir()
    asked = subprocess.run(
        ["git", "rev-parse", "--is-bare-repository"], cwd=tmp_path, capture_output=True, check=False
    )
    assert (asked.stdout == b"true\n") == bare
    with pytest.raises(NoProjectError) as caught:
        find_root(tmp_path)
    assert ("is a bare repository" in caught.value.message) == bare


def test_a_work_tree_and_a_submodule(game: Game, tmp_path: Path) -> None:
    game.git("checkout", "-q", "good")
    game.git("worktree", "add", "-q", str(tmp_path / "tree"), "good")
    top = tmp_path / "top"
    for words in (
        ["init", "-q", str(top)],
        [
            "-C",
            str(top),
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            str(game.folder),
            "art",
        ],
    ):
        subprocess.run(["git", *words], env=game.environ, check=True)
    for folder in (tmp_path / "tree", top / "art"):
        place = Game.lying(folder, game.cache, tmp_path / "count.txt")
        assert place.run("check").stdout == FINE
        place.git("rm", "-q", "--cached", "out/hero.png")
        assert place.run("check", "--staged", code=1).stdout.startswith("missing  hero: ")
    # To the repository above, the submodule is one entry, whatever is staged in it.
    subprocess.run(["git", "add", "art"], cwd=top, env=game.environ, check=True)
    assert (
        subprocess.run(
            [*CHECK, "--staged"],
            cwd=top / "art",
            env=game.environ | {"GIT_DIR": str(top / ".git")},
            check=False,
        ).returncode
        == 1
    )


def test_a_repository_beside_its_work_tree(game: Game, tmp_path: Path) -> None:
    """As some keep it: the hook hears of it by `GIT_DIR` and `GIT_WORK_TREE` alone."""
    game.git("checkout", "-q", "good")
    game.run("hooks", "install")
    away = tmp_path / "away"
    (game.folder / ".git").rename(away)
    git = ["git", f"--git-dir={away}", f"--work-tree={game.folder}"]

    def tried(*words: str) -> int:
        return subprocess.run([*git, *words], cwd=game.folder, env=game.environ, check=False).returncode

    game.write(CHANGED)
    assert tried("add", "assets.toml") == 0
    assert tried("commit", "-qm", "x") == 1
    game.build()
    assert tried("add", "assets.toml", "assets.lock", "out") == 0
    assert tried("commit", "-qm", "x") == 0


def test_pre_commit_runs_it(game: Game, tmp_path: Path) -> None:
    """The entry as it stands in `.pre-commit-hooks.yaml`, with `artlock` on the `PATH`."""
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    (entry,) = (line.partition(": ")[2] for line in text.splitlines() if line.startswith("  entry: "))
    scripts = rtoml.load(ROOT / "pyproject.toml")["project"]["scripts"]
    assert entry.split()[0] in scripts
    game.git("checkout", "-q", "good")
    game.write(CHANGED)
    game.git("add", "assets.toml")
    command = tmp_path / "bin" / "artlock"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m buildsys "$@"\n')
    command.chmod(0o755)
    environ = game.environ | {"PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(entry.split(), cwd=game.folder, env=environ, check=False)
    assert done.returncode == 1


@pytest.mark.skipif(shutil.which("pre-commit") is None, reason="pre-commit is not installed")
def test_pre_commit_takes_the_hook(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", tmp_path)
    subprocess.run(["pre-commit", "validate-manifest", str(tmp_path / ".pre-commit-hooks.yaml")], check=True)
