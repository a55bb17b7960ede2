"""Git, with real repositories."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from buildsys import git, gitplace
from buildsys.errors import GitError

PNG = b"\x89PNG\r\n\x1a\n\x00\xff picture\n"


def add(repository: Path, files: dict[str, bytes], message: str = "files") -> None:
    for name, data in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    subprocess.run(["git", "add", "--all"], cwd=repository, check=True)
    subprocess.run(["git", "commit", "--quiet", "-m", message], cwd=repository, check=True)


def test_root_from_below(repository: Path) -> None:
    (repository / "art" / "deep").mkdir(parents=True)
    assert git.root(repository / "art" / "deep") == repository.resolve()
    assert git.is_repository(repository / "art")


def test_root_outside(tmp_path: Path) -> None:
    assert not git.is_repository(tmp_path)
    with pytest.raises(GitError) as caught:
        git.root(tmp_path)
    assert str(caught.value) == (
        f"`{tmp_path}` is in no git repository\n\nhint: run `git init` in the project's folder"
    )


def test_show(repository: Path) -> None:
    add(repository, {"out/ui/a b.png": PNG})
    add(repository, {"out/ui/a b.png": b"new"})
    assert git.show(repository, "HEAD~1", "out/ui/a b.png") == PNG
    assert git.show(repository / "out", "main", "out/ui/a b.png") == b"new"
    with pytest.raises(GitError) as caught:
        git.show(repository, "HEAD", "out/gone.png")
    assert str(caught.value) == ("`out/gone.png` is not in `HEAD`\n\nhint: look at `git log -- out/gone.png`")


@pytest.mark.parametrize(
    "revision", ["nowhere", "--output=x", "HEAD~9", "HEAD:file", "a..b", "a\nb", "0" * 40]
)
def test_unknown_revision(repository: Path, revision: str) -> None:
    add(repository, {"file": b"x"})
    asks: list[Callable[[], object]] = [
        lambda: git.commit(repository, revision),
        lambda: git.show(repository, revision, "file"),
        lambda: git.changed_paths(repository, "HEAD", revision),
    ]
    for ask in asks:
        with pytest.raises(GitError) as caught:
            ask()
        assert str(caught.value) == (
            f"git knows no revision `{revision}`\n\n"
            "hint: look at `git log`; a shallow clone needs `git fetch --unshallow`"
        )
    assert sorted(path.name for path in repository.iterdir()) == [".git", "file"]


def test_no_commit_yet(repository: Path) -> None:
    with pytest.raises(GitError) as caught:
        git.commit(repository, "HEAD")
    assert str(caught.value) == "the repository has no commit yet\n\nhint: commit something first"


@pytest.mark.parametrize("number", [3, 150])
def test_blobs_in_bulk(repository: Path, number: int) -> None:
    files = {f"out/{number}.png": PNG * number for number in range(number)}
    odd = {"é ü.txt": b"unicode", "out/ends missing": b"here", "two\nlines": b"x", ":(glob)*": b"magic"}
    (repository / "link").symlink_to("out/1.png")
    add(repository, files | odd)
    paths = [*files, "out", "gone", "", "./1.png", "../out/1.png", "link", *odd]
    nothing: list[bytes | None] = [None] * 6
    for revision in ("HEAD", ""):
        found = list(git.blobs(repository / "out", revision, paths))
        assert [path for path, _ in found] == paths
        assert [data for _, data in found] == [*files.values(), *nothing, *odd.values()]
    assert list(git.blobs(repository, "HEAD", [])) == []
    assert list(git.blobs(repository, "HEAD", [""])) == [("", None)]


def test_blobs_of_the_index(repository: Path) -> None:
    add(repository, {"file": b"committed"})
    (repository / "file").write_bytes(b"staged")
    subprocess.run(["git", "add", "file"], cwd=repository, check=True)
    (repository / "file").write_bytes(b"on disk")
    assert list(git.blobs(repository, "", ["file", "gone"])) == [("file", b"staged"), ("gone", None)]


def test_blobs_of_a_merge_with_conflicts(repository: Path) -> None:
    add(repository, {"file": b"base"})
    subprocess.run(["git", "checkout", "--quiet", "-b", "other"], cwd=repository, check=True)
    add(repository, {"file": b"theirs"})
    subprocess.run(["git", "checkout", "--quiet", "main"], cwd=repository, check=True)
    add(repository, {"file": b"ours"})
    merge = subprocess.run(["git", "merge", "other"], cwd=repository, check=False, capture_output=True)
    assert merge.returncode == 1
    assert [git.show(repository, stage, "file") for stage in (":1", ":2", ":3")] == [
        b"base",
        b"ours",
        b"theirs",
    ]


def test_blobs_left_early_leave_no_process(repository: Path) -> None:
    add(repository, {"file": PNG * 100_000})
    found = git.blobs(repository, "HEAD", ["file"] * 10)
    next(found)
    found.close()  # type: ignore[attr-defined]
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_changed_paths(repository: Path) -> None:
    add(repository, {"a": b"1", "b": b"1", "é": b"1"})
    add(repository, {"a": b"2", "c": b"1"})
    (repository / "b").write_bytes(b"2")
    subprocess.run(["git", "add", "b"], cwd=repository, check=True)
    (repository / "é").unlink()
    (repository / "untracked").touch()
    assert git.changed_paths(repository, "HEAD~1", "HEAD") == ("a", "c")
    assert git.changed_paths(repository, "HEAD") == ("b", "é")
    assert git.changed_paths(repository, "HEAD", staged=True) == ("b",)


def test_hooks_path(repository: Path) -> None:
    assert git.hooks_path(repository) == repository / ".git" / "hooks"
    (repository / "deep").mkdir()
    assert git.hooks_path(repository / "deep") == repository / ".git" / "hooks"
    subprocess.run(["git", "config", "core.hooksPath", ".githooks"], cwd=repository, check=True)
    assert git.hooks_path(repository) == repository / ".githooks"


def test_a_hook_of_another_repository_does_not_lead_astray(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(repository, {"file": PNG})
    other = tmp_path / "other"
    subprocess.run(["git", "init", "--quiet", str(other)], check=True)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    monkeypatch.setenv("GIT_PREFIX", "x/")
    assert git.root(repository) == repository.resolve()
    assert git.show(repository, "HEAD", "file") == PNG


def test_environment_keeps_what_is_asked_for() -> None:
    source = {"GIT_INDEX_FILE": "i", "GIT_DIR": "d", "GIT_SSH_COMMAND": "s", "PATH": "p"}
    assert gitplace.environment(["GIT_INDEX_FILE"], source) == {
        "GIT_INDEX_FILE": "i",
        "GIT_SSH_COMMAND": "s",
        "PATH": "p",
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def test_every_variable_that_git_calls_local_is_dropped(repository: Path) -> None:
    local = git.run(repository, "rev-parse", "--local-env-vars").decode().split()
    left = gitplace.environment(source=dict.fromkeys(local, "x"))
    assert {name for name in left if name in local} <= {
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
    }


def test_git_is_not_installed(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(GitError) as caught:
        git.root(repository)
    assert str(caught.value) == "git is not installed, or not on the PATH\n\nhint: install git"


def test_the_folder_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="is not there"):
        git.root(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(GitError, match="is not a folder"):
        git.root(tmp_path / "file")


def test_a_repository_of_another_user(repository: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("needs the right to give a folder away")
    for path in (repository, repository / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(GitError) as caught:
        git.root(repository)
    assert str(caught.value) == (
        f"git does not trust the repository at `{repository}`: it belongs to another user\n\n"
        f"hint: run `git config --global --add safe.directory '{repository}'`"
    )


def test_what_git_says_is_passed_on(repository: Path) -> None:
    with pytest.raises(GitError) as caught:
        git.run(repository, "rev-list", "nowhere", "--")
    assert caught.value.message == "`git rev-list nowhere --` failed: bad revision 'nowhere'"
