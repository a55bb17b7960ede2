"""Reviews of real repositories: commits, the index, the working tree; pictures from wherever they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from review_kit import Project, noise

from buildsys.cli.reviewed import table
from buildsys.digest import of_bytes
from buildsys.errors import Exit, GitError, LockError
from buildsys.lock.model import REVISION
from buildsys.manifest.model import AssetName
from buildsys.review.markdown import comment
from buildsys.review.model import Cause, Kind
from buildsys.review.told import side_told
from engines import png

ROOT = Path(__file__).resolve().parent.parent
needs_lfs = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """One commit with a gem and a rock."""
    project = Project(tmp_path / "game", tmp_path / "cache")
    project.draw("gem", noise(1), prompt="a red gem")
    project.draw("rock", noise(2))
    project.commit("A gem and a rock")
    return project


def test_the_working_tree_against_the_last_commit(project: Project) -> None:
    gem = project.draw("gem", noise(3), prompt="a blue gem")
    star = project.draw("star", noise(4))
    project.save()
    review, changes, pictures = project.review()
    assert {name: change.kind for name, change in changes.items()} == {"gem": "changed", "star": "added"}
    assert (review.counts, review.unchanged, review.project) == (
        {Kind.ADDED: 1, Kind.CHANGED: 1}, 1, "game",
    )  # fmt: skip
    assert (review.before.asked, review.before.subject) == ("HEAD", "A gem and a rock")
    assert (review.after.commit, review.after.index, review.notes) == ("", False, ())
    change = changes["gem"]
    assert change.causes == (Cause.RECIPE,)
    assert change.measure is not None
    assert change.measure.changed is not None
    assert change.measure.changed > 0.99
    assert change.before is not None
    old = pictures.read(change.before.shown)
    assert old is not None
    assert change.before.file_bytes == len(old)
    for digest, name in ((gem, "gem"), (star, "star")):
        assert pictures.read(digest) == (project.folder / "out" / f"{name}.png").read_bytes()


def test_what_is_staged_is_not_what_lies_around(project: Project) -> None:
    project.draw("gem", noise(3))
    project.save()
    project.git("add", "--all")
    project.draw("gem", noise(4))
    project.draw("star", noise(5))
    project.save()
    review, changes, pictures = project.review(staged=True)
    assert changes.keys() == {"gem"}
    assert review.after.index
    side = changes["gem"].after
    assert side is not None
    staged = subprocess.run(
        ["git", "show", ":out/gem.png"], cwd=project.folder, check=True, capture_output=True
    ).stdout
    assert pictures.read(side.shown) == staged != (project.folder / "out/gem.png").read_bytes()
    assert project.review(staged=False)[1].keys() == {"gem", "star"}


def test_two_commits_and_where_they_went_apart(project: Project) -> None:
    project.git("switch", "--quiet", "--create", "feature")
    project.draw("gem", noise(3))
    project.commit()
    project.git("switch", "--quiet", "main")
    project.records = {}
    project.draw("gem", noise(1), prompt="a red gem")
    project.draw("rock", noise(9))
    project.commit()
    _, changes, _ = project.review("main", "feature")
    assert changes.keys() == {"gem", "rock"}
    review, changes, _ = project.review("main", "feature", merge_base=True)
    assert changes.keys() == {"gem"}
    assert review.before.asked == "main...feature"
    assert review.before.commit == project.git("merge-base", "main", "feature")
    short = review.before.commit[:10]
    assert side_told(review.before) == f"where main and feature parted ({short})"
    assert table(review).startswith(f"where main and feature parted ({short}) A gem and a rock → feature ")
    assert f"where main and feature parted &#40;{short}&#41; → feature" in comment(review)
    # Where the one holds the other, that one is what is compared with.
    review, _, _ = project.review("feature~", "feature", merge_base=True)
    assert review.before.asked == "feature~"
    # With the working tree: from where it and the other branch went apart.
    _, changes, _ = project.review("feature", None, merge_base=True)
    assert changes.keys() == {"rock"}


def test_branches_that_have_nothing_in_common(project: Project) -> None:
    project.git("switch", "--quiet", "--orphan", "other")
    project.git("commit", "--quiet", "--allow-empty", "--message=other")
    with pytest.raises(GitError) as caught:
        project.review("main", "other", merge_base=True)
    assert str(caught.value) == (
        "`main` and `other` have no commit in common\n\n"
        "hint: compare them as they are: `artlock diff main..other`"
    )


def test_before_artlock_there_was_no_lock(tmp_path: Path) -> None:
    project = Project(tmp_path / "game", tmp_path / "cache")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message=A manifest")
    project.draw("gem", noise(1))
    project.commit()
    review, changes, _ = project.review("HEAD~1", "HEAD")
    assert [change.kind for change in changes.values()] == [Kind.ADDED]
    assert review.notes == ()
    _, changes, _ = project.review("HEAD", "HEAD~1")
    assert [change.kind for change in changes.values()] == [Kind.REMOVED]


def test_no_repository_and_no_commit(tmp_path: Path) -> None:
    project = Project(tmp_path / "game", tmp_path / "cache")
    with pytest.raises(GitError) as caught:
        project.review()
    assert str(caught.value) == "the repository has no commit yet\n\nhint: commit something first"
    shutil.rmtree(project.folder / ".git")
    with pytest.raises(GitError) as caught:
        project.review()
    assert str(caught.value) == (
        f"`{project.folder}` is in no git repository\n\nhint: run `git init` in the project's folder"
    )


def test_a_shallow_clone_says_what_it_lacks(project: Project, tmp_path: Path) -> None:
    project.draw("gem", noise(3))
    project.commit()
    project.git("branch", "old", "HEAD~1")
    words = ["git", "clone", "--quiet", "--depth=1", project.top.as_uri(), str(tmp_path / "clone")]
    subprocess.run(words, check=True)
    clone = Project.lying(tmp_path / "clone", tmp_path / "cache")
    assert clone.review()[1] == {}
    with pytest.raises(GitError) as caught:
        clone.review("HEAD~1")
    assert str(caught.value) == (
        "this clone is shallow, and `HEAD~1` is not in it\n\nhint: run `git fetch --unshallow`"
    )
    clone.git("fetch", "--quiet", "--depth=1", "origin", "old:old")
    with pytest.raises(GitError) as caught:
        clone.review("old", None, merge_base=True)
    assert str(caught.value) == (
        "this clone is shallow, and `old` and `HEAD` have no commit in common in it\n\n"
        "hint: run `git fetch --unshallow`"
    )
    assert clone.review("old")[1].keys() == {"gem"}


def test_no_such_revision(project: Project) -> None:
    for asked in ("nope", "--output=x"):
        with pytest.raises(GitError, match=f"git knows no revision `{asked}`"):
            project.review(asked)


def test_a_lock_in_conflict_leaves_open_what_is_open(project: Project) -> None:
    project.git("switch", "--quiet", "--create", "feature")
    project.draw("gem", noise(3), prompt="a blue gem")
    project.draw("star", noise(5))
    project.commit()
    project.git("switch", "--quiet", "main")
    project.records.pop(next(name for name in project.records if name == "star"))
    project.draw("gem", noise(4), prompt="a green gem")
    project.commit()
    with pytest.raises(subprocess.CalledProcessError):
        project.git("merge", "--quiet", "feature")
    review, changes, _ = project.review()
    assert changes.keys() == {"star"}
    assert review.notes == ("both sides of a merge changed `gem` in the working tree: left out here",)
    with pytest.raises(LockError) as caught:
        project.review(staged=True)
    assert str(caught.value) == "the staged assets.lock is in conflict\n\nhint: run `artlock resolve`"
    # Committed as it is, marks and all.
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message=merge")
    review, changes, _ = project.review("main~1", "HEAD")
    assert review.notes == ("both sides of a merge changed `gem` in `HEAD`: left out here",)


def test_a_lock_that_is_none(project: Project) -> None:
    (project.folder / "assets.lock").write_bytes(b"version = ")
    project.git("commit", "--quiet", "--all", "--message=broken")
    project.save()
    with pytest.raises(LockError) as caught:
        project.review()
    assert caught.value.message.startswith("HEAD:assets.lock")
    assert caught.value.hint == "name another revision"
    (project.folder / "assets.lock").write_bytes(b"\xff")
    project.git("commit", "--quiet", "--all", "--message=broken")
    with pytest.raises(LockError) as caught:
        project.review()
    assert str(caught.value) == "HEAD:assets.lock: not UTF-8\n\nhint: name another revision"


def test_a_lock_of_a_newer_artlock(project: Project) -> None:
    path = project.folder / "assets.lock"
    newer = f"revision = {REVISION}", "revision = 9999\nmood = 'dark'"
    path.write_text(path.read_text().replace(*newer, 1))
    review, changes, _ = project.review()
    assert changes == {}
    assert review.notes == (
        "a newer artlock wrote the lock in the working tree: what it says beyond is left out",
    )
    path.write_text("version = 9999\nrevision = 1\n")
    project.git("commit", "--quiet", "--all", "--message=newer")
    project.save()
    with pytest.raises(LockError) as caught:
        project.review()
    assert caught.value.hint == "upgrade artlock"


def test_a_file_changed_by_hand_is_a_change(project: Project) -> None:
    """The locks say nothing of it, neither on the disk nor in a commit."""
    project.draw("gem", noise(3), prompt="a red gem")
    by_hand = (project.folder / "out/gem.png").read_bytes()
    project.git("checkout", "--quiet", "assets.lock")
    for after, looking in ((None, True), (None, False), ("HEAD", True)):
        if after:
            project.git("commit", "--quiet", "--all", "--message=by hand")
        review, changes, pictures = project.review("HEAD~1" if after else "HEAD", after, measure=looking)
        assert changes.keys() == {"gem"}
        change = changes["gem"]
        assert (change.kind, change.causes) == (Kind.CHANGED, (Cause.HAND,))
        assert change.notes == (
            "`out/gem.png` is not the file that the lock tells of: it was changed by hand",
        )
        assert (change.measure is not None) == looking
        assert change.after is not None
        assert pictures.read(change.after.shown) == by_hand
        assert review.unchanged == 1
    # What both sides have is no change.
    assert project.review()[1] == {}


def test_a_stand_in_is_no_edit(project: Project) -> None:
    data = (project.folder / "out/rock.png").read_bytes()
    (project.folder / "out/gem.png").write_bytes(data)
    assert project.review()[1].keys() == {"gem"}
    (rock,) = (made for name, made in project.records.items() if name == "rock")
    project.save(placeholders={made.name: rock.picture.file for made in project.records.values()})
    assert project.review()[1] == {}


def test_only_its_encoding(project: Project) -> None:
    data = png.encode(noise(1)[..., :3], smallest=True)
    other = png.encode(noise(1))
    old = (project.folder / "out/gem.png").read_bytes()
    project.draw("gem", other if data == old else data, prompt="a red gem")
    project.save()
    _, changes, _ = project.review()
    change = changes["gem"]
    assert change.kind is Kind.ENCODING
    assert change.measure is not None
    assert change.measure.likeness == "identical-pixels"
    assert change.attention == 0.05


def test_a_lock_that_claims_the_same_pixels_is_not_believed(project: Project) -> None:
    """Else whoever sends a change could have it pass for one that nobody needs to look at."""
    name = AssetName("gem")
    honest = project.records[name].picture.pixels
    project.draw(name, noise(3), prompt="a red gem")
    made = project.records[name]
    picture = msgspec.structs.replace(made.picture, pixels=honest)
    project.put(msgspec.structs.replace(made, picture=picture))
    project.save()
    _, changes, _ = project.review()
    assert changes["gem"].kind is Kind.CHANGED
    assert "the lock says that its pixels are the same, and they are not" in changes["gem"].notes
    assert changes["gem"].attention > 0.8


def test_names_and_globs(project: Project) -> None:
    project.draw("gem", noise(3))
    project.draw("gem@2x", noise(4))
    project.draw("gems/red", noise(5))
    project.save()
    assert project.review(names=["gem"])[1].keys() == {"gem", "gem@2x"}
    assert project.review(names=["gem*"])[1].keys() == {"gem", "gem@2x", "gems/red"}
    review, changes, _ = project.review(names=["rock"])
    assert (changes, review.unchanged) == ({}, 1)
    with pytest.raises(LockError) as caught:
        project.review(names=["gems/rad"])
    assert (
        str(caught.value)
        == "asset `gems/rad` is not in the lock of either side\n\nhint: did you mean `gems/red`?"
    )


def test_a_project_below_the_top_of_its_repository(tmp_path: Path) -> None:
    project = Project(tmp_path / "game", tmp_path / "cache", "art/pixel")
    (project.top / "assets.lock").write_text("no lock of ours")
    project.draw("gem", noise(1))
    project.commit()
    project.draw("gem", noise(2))
    project.save()
    assert project.review()[1].keys() == {"gem"}
    project.git("add", "--all")
    assert project.review(staged=True)[1]["gem"].measure is not None


def test_a_work_tree_and_a_submodule(project: Project, tmp_path: Path) -> None:
    project.git("worktree", "add", "--quiet", str(tmp_path / "tree"))
    outer = Project(tmp_path / "outer", tmp_path / "cache")
    allowed = ["-c", "protocol.file.allow=always"]
    outer.git(*allowed, "submodule", "--quiet", "add", project.top.as_uri(), "game")
    for folder in (tmp_path / "tree", tmp_path / "outer" / "game"):
        other = Project.lying(folder, tmp_path / "cache")
        other.records = dict(project.records)
        other.draw("gem", noise(7))
        other.save()
        assert other.review()[1]["gem"].measure is not None
        other.git("add", "--all")
        assert other.review(staged=True)[1].keys() == {"gem"}


def test_a_bare_repository_has_commits_to_compare(project: Project, tmp_path: Path) -> None:
    project.draw("gem", noise(3))
    project.commit()
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", project.top.as_uri(), str(bare)], check=True)
    other = Project.lying(bare, tmp_path / "empty")
    _, changes, pictures = other.review("HEAD~1", "HEAD")
    change = changes["gem"]
    assert change.measure is not None
    assert change.after is not None
    assert pictures.read(change.after.shown) == (project.folder / "out/gem.png").read_bytes()
    assert not (bare / ".artlock").exists()


def test_in_a_hook_git_tells_its_own_place(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`git commit --all` and `git commit PATH` have an index of their own, and tell hooks of it."""
    project.draw("gem", noise(3))
    project.draw("star", noise(4))
    project.save()
    index = tmp_path / "index"
    project.git("add", "out/gem.png", "assets.lock", GIT_INDEX_FILE=str(index))
    monkeypatch.setenv("GIT_INDEX_FILE", str(index))
    monkeypatch.setenv("GIT_DIR", str(project.folder / ".git"))
    monkeypatch.setenv("GIT_PREFIX", "")
    _, changes, pictures = project.review(staged=True)
    assert changes.keys() == {"gem", "star"}
    gem = changes["gem"].after
    assert gem is not None
    assert pictures.read(gem.shown) is not None
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert project.review(staged=True)[1] == {}


