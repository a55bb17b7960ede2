"""`artlock log` wherever git may be: work trees, submodules, subfolders, shallow and bare clones, hooks."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from game import ROOT
from history_kit import Repository, record

from buildsys.errors import ArtlockError
from buildsys.history.commits import Wanted
from buildsys.history.model import Gap, History, Version
from buildsys.history.run import history, place

ENDS = "history ends here: this clone is shallow; run `git fetch --unshallow` for the rest"


@pytest.fixture
def game(tmp_path: Path) -> Repository:
    """Three versions: added, changed, renamed."""
    return grown(Repository(tmp_path / "game"))


def grown(game: Repository) -> Repository:
    game.commit(record("knight", drawn=1), subject="First")
    game.commit(record("knight", drawn=2, seed=4), subject="Second")
    game.commit(record("hero", drawn=2, seed=4), subject="Third")
    return game


def log(folder: Path, name: str = "hero", project: str = "", **words: Any) -> History:
    found = place(folder, project, words.get("revision", "HEAD"))
    return history(found, name, Wanted(**words))


def subjects(found: History) -> list[str]:
    return [version.commit.subject for version in found.versions]


ALL = ["Third", "Second", "First"]


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "protocol.file.allow=always", *words], cwd=folder, check=True)


def artlock(folder: Path, *words: str, environ: Mapping[str, str] | None = None) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "buildsys", "log", *words, "--json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
        check=True,
        capture_output=True,
    )
    return json.loads(done.stdout)


def test_a_project_in_a_subfolder(tmp_path: Path) -> None:
    game = grown(Repository(tmp_path / "all", "games/one ö"))
    (game.top / "assets.lock").write_text("another project's")
    game.save("Unrelated")
    assert subjects(log(game.folder)) == ALL
    (game.folder / "art").mkdir()
    assert subjects(log(game.folder / "art")) == ALL


def test_a_work_tree(game: Repository, tmp_path: Path) -> None:
    game.git("worktree", "add", "-q", str(tmp_path / "tree"), "HEAD~1")
    assert subjects(log(tmp_path / "tree", "knight")) == ["Second", "First"]
    assert subjects(log(tmp_path / "tree", revision="main")) == ALL


def test_a_submodule(game: Repository, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "--quiet", "add", str(game.folder), "art")
    assert subjects(log(outer / "art")) == ALL


def test_a_shallow_clone_says_where_history_ends(game: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=2", game.folder.as_uri(), str(clone))
    found = log(clone)
    assert subjects(found) == ["Third", "Second"]
    assert found.versions[-1].oldest_known
    assert found.ends == ENDS
    assert log(clone, revision="HEAD~1..HEAD").ends == ""
    with pytest.raises(ArtlockError) as caught:
        log(clone, "zzz")
    expected = "no lock in `HEAD` ever had an asset `zzz`\n\nhint: run `git fetch --unshallow` for older ones"
    assert str(caught.value) == expected
    git(clone, "fetch", "-q", "--unshallow")
    assert (subjects(log(clone)), log(clone).ends) == (ALL, "")


def test_a_shallow_clone_on_the_terminal(
    game: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from buildsys.cli import main  # noqa: PLC0415 - what a person sees

    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=1", game.folder.as_uri(), str(clone))
    assert main(["log", "-C", str(clone), "hero"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[3].startswith("  the oldest known · pixels ")
    assert shown[-1] == ENDS


def test_a_bare_clone(game: Repository, tmp_path: Path) -> None:
    bare = tmp_path / "game.git"
    git(tmp_path, "clone", "-q", "--bare", str(game.folder), str(bare))
    assert subjects(log(bare)) == ALL


def test_bare_clones_of_projects_in_subfolders(tmp_path: Path) -> None:
    game = grown(Repository(tmp_path / "all", "games/one"))
    bare = tmp_path / "all.git"
    git(tmp_path, "clone", "-q", "--bare", str(game.top), str(bare))
    assert subjects(log(bare)) == ALL
    other = game.top / "two" / "assets.lock"
    other.parent.mkdir()
    other.write_text("another")
    game.save("Another")
    git(bare, "fetch", "-q", "origin", "main:main")
    with pytest.raises(ArtlockError) as caught:
        log(bare)
    assert str(caught.value) == (
        "there are several locks in `HEAD`: `games/one/assets.lock`, `two/assets.lock`\n\n"
        "hint: name its folder with `--project`"
    )
    assert subjects(log(bare, project="games/one/")) == ALL
    with pytest.raises(ArtlockError) as caught:
        log(bare, project="games")
    assert str(caught.value) == (
        "no commit of `HEAD` has an `assets.lock`\n\nhint: run `artlock build`, and commit it"
    )


def test_a_hook_of_a_bare_repository(game: Repository, tmp_path: Path) -> None:
    """Git tells its hooks where they work by variables, which must not lead anyone astray."""
    bare, out = tmp_path / "game.git", tmp_path / "out.json"
    git(tmp_path, "clone", "-q", "--bare", str(game.folder), str(bare))
    hook = bare / "hooks" / "post-receive"
    command = f"{sys.executable} -m buildsys log hero main --json"
    hook.write_text(f'#!/bin/sh\ntest -n "$GIT_DIR" && PYTHONPATH={ROOT} {command} > {out}\n')
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    game.commit(record("hero", drawn=3, seed=5), subject="Fourth")
    game.git("push", "-q", str(bare), "main")
    found = json.loads(out.read_text())
    assert [item["subject"] for item in found["versions"]] == ["Fourth", *ALL]


def test_where_git_dir_names_another_repository(game: Repository, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other")
    other.save("Nothing")
    found = artlock(game.folder, "hero", environ={"GIT_DIR": str(other.top / ".git")})
    assert [item["subject"] for item in found["versions"]] == ALL


def test_whatever_git_is_set_to(game: Repository) -> None:
    for name, value in {
        "log.showRoot": "false",
        "log.follow": "true",
        "log.diffMerges": "off",
        "log.date": "relative",
        "log.decorate": "full",
        "color.ui": "always",
        "diff.renames": "copies",
        "core.abbrev": "7",
        "core.quotePath": "false",
        "format.pretty": "oneline",
    }.items():
        game.git("config", name, value)
    assert subjects(log(game.folder)) == ALL


def test_a_repository_with_no_commit(tmp_path: Path) -> None:
    game = Repository(tmp_path / "game")
    with pytest.raises(ArtlockError) as caught:
        log(game.folder)
    assert str(caught.value) == "the repository has no commit yet\n\nhint: commit something first"


def test_a_folder_in_no_repository(tmp_path: Path) -> None:
    (tmp_path / "assets.lock").write_text("")
    with pytest.raises(ArtlockError) as caught:
        log(tmp_path)
    assert str(caught.value) == (
        f"`{tmp_path}` is in no git repository\n\nhint: run `git init` in the project's folder"
    )


def test_a_clone_without_the_locks(game: Repository, tmp_path: Path) -> None:
    """A partial clone whose server is gone: git lacks what old commits hold."""
    clone = tmp_path / "clone"
    game.git("config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", game.folder.as_uri(), str(clone))
    game.folder.rename(tmp_path / "moved")
    third, first = log(clone).entries
    assert isinstance(third, Version)  # its lock was checked out
    assert (third.commit.subject, third.before, third.oldest_known) == ("Third", None, True)
    assert isinstance(first, Gap)
    assert (first.commit.subject, first.why) == ("First", "git does not have its lock here")
