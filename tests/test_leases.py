"""Leases: what a running build relies on stays, whoever else removes what is old."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from game import ROOT, Game

from buildsys.digest import Digest
from buildsys.store import leases
from buildsys.store.inventory import Entry, Kind, entries, remove
from buildsys.store.objects import Store
from buildsys.upkeep.collect import Collected, Limits, collect

LONG_AGO = (1_000_000_000, 1_000_000_000)
HOLD = """
import sys
from pathlib import Path
from buildsys.store.objects import Store
with Store(Path(sys.argv[1])).leased():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def old(store: Store, data: bytes) -> Digest:
    digest = store.put_bytes(data)
    os.utime(store.path_of(digest), LONG_AGO)
    return digest


def remove_all(store: Store) -> set[Digest]:
    return {entry.digest for entry in remove(store.layout, entries(store.layout, Kind.OBJECT))}


def test_what_a_lease_found_or_put_stays_and_the_rest_goes(store: Store, tmp_path: Path) -> None:
    kinds = ("has", "read", "place", "put", "file", "idle")
    digests = {kind: old(store, kind.encode()) for kind in kinds}
    listed = list(entries(store.layout, Kind.OBJECT))
    (tmp_path / "file").write_bytes(b"file")
    with store.leased():
        store.has(digests["has"])
        store.read(digests["read"])
        store.place(digests["place"], tmp_path / "placed")
        store.put_bytes(b"put")
        store.put_file(tmp_path / "file")
        new = store.put_bytes(b"new")
        # Whether it was listed before its use or after.
        assert {entry.digest for entry in remove(store.layout, listed)} == {digests["idle"]}
        assert remove_all(store) == set()
    assert remove_all(store) == {new, *digests.values()} - {digests["idle"]}


def test_a_result_is_claimed_when_it_is_recalled(store: Store) -> None:
    key = store.put_bytes(b"key")
    store.record_action(key, {"raw": key})
    os.utime(store.layout / "actions" / key[:2] / key[2:], LONG_AGO)
    with store.leased():
        assert store.action(key)
        assert list(remove(store.layout, entries(store.layout, Kind.ACTION))) == []
    assert len(list(remove(store.layout, entries(store.layout, Kind.ACTION)))) == 1


def test_without_a_lease_nothing_is_noted(store: Store) -> None:
    digest = old(store, b"red")
    assert store.has(digest)
    assert store.read(digest) == b"red"
    assert store.path_of(digest).stat().st_mtime == LONG_AGO[1]


def test_what_was_used_since_it_was_listed_stays(store: Store) -> None:
    digest = old(store, b"red")
    (listed,) = entries(store.layout, Kind.OBJECT)
    os.utime(store.path_of(digest))
    assert list(remove(store.layout, [listed])) == []
    assert store.has(digest)


def test_one_lease_within_another_ends_alone(store: Store) -> None:
    digest = old(store, b"red")
    with store.leased():
        with store.leased():
            pass
        assert store.has(digest)
        assert remove_all(store) == set()


@pytest.fixture
def holder(store: Store) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.layout.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_lease_of_a_killed_process_is_void(store: Store, holder: subprocess.Popen[str]) -> None:
    notes = store.layout / leases.RUNNING
    digest = store.put_bytes(b"red")
    with leases.closed(store.layout) as oldest:
        assert oldest == next(notes.iterdir()).stat().st_mtime_ns
    assert remove_all(store) == set()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert list(notes.iterdir())
    assert remove_all(store) == {digest}
    assert not list(notes.iterdir())


def test_where_nothing_can_be_written_there_is_no_lease_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with leases.lease(tmp_path / "cache" / "v1") as found:
        assert found is None


def test_a_claim_and_a_removal_never_both_succeed(store: Store) -> None:
    """Whoever finds a file has it: one side claims, the other one removes, as fast as both can."""
    digests = [old(store, bytes([number]) * 9) for number in range(250)]
    started = threading.Barrier(2)

    def remove_one_by_one() -> None:
        started.wait()
        for digest in digests:
            list(remove(store.layout, [Entry(Kind.OBJECT, digest, 9, 10**18)]))

    lost, claimed = [], 0
    thread = threading.Thread(target=remove_one_by_one)
    other = Store(store.layout.parent)
    with other.leased():
        thread.start()
        started.wait()
        for digest in reversed(digests):
            if other.has(digest):
                claimed += 1
                lost += [] if other.path_of(digest).exists() else [digest]
        thread.join()
    assert lost == []
    # What was claimed is all that is left.
    assert sum(store.has(digest) for digest in digests) == claimed


ASSET = '[assets."a{0}"]\nrole = "sprite"\nprompt = "{1}"\nseed = {0}\nsize = [8, 8]\n'


def test_builds_and_gc_side_by_side(tmp_path: Path) -> None:
    """Nothing that a lock of a branch names is made twice, and no build fails, while gc never rests."""
    game = Game(tmp_path / "game", tmp_path / "cache")
    files: dict[str, dict[str, bytes]] = {}

    def paint(prompt: str) -> None:
        game.write("".join(ASSET.format(number, prompt) for number in range(4)))
        game.build()

    for branch in ("red", "blue"):
        paint(branch)
        game.commit()
        game.git("branch", branch)
        files[branch] = game.outputs()
    assert len(game.made()) == 8
    ended, found, troubles = threading.Event(), list[Collected](), list[BaseException]()

    def collect_all() -> None:
        while not ended.is_set():
            try:
                found.append(collect(Store(game.cache), Limits(older_than=0, paid=True)))
            except BaseException as error:  # noqa: BLE001 - told by the test
                troubles.append(error)

    thread = threading.Thread(target=collect_all)
    thread.start()
    try:
        for branch in ("red", "blue", "red"):
            game.git("checkout", "--quiet", "--force", branch)
            shutil.rmtree(game.folder / "out")
            assert len(game.build()["restored"]) == 4
            assert game.outputs() == files[branch]
            # What no lock has for long: made, overwritten, and made again where it is gone by then.
            paint("green")
            assert len(game.outputs()) == 4
            game.run("check")
            assert {*game.made()} <= {"a0", "a1", "a2", "a3"}
    finally:
        ended.set()
        thread.join()
    assert troubles == []
    assert sum(item.removed.files for item in found) > 0