def test_pictures_that_are_not_in_git_come_from_the_store(tmp_path: Path) -> None:
    project = Project(tmp_path / "game", tmp_path / "cache")
    (project.folder / ".gitignore").write_text(".artlock/\nout/\n")
    for seed in (1, 2):
        project.draw("gem", noise(seed), prompt=str(seed))
        project.store.put_file(project.folder / "out/gem.png")
        project.commit()
    shutil.rmtree(project.folder / "out")
    review, changes, pictures = project.review("HEAD~1", "HEAD")
    change = changes["gem"]
    assert change.measure is not None
    assert change.before is not None
    assert change.before.file_bytes == len(pictures.read(change.before.shown) or b"")
    assert review.notes == ()


def test_what_is_lost_is_said(tmp_path: Path) -> None:
    project = Project(tmp_path / "game", tmp_path / "cache")
    (project.folder / ".gitignore").write_text(".artlock/\nout/\n")
    for seed in (1, 2):
        project.draw("gem", noise(seed), prompt=str(seed))
        project.commit()
    review, changes, pictures = project.review("HEAD~1")
    change = changes["gem"]
    assert change.before is not None
    assert change.after is not None
    assert (change.before.lost, change.after.lost) == ("neither git nor the store has it", "")
    assert pictures.read(change.before.shown) is None
    assert change.measure is None
    assert review.notes == ("1 picture can't be shown: neither git nor the store has it",)
    assert project.review("HEAD~1", measure=False)[0].notes == ()


