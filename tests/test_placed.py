"""The note of placed pictures: it knows what a killed build put where, and never takes more for ours."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from buildsys.digest import Digest, of_bytes
from buildsys.errors import DiskError
from buildsys.files.placed import PLACE, Placed
from buildsys.ledger import Ledger
from buildsys.lock.model import Lock
from buildsys.lock.read import load
from buildsys.manifest.model import AssetName
from buildsys.plan import recipe
from buildsys.plan.record import Parts, Picture, Record

RED, BLUE = of_bytes(b"red"), of_bytes(b"blue")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / PLACE).parent.mkdir()
    (tmp_path / "out").mkdir()
    return tmp_path


def record(name: str, file: Digest) -> Record:
    parts = Parts(adapter="noise", adapter_version="1.0.0", seed=len(name))
    return Record(
        name=AssetName(name),
        recipe=recipe.digest_of(parts),
        parts=parts,
        engine="noise",
        output=f"out/{name}.png",
        picture=Picture(file=file, pixels=file, phash="0" * 16, width=8, height=8),
        raw=file,
    )


def test_what_was_noted_is_known_to_the_next_build_for_that_very_path(root: Path) -> None:
    Placed(root).note("out/é.png", RED)
    found = Placed(root)
    assert found.has("out/é.png", RED)
    assert not found.has("out/é.png", BLUE)
    assert not found.has("out/other.png", RED)
    (root / PLACE).unlink()
    assert not Placed(root).has("out/é.png", RED)


def test_a_line_torn_anywhere_says_nothing_and_spoils_no_later_one(root: Path) -> None:
    placed = Placed(root)
    placed.note("out/a.png", RED)
    first = len((root / PLACE).read_bytes())
    placed.note("out/b.png", BLUE)
    whole = (root / PLACE).read_bytes()
    for length in range(len(whole)):
        (root / PLACE).write_bytes(whole[:length])
        found = Placed(root)
        assert found.has("out/a.png", RED) == (length >= first - 1), "all but the line feed suffices"
        assert found.has("out/b.png", BLUE) == (length >= len(whole) - 1)
        found.note("out/c.png", RED)
        assert Placed(root).has("out/c.png", RED)


@pytest.mark.parametrize(
    "line",
    [b"\xff\xfe", b"null", b"[" * 10_000, b'["out/a.png"]', b'["out/a.png", "../../x"]', b'[1, "x"]', b"\0"],
)
def test_what_is_not_ours_is_passed_over(root: Path, line: bytes) -> None:
    (root / PLACE).write_bytes(line + b"\n")
    placed = Placed(root)
    placed.note("out/a.png", RED)
    assert Placed(root).has("out/a.png", RED)


def test_a_link_or_a_pipe_in_its_place_is_neither_read_nor_written(root: Path) -> None:
    (root / "secret").write_text("mine")
    (root / PLACE).symlink_to(root / "secret")
    with pytest.raises(DiskError, match="it is a symbolic link"):
        Placed(root).note("out/a.png", RED)
    assert (root / "secret").read_text() == "mine"
    (root / PLACE).unlink()
    os.mkfifo(root / PLACE)
    assert not Placed(root).has("out/a.png", RED)


def test_what_is_forgotten_goes_and_the_rest_stays(root: Path) -> None:
    placed = Placed(root)
    placed.note("out/a.png", RED)
    placed.note("out/a.png", BLUE)
    placed.note("out/b.png", BLUE)
    placed.forget({"out/a.png"})
    found = Placed(root)
    assert not found.has("out/a.png", RED)
    assert not found.has("out/a.png", BLUE)
    assert found.has("out/b.png", BLUE)
    found.forget({"out/b.png"})
    assert list((root / PLACE).parent.iterdir()) == []


def test_the_note_goes_with_the_lock_that_tells_of_it(root: Path) -> None:
    """A picture that is placed, but not taken in when the lock is written, stays noted."""
    ledger = Ledger(root / "assets.lock", Lock())
    ledger.placing("out/a.png", RED)
    ledger.placing("out/bb.png", BLUE)
    ledger.publish(record("a", RED))
    ledger.save()
    assert load(root / "assets.lock").records.keys() == {"a"}
    assert not Placed(root).has("out/a.png", RED)
    assert Placed(root).has("out/bb.png", BLUE)

    # The next build, the first one killed here; it makes another picture of it.
    ledger = Ledger(root / "assets.lock", load(root / "assets.lock"))
    ledger.placing("out/bb.png", RED)
    ledger.publish(record("bb", RED))
    ledger.save()
    assert not (root / PLACE).exists()


def test_the_note_of_a_stand_in_goes_too(root: Path) -> None:
    ledger = Ledger(root / "assets.lock", Lock())
    ledger.placing("out/a.png", RED)
    ledger.stand_in(record("a", RED))
    ledger.save()
    assert not (root / PLACE).exists()


def test_a_folder_that_was_moved_away_stops_no_lock(root: Path) -> None:
    (root / "out").rmdir()
    ledger = Ledger(root / "assets.lock", Lock())
    ledger.publish(record("a", RED))
    ledger.save()
    assert load(root / "assets.lock").records.keys() == {"a"}


def test_what_a_killed_build_had_begun_to_write_is_removed(root: Path) -> None:
    begun, elsewhere, own = (
        root / "out" / ".artlock-12-0-abc.tmp",
        root / "art" / ".artlock-12-1-abc.tmp",
        root / "out" / "hero.tmp",
    )
    elsewhere.parent.mkdir()
    outside = root.parent / ".artlock-12-2-abc.tmp"
    for path in (begun, elsewhere, own, outside):
        path.write_bytes(b"half")
    placed = Placed(root)
    placed.note("out/hero.png", RED)
    placed.note("../hero.png", RED)
    Ledger(root / "assets.lock", Lock())
    assert [path.exists() for path in (begun, elsewhere, own, outside)] == [False, True, True, True]


def test_without_a_killed_build_nothing_is_looked_for(root: Path) -> None:
    begun = root / "out" / ".artlock-12-0-abc.tmp"
    begun.write_bytes(b"another program's")
    Ledger(root / "assets.lock", Lock())
    assert begun.exists()


def test_what_the_lock_tells_by_now_is_noted_no_more(root: Path) -> None:
    """As a kill leaves it between the lock's writing and the note's end; a later file stays noted."""
    lock = Lock(records={AssetName("a"): record("a", RED), AssetName("bb"): record("bb", RED)})
    placed = Placed(root)
    for name in ("a", "bb"):
        placed.note(f"out/{name}.png", RED)
    placed.note("out/bb.png", BLUE)
    Ledger(root / "assets.lock", lock)
    found = Placed(root)
    assert not found.has("out/a.png", RED)
    assert not found.has("out/bb.png", RED)
    assert found.has("out/bb.png", BLUE)
    placed.forget({"out/bb.png"})
    placed.note("out/a.png", RED)
    Ledger(root / "assets.lock", lock)
    assert not (root / PLACE).exists()


def test_what_a_killed_build_had_begun_beside_the_lock_is_removed_and_no_one_elses(root: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    sheets = root / ".artlock" / "candidates" / "heroes"
    sheets.mkdir(parents=True)
    folders = root, root / ".artlock", sheets.parent, sheets
    for folder in folders:
        (folder / f".artlock-{ended.pid}-0-abc.tmp").write_bytes(b"half")
    # Of `artlock pick`, say, which writes assets.toml and needs no checkout for itself.
    theirs = root / f".artlock-{os.getpid()}-0-abc.tmp"
    theirs.write_bytes(b"half")
    Ledger(root / "assets.lock", Lock())
    assert [path for folder in folders for path in folder.glob(".artlock-*")] == [theirs]
