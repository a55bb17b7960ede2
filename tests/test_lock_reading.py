"""Locks that are wrong, hostile, newer or in conflict: what a person reads then."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec
import pytest
import rtoml
from hypothesis import given
from hypothesis import strategies as st
from test_lock import RESTORE, example, locked, record, sha

from buildsys.digest import Digest
from buildsys.errors import DiskError, LockError
from buildsys.lock import seal
from buildsys.lock.merge import merge, sides
from buildsys.lock.model import Approval, Conflict, Lock
from buildsys.lock.read import load, parse
from buildsys.lock.write import dump
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record

GEM = dump(locked(record("gem")))
TO_JSON = '{ json = "NaN" }'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no lock of artlock: it does not start with its version"),
        ("version = true\n", "no lock of artlock: it does not start with its version"),
        ("version = 1\n", "no lock of artlock: it does not start with its version"),
        ("version = 1\nrevision = 1\nassets = 3\n", "`assets` is not a table"),
        ("version = 1\nrevision = 1\nenvironments = 3\n", "`environments` is not a table"),
        ("version = 1\nrevision = 1\nasset = 3\n", "unknown key `asset`"),
        (
            "version = 1\nrevision = 1\n[assets]\ngem = 3\n",
            "asset `gem` is no table: expected `object`, got `int`",
        ),
        (GEM.replace("raw = ", "row = "), "asset `gem` lacks `raw`"),
        (GEM.replace("raw = ", "extra = 1\nraw = "), "asset `gem` has an unknown key `extra`"),
        (
            GEM.replace("seed = 7", "seeds = 7"),
            "asset `gem` has an unknown key `seeds`; did you mean `seed`?",
        ),
        (
            GEM.replace("seed = 7", 'seed = "7"'),
            "asset `gem` has a bad `recipe.seed`: expected `int | null`, got `str`",
        ),
        (GEM.replace("[64, 32]", "[64, 0]"), "asset `gem` has a bad `size[1]`: expected `int` >= 1"),
        (GEM.replace("seed = 7", "seed = 8"), "asset `gem` has a recipe that does not match its digest"),
        (
            GEM.replace("seed = 7", "seed = 7\nparameters.when = 2026-01-01"),
            "asset `gem` holds the date 2026-01-01, which is nothing that a recipe can hold",
        ),
        (
            GEM.replace("seed = 7", "seed = 7\nparameters.x = nan"),
            "asset `gem` has a recipe that does not match its digest",
        ),
        (
            GEM.replace("seed = 7", f"seed = 7\nparameters.x = {TO_JSON}"),
            "asset `gem` NaN is not a number that a recipe can hold",
        ),
        (
            GEM.replace('python = "3.11.7"', 'python = "3.12.0"'),
            "environment `env-ENV` was cut off or edited",
        ),
        (
            GEM[: GEM.index("\n[environments")],
            "asset `gem` refers to an environment, and the lock has none: it was cut off",
        ),
        (
            GEM.replace("seed = 7", "seed = "),
            "not TOML: string values must be quoted, expected literal string",
        ),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    environment = GEM[GEM.index("env-") :][:20]
    with pytest.raises(LockError) as caught:
        parse(text)
    origin = "assets.lock:22:8: " if "not TOML" in message else "assets.lock: "
    assert caught.value.message == origin + message.replace("env-ENV", environment)
    assert caught.value.hint == RESTORE


def test_a_newer_version() -> None:
    with pytest.raises(LockError) as caught:
        parse("version = 2\n[art]\nnew = 'form'\n")
    assert str(caught.value) == (
        "assets.lock is of version 2; this artlock reads version 1\n\nhint: upgrade artlock"
    )


def test_a_newer_revision_is_read_but_never_written() -> None:
    newer = GEM.replace("revision = 2", "revision = 3\nfuture = true").replace(
        "raw = ", "mood = 'dark'\nraw = "
    )
    sealed = seal.of(rtoml.loads(newer)["assets"]["gem"])
    lock = parse(re.sub("seal = .*", f'seal = "{sealed}"', newer))
    assert lock.records == locked(record("gem")).records
    with pytest.raises(LockError) as caught:
        dump(lock.updated([record("gem")]))
    assert str(caught.value) == (
        "the lock is of revision 1.3; this artlock writes only 1.2, and would lose what it does not know\n\n"
        "hint: upgrade artlock"
    )


def test_not_text(tmp_path: Path) -> None:
    path = tmp_path / "assets.lock"
    path.write_bytes(b"version = 1\n\xff\n")
    with pytest.raises(LockError) as caught:
        load(path)
    assert caught.value.message == "assets.lock:2: not UTF-8"
    path.unlink()
    path.mkdir()
    with pytest.raises(DiskError, match="a folder is there"):
        load(path)


HOSTILE = ["/etc/passwd", "../x", "out/../../x", "out\\x", "C:/x", "out//x", "out/./x", "", "out/", "a\0b"]


@pytest.mark.parametrize(
    "path", [*HOSTILE, ".git/hooks/pre-commit", "sub/.GIT/config", "a\nb", "out/\x1b[2J"]
)
def test_a_hostile_output_is_refused(path: str) -> None:
    text = dump(locked(msgspec.structs.replace(record("gem"), output=path)))
    with pytest.raises(LockError) as caught:
        parse(text)
    assert caught.value.message == (
        f"assets.lock: asset `gem` has the path {path!r}, which may lead out of the project"
    )


@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_name_or_input_is_refused(path: str) -> None:
    named = msgspec.structs.replace(record("gem"), name=AssetName(path))
    fed = msgspec.structs.replace(record("gem"), paths={"image": path})
    for odd in (named, fed):
        with pytest.raises(LockError, match="which may lead out of the project"):
            parse(dump(Lock(records={odd.name: odd})))


def test_a_bundled_input_is_fine() -> None:
    fed = msgspec.structs.replace(
        record("gem"), paths={"font": "bundled:fonts/a b.ttf", "image": "art/x.png"}
    )
    assert parse(dump(locked(fed))) == locked(fed)


def test_deep_nesting_is_no_traceback() -> None:
    for deep in (
        "[" * 5000 + "]" * 5000,
        "{a=" * 5000 + "1" + "}" * 5000,
        '{ json = "' + "[" * 90_000 + '" }',
    ):
        with pytest.raises(LockError):
            parse(GEM.replace("seed = 7", f"seed = 7\nparameters.x = {deep}"))


@given(st.text(max_size=200))
def test_garbage_is_no_traceback(text: str) -> None:
    for garbage in (text, f"version = 1\nrevision = 1\n{text}", GEM.replace("seed = 7", text)):
        try:
            parse(garbage)
        except LockError as error:
            assert error.hint  # noqa: PT017 - whether it is raised is not the point


# Merging


def changed(item: Record) -> Record:
    return msgspec.structs.replace(item, engine=item.engine + "-2")


def drawn(seed: int) -> Record:
    """`a` with another picture."""
    item = record("a", seed=seed)
    picture = msgspec.structs.replace(item.picture, pixels=sha(f"pixels {seed}"))
    return msgspec.structs.replace(item, picture=picture)


def said(item: Record, by: str) -> Lock:
    """A lock of one asset, whose picture somebody approved."""
    words = {item.name: Approval(pixels=Digest(item.picture.pixels), by=f"{by} <x@y>")} if by else {}
    return msgspec.structs.replace(locked(item), approvals=words)


A, B, C = record("a"), record("b"), record("c")


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged", "conflicts"),
    [
        ([A, B], [changed(A), B], [A, changed(B)], [changed(A), changed(B)], []),
        ([A], [A, B], [A, C], [A, B, C], []),
        ([A, B], [B], [A, B], [B], []),
        ([A, B], [A, B], [B], [B], []),
        ([A], [changed(A)], [], [changed(A)], ["a"]),
        ([A], [], [changed(A)], [changed(A)], ["a"]),
        ([A], [changed(A)], [changed(changed(A))], [changed(A)], ["a"]),
        ([A], [changed(A)], [changed(A)], [changed(A)], []),
        ([], [A], [changed(A)], [A], ["a"]),
        ([A], [], [], [], []),
        (None, [A, B], [A, C], [A, B, C], []),
        (None, [A, B], [changed(A), B], [A, B], ["a"]),
    ],
)
def test_merge(
    base: list[Record] | None,
    ours: list[Record],
    theirs: list[Record],
    merged: list[Record],
    conflicts: list[str],
) -> None:
    ancestor = None if base is None else locked(*base)
    found = merge(ancestor, locked(*ours), locked(*theirs))
    assert list(found.conflicts) == conflicts
    assert found.records == locked(*(item for item in merged if item.name not in conflicts)).records
    for name, conflict in found.conflicts.items():
        sides = (base or [], ours, theirs)
        before, mine, other = (next((item for item in side if item.name == name), None) for side in sides)
        assert conflict == Conflict(base=before, ours=mine, theirs=other)


OLD, MINE, THEIRS = record("a"), drawn(8), drawn(9)
SAME = msgspec.structs.replace(OLD, engine="stock-2")
"""Of another recipe, and yet the same picture."""


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "by"),
    [
        ((OLD, ""), (OLD, "Ada"), (THEIRS, "Grace"), "Grace"),
        ((OLD, "Ada"), (OLD, ""), (THEIRS, "Grace"), "Grace"),
        ((OLD, "Ada"), (OLD, ""), (SAME, "Ada"), ""),
        ((OLD, ""), (OLD, "Ada"), (SAME, "Grace"), "Ada"),
        ((OLD, "Ada"), (OLD, "Ada"), (OLD, "Grace"), "Grace"),
        ((OLD, "Ada"), (OLD, "Ada"), (OLD, "Ada"), "Ada"),
        (None, (OLD, ""), (OLD, "Grace"), "Grace"),
    ],
)
def test_an_approval_of_the_picture_that_is_taken(
    base: tuple[Record, str] | None, ours: tuple[Record, str], theirs: tuple[Record, str], by: str
) -> None:
    found = merge(None if base is None else said(*base), said(*ours), said(*theirs))
    assert found.records
    assert [word.by for word in found.approvals.values()] == ([f"{by} <x@y>"] if by else [])
    assert found.is_approved(OLD.name) is bool(by)


@pytest.mark.parametrize(
    ("before", "ours", "theirs", "kept"),
    [
        ("", "Ada", "Grace", ("Ada", "Grace")),
        ("Bob", "", "Grace", ("", "Grace")),
        ("Bob", "Ada", "", ("Ada", "")),
        ("Bob", "", "", ("", "")),
    ],
)
def test_a_conflict_keeps_what_either_side_says_of_its_picture(
    before: str, ours: str, theirs: str, kept: tuple[str, str]
) -> None:
    found = merge(said(OLD, before), said(MINE, ours), said(THEIRS, theirs))
    (conflict,) = found.conflicts.values()
    assert tuple("" if word is None else word.by.partition(" <")[0] for word in conflict.approvals) == kept
    assert found.approvals == {}
    text = dump(found)
    assert parse(text) == found
    assert dump(parse(text)) == text
    for side, by in zip((MINE, THEIRS), kept, strict=True):
        assert found.updated([side]).is_approved(OLD.name) is bool(by)
        assert found.updated([side]) == parse(text).updated([side])


def test_a_picture_of_both_sides_is_approved_once() -> None:
    """One side changed the recipe in one way, the other in another: the picture came out the same."""
    other = msgspec.structs.replace(OLD, engine="stock-3")
    for ours, theirs in (("Ada", ""), ("", "Ada"), ("Ada", "Grace")):
        found = merge(said(OLD, ""), said(SAME, ours), said(other, theirs))
        assert parse(dump(found)) == found
        assert dump(found).count("Ada <x@y>") == 1
        assert all(found.updated([side]).approvals[OLD.name].by == "Ada <x@y>" for side in (SAME, other))


STYLES = pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])


def marked(lock: Lock) -> Lock:
    return msgspec.structs.replace(lock, marked=True)


class Branches:
    """A real repository in which two branches changed the lock."""

    def __init__(self, folder: Path, style: str) -> None:
        self.path = folder / "assets.lock"
        self.folder = folder
        self.git("config", "merge.conflictStyle", style)

    def git(self, *arguments: str) -> int:
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, check=False, capture_output=True
        ).returncode

    def commit(self, lock: Lock) -> None:
        self.path.write_text(dump(lock))
        self.git("add", "assets.lock")
        self.git("commit", "-m", "lock")

    def merge(self, base: Lock, ours: Lock, theirs: Lock) -> None:
        """Leave the work tree with what git makes of it, which must be a conflict."""
        self.commit(base)
        self.git("checkout", "-b", "theirs")
        self.commit(theirs)
        self.git("checkout", "main")
        self.commit(ours)
        assert self.git("merge", "theirs") == 1
        assert "<<<<<<< HEAD" in self.path.read_text()


@STYLES
def test_added_on_both_sides(repository: Path, style: str) -> None:
    base = example()
    one, two = record("gems/green"), record("gems/grey")
    branches = Branches(repository, style)
    branches.merge(base, base.updated([one]), base.updated([two]))
    assert load(branches.path) == marked(base.updated([one, two]))


@STYLES
def test_neighbours_changed_on_either_side(repository: Path, style: str) -> None:
    base = locked(A, B, C)
    mine = msgspec.structs.replace(record("a", seed=8), environment={"python": "3.12"})
    other = msgspec.structs.replace(record("b", seed=9), environment={"python": "3.13"})
    branches = Branches(repository, style)
    branches.merge(base, base.updated([mine]), base.updated([other], removed=[AssetName("c")]))
    assert load(branches.path) == marked(locked(mine, other))


@STYLES
def test_changed_differently_on_both_sides(repository: Path, style: str) -> None:
    base = locked(A, B)
    mine, other = record("a", seed=8), record("a", seed=9)
    branches = Branches(repository, style)
    branches.merge(base, base.updated([mine]), base.updated([other]))
    found = load(branches.path)
    assert found.records == locked(B).records
    assert found.conflicts == {"a": Conflict(base=A, ours=mine, theirs=other)}
    # What is written keeps it a conflict, and reads as the same, whatever git had.
    text = dump(found)
    assert parse(text) == found
    branches.path.write_text(text)
    assert load(branches.path) == found


@STYLES
def test_the_marks_alone_do_where_git_has_no_more(repository: Path, style: str) -> None:
    base = locked(A, C)
    mine, other = record("b", seed=7), record("b", seed=8)
    branches = Branches(repository, style)
    branches.merge(base, base.updated([mine]), base.updated([other]))
    whole = load(branches.path)
    branches.git("add", "assets.lock")
    found = load(branches.path)
    assert list(found.conflicts) == list(whole.conflicts) == ["b"]
    assert found.records == whole.records == base.records


@STYLES
def test_lines_of_both_sides_are_no_record(repository: Path, style: str) -> None:
    """Far enough apart, git takes the engine of one side and the recipe of the other; only seals conflict."""
    base = locked(A, record("z"))
    mine = msgspec.structs.replace(A, engine="stock-2")
    other = msgspec.structs.replace(record("a", seed=9), picture=A.picture, raw=A.raw)
    branches = Branches(repository, style)
    branches.merge(
        base, locked(mine, record("z", seed=8)), locked(other, record("z", seed=9, prompt="another"))
    )
    text = branches.path.read_text()
    assert text.index('engine = "stock-2"') < text.index("<<<<<<< ") < text.index("seed = 9")
    assert re.search(r'^<<<<<<< HEAD\nseal = "\w+"\n', text, re.MULTILINE)
    found = load(branches.path)
    assert found.conflicts[AssetName("a")] == Conflict(base=A, ours=mine, theirs=other)
    assert (list(found.conflicts), list(found.records)) == (["a", "z"], [])


@STYLES
def test_what_a_person_decided_in_the_text_holds(repository: Path, style: str) -> None:
    base = locked(A, record("m"), C)
    mine = base.updated([record("a", seed=8), record("c", seed=8)])
    other = base.updated([record("a", seed=9), record("c", seed=9)])
    branches = Branches(repository, style)
    branches.merge(base, mine, other)
    assert list(load(branches.path).conflicts) == ["a", "c"]
    text = branches.path.read_text()
    begin = text.index("<<<<<<< ")
    end = text.index("\n", text.index(">>>>>>> ", begin)) + 1
    found = sides(text[begin:end])
    while "[assets.c]" not in text[end:] or text[begin:end].count("digest =") < 2:
        # Git may part one asset into several conflicts: all of them up to the next one are its own.
        end = text.index("\n", text.index(">>>>>>> ", end)) + 1
        found = sides(text[begin:end])
    assert found is not None
    branches.path.write_text(text[:begin] + found.theirs + text[end:])
    decided = load(branches.path)
    assert list(decided.conflicts) == ["c"]
    assert decided.records[AssetName("a")] == record("a", seed=9)


@STYLES
def test_one_side_of_a_first_lock(repository: Path, style: str) -> None:
    """Both branches made a lock where there was none: git has no common ancestor at all."""
    branches = Branches(repository, style)
    branches.git("commit", "--allow-empty", "-m", "nothing yet")
    branches.git("checkout", "-b", "theirs")
    branches.commit(locked(A, B))
    branches.git("checkout", "main")
    branches.commit(locked(record("a", seed=8), C))
    assert branches.git("merge", "theirs") == 1
    found = load(branches.path)
    assert found.records == locked(B, C).records
    assert found.conflicts == {"a": Conflict(ours=record("a", seed=8), theirs=A)}


def test_resolving_one_leaves_the_others_marked() -> None:
    sides_of = {item.name: Conflict(base=None, ours=item, theirs=changed(item)) for item in (A, B)}
    found = msgspec.structs.replace(locked(C), conflicts=sides_of, marked=True)
    assert parse(dump(found)) == found
    left = found.updated([A])
    assert parse(dump(left)) == left
    assert (list(left.records), list(left.conflicts)) == (["c", "a"], ["b"])
    done = left.updated([], removed=[AssetName("b")])
    assert "<<<<<<<" not in dump(done)
    assert parse(dump(done)) == locked(A, C)


def test_every_truncation_of_a_lock_in_conflict_is_refused_or_only_shorter() -> None:
    sides_of = {A.name: Conflict(base=A, ours=changed(A), theirs=changed(changed(A)))}
    whole = msgspec.structs.replace(locked(B, C), conflicts=sides_of, marked=True)
    text = dump(whole)
    for length in range(len(text)):
        try:
            lock = parse(text[:length])
        except LockError:
            continue
        assert lock.records.keys() <= whole.records.keys()
        assert lock.conflicts.keys() <= whole.conflicts.keys()


def test_different_parts_of_one_recipe_changed(repository: Path) -> None:
    """Git takes the prompt of one side and the seed of the other without a word; the digest tells."""
    base = locked(A, B)
    branches = Branches(repository, "diff3")
    mine, other = record("a", seed=8), record("a", prompt="another")
    branches.merge(base, base.updated([mine]), base.updated([other]))
    conflict = Conflict(base=A, ours=mine, theirs=other)
    assert load(branches.path).conflicts == {"a": conflict}
    branches.git("add", "assets.lock")
    assert list(load(branches.path).conflicts) == ["a"]


def test_the_last_user_of_an_environment_leaves_as_another_comes(repository: Path) -> None:
    """Git merges it cleanly, and the new record refers to a table that is gone."""
    old, new = {"python": "3.11.7", "numpy": "2.1.0"}, {"python": "3.13.0"}
    middle = [record(f"m{number}") for number in range(3)]
    middle = [msgspec.structs.replace(item, environment=new) for item in middle]
    base = locked(A, *middle)
    branches = Branches(repository, "diff3")
    branches.commit(base)
    branches.git("checkout", "-b", "theirs")
    branches.commit(base.updated([record("0")]))
    branches.git("checkout", "main")
    branches.commit(base.updated([msgspec.structs.replace(A, environment=new)]))
    assert A.environment == old
    assert branches.git("merge", "theirs") == 0
    assert load(branches.path).records[AssetName("0")] == msgspec.structs.replace(record("0"), environment={})


def test_marks_without_their_other_half() -> None:
    lines = GEM.split("\n")
    for marks, message in (
        (["<<<<<<< HEAD"], "the last mark of a merge conflict lacks its other half"),
        ([">>>>>>> x"], "line 5: a mark of a merge conflict without its other half"),
        (
            ["<<<<<<< a", "<<<<<<< b"],
            "line 6: a mark of a merge conflict without its other half",
        ),
        (
            ["<<<<<<< a", ">>>>>>> b"],
            "line 6: a mark of a merge conflict without its other half",
        ),
    ):
        with pytest.raises(LockError) as caught:
            parse("\n".join([*lines[:4], *marks, *lines[4:]]))
        assert caught.value.message == f"assets.lock: {message}"


def test_a_prompt_that_looks_like_a_conflict() -> None:
    prompt = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n||||||| y\n"
    odd = locked(record("gem", prompt=prompt))
    assert parse(dump(odd)) == odd


def test_a_digest_that_is_none() -> None:
    odd = msgspec.structs.replace(record("gem"), raw=sha("x").upper())
    with pytest.raises(LockError, match="asset `gem` has a bad `raw`"):
        parse(dump(locked(odd)))