def test_a_remote_is_asked_for_all_at_once(tmp_path: Path) -> None:
    pytest.importorskip("obstore")
    from buildsys.manifest.read import parse  # noqa: PLC0415 - needs the extra, as the remote does
    from buildsys.remote import Remote  # noqa: PLC0415

    bucket = tmp_path / "bucket"
    bucket.mkdir()
    manifest = f'[project]\nname = "test"\n[remote]\nurl = "{bucket.as_uri()}"\nwrite = true\n'
    project = Project(tmp_path / "game", tmp_path / "cache")
    (project.folder / "assets.toml").write_text(manifest)
    (project.folder / ".gitignore").write_text(".artlock/\nout/\n")
    files = []
    for seed in (1, 2):
        files.append(project.draw("gem", noise(seed), prompt=str(seed)))
        project.store.put_file(project.folder / "out/gem.png")
        project.commit()
    settings = parse({"assets.toml": manifest}, root=project.folder).remote
    assert settings is not None
    Remote.open(settings).push(project.store, files, ())
    shutil.rmtree(project.folder / "out")
    other = Project.lying(project.top, tmp_path / "empty")
    review, changes, _ = other.review("HEAD~1", "HEAD")
    assert changes["gem"].measure is not None
    assert review.notes == ()
    shutil.rmtree(bucket)
    lonely = Project.lying(project.top, tmp_path / "lonely")
    review, changes, _ = lonely.review("HEAD~1", "HEAD")
    assert changes["gem"].measure is None
    assert "2 pictures can't be shown: neither git nor the store has them" in review.notes


