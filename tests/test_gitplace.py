"""Where hooks and variables say that git is: pushes on trial, and repositories beside their work tree."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from game import ROOT, Game
from review_kit import Project, noise

from buildsys import git, gitplace
from buildsys.errors import GitError

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "x"
    seed = 3
    size = [8, 8]
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A gem that was drawn twice."""
    project = Project(tmp_path / "game", tmp_path / "cache")
    project.draw("gem", noise(1))
    project.commit("A gem")
    project.draw("gem", noise(2))
    project.commit("Another gem")
    return project


def hook(bare: Path, name: str, text: str) -> None:
    path = bare / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def bare(project: Project, tmp_path: Path) -> Path:
    """A repository that has the first gem alone."""
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    project.git("push", "--quiet", str(bare), "HEAD~1:refs/heads/main")
    return bare


def test_pre_receive_sees_what_a_push_brings(project: Project, bare: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    artlock = f"ARTLOCK_CACHE_DIR={tmp_path}/cache PYTHONPATH={ROOT} {sys.executable} -m buildsys"
    commands = "\n".join(
        f"{artlock} {words} >> {out} 2>&1 || exit 1"
        for words in ("diff $old..$new", "log gem $new", "audit gem --rev $new --format csv")
    )
    hook(bare, "pre-receive", f"while read old new ref; do\n{commands}\ndone")
    done = subprocess.run(
        ["git", "push", "--quiet", str(bare), "HEAD:refs/heads/main"], cwd=project.folder, check=False
    )
    said = out.read_text()
    assert done.returncode == 0, said
    assert "changed" in said
    assert "Another gem" in said


def test_objects_of_another_repository_do_not_count(
    project: Project, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a hook that looks at a checkout beside the repository that is pushed to."""
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(bare / "objects"))
    monkeypatch.setenv("GIT_QUARANTINE_PATH", str(bare / "objects"))
    assert gitplace.own(project.folder) == ()
    assert git.commit(project.folder, "HEAD")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "nowhere"))
    assert gitplace.own(bare) == ()


def test_a_repository_beside_its_work_tree(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(ASSETS)
    game.build()
    game.commit()
    game.write(ASSETS.replace("seed = 3", "seed = 4"))
    game.build()
    game.commit()
    away = tmp_path / "away.git"
    (game.folder / ".git").rename(away)
    for tree in (str(game.folder), "."):
        environ = game.environ | {"GIT_DIR": str(away), "GIT_WORK_TREE": tree}

        def said(*words: str, environ: dict[str, str] = environ) -> str:
            command = [sys.executable, "-m", "buildsys", *words]
            done = subprocess.run(
                command, cwd=game.folder, env=environ, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        assert "hero" in said("diff", "HEAD~1")
        assert "hero" in said("log", "hero")
        assert "hero" in said("audit")
        said("diff", "--staged")
        said("check", "--staged")
        said("hooks", "install")
        assert (away / "hooks" / "pre-commit").is_file()


def test_git_dir_counts_only_where_there_is_no_other(
    project: Project, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    monkeypatch.setenv("GIT_DIR", str(bare))
    assert gitplace.beside(lonely)
    assert git.is_repository(lonely)
    assert not gitplace.beside(project.folder)
    assert not gitplace.beside(bare)
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "elsewhere"))
    assert not git.is_repository(lonely)
    with pytest.raises(GitError) as caught:
        git.root(lonely)
    assert "is in no git repository" in str(caught.value)
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    assert git.root(lonely) == tmp_path.resolve()
    monkeypatch.setenv("GIT_DIR", "bare.git")
    assert not git.is_repository(lonely)
    shutil.rmtree(lonely)
    assert gitplace.own(lonely) == ()