@needs_lfs
def test_pictures_that_git_lfs_has_or_has_not(tmp_path: Path) -> None:
    project = Project(tmp_path / "game", tmp_path / "cache")
    project.git("lfs", "install", "--local")
    (project.folder / ".gitattributes").write_text("*.png filter=lfs diff=lfs merge=lfs -text\n")
    for seed in (1, 2):
        project.draw("gem", noise(seed), prompt=str(seed))
        project.commit()
    review, changes, pictures = project.review("HEAD~1", "HEAD")
    change = changes["gem"]
    assert (change.causes, change.notes, review.notes) == ((Cause.RECIPE,), (), ())
    assert change.measure is not None
    assert change.before is not None
    assert change.before.file_bytes == len(pictures.read(change.before.shown) or b"")
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", project.top.as_uri(), str(clone)],
        check=True,
        env={**os.environ, "GIT_LFS_SKIP_SMUDGE": "1"},
    )
    other = Project.lying(clone, tmp_path / "cache")
    review, changes, _ = other.review("HEAD~1")
    change = changes["gem"]
    assert change.after is not None
    assert (change.after.lost, change.after.edited) == ("Git LFS has not fetched it", None)
    commit = other.git("rev-parse", "HEAD~1")
    told = "2 pictures can't be shown: Git LFS has not fetched all; run"
    assert review.notes == (f"{told} `git lfs fetch origin {commit} HEAD`",)


def test_a_link_out_of_the_project_shows_nothing(project: Project, tmp_path: Path) -> None:
    """Whoever sends a change could otherwise have any picture of ours in the review."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "gem.png").write_bytes(secret := png.encode(noise(99)))
    shutil.rmtree(project.folder / "out")
    (project.folder / "out").symlink_to(outside)
    _, changes, pictures = project.review()
    assert changes == {}
    assert pictures.read(of_bytes(secret)) is None


def test_an_object_that_the_clone_lacks_is_lost(project: Project) -> None:
    """As in a clone without all of its files, where the server can't be asked."""
    project.draw("gem", noise(3))
    project.commit()
    name = project.git("rev-parse", "HEAD~1:out/gem.png")
    path = project.folder / ".git/objects" / name[:2] / name[2:]
    path.chmod(0o644)
    path.unlink()
    review, changes, _ = project.review("HEAD~1", "HEAD")
    change = changes["gem"]
    assert change.before is not None
    assert change.before.lost == "neither git nor the store has it"
    assert review.notes == ("1 picture can't be shown: neither git nor the store has it",)


def test_a_real_hook_of_a_project_below_the_top(tmp_path: Path) -> None:
    """Git runs hooks at the top, with paths from there; the project is somewhere below."""
    project = Project(tmp_path / "game", tmp_path / "cache", "art")
    project.draw("gem", noise(1))
    project.commit()
    hook = project.top / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(parents=True, exist_ok=True)
    command = f"{sys.executable} -m buildsys diff -C art --staged --json --exit-code"
    hook.write_text(f"#!/bin/sh\nset >seen\n{command} >told\n")
    hook.chmod(0o755)
    project.draw("gem", noise(2))
    project.save()
    environ = {"PYTHONPATH": str(ROOT), "ARTLOCK_CACHE_DIR": str(tmp_path / "cache")}
    for words in (["commit", "--quiet", "--all", "--message=more"], ["commit", "--message=more", "."]):
        with pytest.raises(subprocess.CalledProcessError):
            project.git(*words, **environ)
        assert "GIT_INDEX_FILE=" in (project.top / "seen").read_text()
        told = json.loads((project.top / "told").read_text())
        assert [(change["name"], change["kind"]) for change in told["changes"]] == [("gem", "changed")]
        assert told["changes"][0]["measure"]["changed"] > 0.9


def test_a_bare_clone_of_a_project_in_a_subfolder(tmp_path: Path) -> None:
    project = Project(tmp_path / "all", tmp_path / "cache", "games/one")
    project.draw("gem", noise(1))
    project.commit()
    project.draw("gem", noise(2))
    project.commit()
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", project.top.as_uri(), str(bare)], check=True)
    for words in ((), ("--project", "games/one/")):
        done = asked(bare, "HEAD~1..HEAD", "--exit-code", "--json", *words)
        assert (done.returncode, done.stderr) == (1, "")
        told = json.loads(done.stdout)
        assert [change["name"] for change in told["changes"]] == ["gem"]
        assert told["changes"][0]["measure"] is not None
        assert told["project"] == "one"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["HEAD~1..HEAD", "--project", "games"],
            (
                "neither `HEAD~1` nor `HEAD` has `games/assets.lock`\n\n"
                "hint: name a revision that has it; of a bare repository the folder, with `--project`\n"
            ),
        ),
        (
            ["HEAD~2..HEAD"],
            (
                "there are several locks in `HEAD~2` or `HEAD`: "
                "`games/one/assets.lock`, `two/assets.lock`\n\n"
                "hint: name its folder with `--project`\n"
            ),
        ),
        (
            ["empty..empty"],
            "there is no `assets.lock` in `empty`\n\nhint: commit the lock, or name another revision\n",
        ),
        (
            ["HEAD", "--project", "two"],
            (
                "in a bare repository nothing is checked out or staged\n\n"
                "hint: name two commits: `artlock diff HEAD~1..HEAD`\n"
            ),
        ),
    ],
)
def test_a_bare_clone_never_passes_in_silence(tmp_path: Path, words: list[str], told: str) -> None:
    project = Project(tmp_path / "all", tmp_path / "cache", "games/one")
    project.git("commit", "--quiet", "--allow-empty", "--message=none")
    project.git("tag", "empty")
    for below in ("games/one", "two"):
        project = Project(tmp_path / "all", tmp_path / "cache", below)
        project.draw("gem", noise(1))
        project.commit()
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", project.top.as_uri(), str(bare)], check=True)
    done = asked(bare, *words, "--exit-code")
    assert (done.returncode, done.stdout, done.stderr) == (Exit.USAGE, "", f"error: {told}")


def asked(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`artlock diff` as a person calls it there."""
    return subprocess.run(
        [sys.executable, "-m", "buildsys", "diff", "-C", str(folder), *words],
        cwd=ROOT,
        env={**os.environ, "ARTLOCK_CACHE_DIR": str(folder.parent / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
