"""The store: what was put comes back whole or not at all, whoever else is writing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from buildsys.digest import Digest, of_bytes
from buildsys.errors import DiskError, StoreError
from buildsys.store.objects import Store
from buildsys.store.place import default_root

RED, BLUE = b"red" * 50, b"blue" * 50
KEY = of_bytes(b"an action")
RESULT = {"raw": of_bytes(RED), "facts": {"width": 64, "opaque": 0.5, "big": 2**70}, "credits": [None, "é\n"]}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def damage(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def staging(store: Store) -> list[Path]:
    return list(store.path_of(KEY).parent.parent.parent.joinpath("staging").iterdir())


def test_bytes_come_back(store: Store) -> None:
    digest = store.put_bytes(RED)
    assert digest == of_bytes(RED)
    assert store.has(digest)
    assert store.read(digest) == RED
    assert stat.S_IMODE(store.path_of(digest).stat().st_mode) & 0o222 == 0
    assert staging(store) == []


def test_a_file_is_copied(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "staged.png"
    with path.open("wb") as engine:
        engine.write(RED)
        engine.flush()
        digest = store.put_file(path)
        engine.write(BLUE)
    assert store.read(digest) == RED
    assert path.read_bytes() == RED + BLUE


def test_what_was_not_synced_is_synced_by_the_next_one_who_asks(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(RED)
    digest = store.put_bytes(RED, sync=False)
    path = store.path_of(digest)
    before = path.stat()
    for sync in (False, True):
        assert store.put_file(tmp_path / "file", sync=sync) == digest
        assert store.put_bytes(RED, sync=sync) == digest
    assert path.stat().st_ino == before.st_ino, "it lies there already"
    store.record_action(KEY, RESULT, sync=False)
    assert store.action(KEY) == RESULT
    assert staging(store) == []


def test_what_is_not_there(store: Store, tmp_path: Path) -> None:
    digest = of_bytes(RED)
    assert store.read(digest) is None
    assert not store.has(digest)
    assert not store.place(digest, tmp_path / "target")
    assert store.action(KEY) is None
    assert store.dropped == []
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("digest", ["", "ab", "../" * 21 + "a", "A" * 64, "0" * 63 + "\n"])
def test_a_name_that_is_no_digest_is_refused(store: Store, digest: str) -> None:
    for ask in (store.path_of, store.read, store.has, store.action):
        with pytest.raises(StoreError, match="is not a SHA-256") as caught:
            ask(Digest(digest))
        assert caught.value.hint == "restore `assets.lock` from git"


def test_a_link_is_not_put(store: Store, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(DiskError, match="it is a symbolic link"):
        store.put_file(tmp_path / "link")


def test_every_truncation_and_bit_flip_of_an_object_is_noticed(store: Store, tmp_path: Path) -> None:
    digest = store.put_bytes(RED)
    path, target = store.path_of(digest), tmp_path / "target"
    damaged = [RED[:length] for length in range(len(RED))]
    damaged += [
        RED[:at] + bytes([RED[at] ^ 1 << bit]) + RED[at + 1 :] for at in range(len(RED)) for bit in range(8)
    ]
    damaged.append(RED + b"x")
    for data in damaged:
        damage(path, data)
        assert store.read(digest) is None
        assert not path.exists()
        damage(path, data)
        assert not store.place(digest, target)
        assert not target.exists()
        assert not path.exists()
    assert store.dropped == [digest] * 2 * len(damaged)
    assert store.put_bytes(RED) == digest
    assert store.place(digest, target)
    assert target.read_bytes() == RED
    assert staging(store) == []


def test_putting_mends_a_damaged_object(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(RED)
    digest = store.put_bytes(RED)
    puts: list[Callable[[], Digest]] = [lambda: store.put_bytes(RED), lambda: store.put_file(source)]
    for put in puts:
        damage(store.path_of(digest), BLUE)
        assert put() == digest
        assert store.read(digest) == RED


def test_place_stays_in_the_project(store: Store, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "out").symlink_to(tmp_path)
    with pytest.raises(DiskError, match="is outside of"):
        store.place(store.put_bytes(RED), project / "out" / "file", within=project)
    assert not (tmp_path / "file").exists()


def test_an_action_comes_back(store: Store) -> None:
    store.record_action(KEY, RESULT)
    assert store.action(KEY) == RESULT
    store.record_action(KEY, {"raw": "other"})
    assert store.action(KEY) == {"raw": "other"}


def test_every_truncation_and_bit_flip_of_an_action_is_noticed(store: Store) -> None:
    store.record_action(KEY, RESULT)
    path = store.path_of(KEY).parent.parent.parent / "actions" / KEY[:2] / KEY[2:]
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [
        whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
        for at in range(len(whole))
        for bit in range(8)
    ]
    damaged += [b"[" * 100_000, b"null", b"[]", b"{}", b'{"digest": 1, "key": []}']
    for data in damaged:
        damage(path, data)
        assert store.action(KEY) is None
        assert not path.exists()


def test_an_action_under_another_name_is_not_served(store: Store) -> None:
    store.record_action(KEY, RESULT)
    other = of_bytes(b"another action")
    actions = store.path_of(KEY).parent.parent.parent / "actions"
    damage(actions / other[:2] / other[2:], (actions / KEY[:2] / KEY[2:]).read_bytes())
    assert store.action(other) is None
    assert store.dropped == [other]


def test_a_result_that_is_no_json_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        store.record_action(KEY, {"value": float("nan")})
    assert store.action(KEY) is None


WRITER = """
import sys
from pathlib import Path
from buildsys.store.objects import Store
store = Store(Path(sys.argv[1]))
sys.stdin.readline()
for number in range(60):
    data = f"object {number} ".encode() * 2000
    digest = store.put_bytes(data)
    assert store.read(digest) == data
    store.record_action(digest, {"number": number})
    assert store.action(digest) == {"number": number}
assert store.dropped == []
"""


def test_processes_that_write_the_same_objects(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(3)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.close()
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len([path for path in (tmp_path / "v1" / "objects").rglob("*") if path.is_file()]) == 60


def test_a_reader_that_drops_spares_a_good_object(store: Store) -> None:
    """Between reading bad bytes and dropping them, another process may have put good ones."""
    digest = store.put_bytes(RED)
    store._drop(store.path_of(digest), digest, lambda data: of_bytes(data) == digest)  # noqa: SLF001 - that moment
    assert store.read(digest) == RED


def test_a_good_object_is_never_away(store: Store) -> None:
    """Not even while it is judged: a kill in that moment would lose what a build has claimed."""
    digest = store.put_bytes(RED)
    path, there = store.path_of(digest), list[bool]()

    def judged(data: bytes) -> bool:
        there.append(path.exists())
        return of_bytes(data) == digest

    with store.leased():
        assert store.has(digest)
        store._drop(path, digest, judged)  # noqa: SLF001 - that moment
        assert there == [True]
        assert store.has(digest)
        # The lease of the same process does not keep a damaged one from being dropped.
        damage(path, BLUE)
        assert store.read(digest) is None
        assert not path.exists()


@pytest.mark.parametrize("kind", ["object", "action"])
def test_what_is_put_while_a_damaged_one_is_dropped_stays(store: Store, kind: str) -> None:
    digest = store.put_bytes(RED)
    store.record_action(digest, RESULT)
    path = store.layout / f"{kind}s" / digest[:2] / digest[2:]
    damage(path, BLUE)
    other = Store(store.layout.parent)
    put = threading.Thread(
        target=lambda: other.put_bytes(RED) if kind == "object" else other.record_action(digest, RESULT)
    )

    def judged(_: bytes) -> bool:
        put.start()
        put.join(0.5)  # it could end meanwhile, if it did not wait
        return False

    store._drop(path, digest, judged)  # noqa: SLF001 - that moment
    put.join()
    assert store.read(digest) == RED
    assert store.action(digest) == RESULT


def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(disk)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"needs the right to mount a file system: {done.stderr.decode().strip()}")
    try:
        store = Store(disk)
        digest = store.put_bytes(RED)
        with pytest.raises(DiskError) as caught:
            store.put_bytes(bytes(300_000))
        assert caught.value.message == f"can't write into `{disk}`: the disk is full"
        assert not store.has(of_bytes(bytes(300_000)))
        assert store.read(digest) == RED
        assert staging(store) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_where_the_store_lies() -> None:
    home = {"HOME": "/home/ann"}
    assert default_root(home) == Path("/home/ann/.cache/artlock")
    assert default_root({**home, "XDG_CACHE_HOME": "/fast"}) == Path("/fast/artlock")
    assert default_root({**home, "XDG_CACHE_HOME": "relative"}) == Path("/home/ann/.cache/artlock")
    assert default_root({**home, "ARTLOCK_CACHE_DIR": "/art", "ARTLOCK_TEST": "1"}) == Path("/art")
    with pytest.raises(StoreError, match="there is no home folder to keep the store in"):
        default_root({})


def test_the_default_raises_under_test() -> None:
    assert os.environ["ARTLOCK_TEST"] == "1"
    with pytest.raises(StoreError) as caught:
        default_root()
    assert str(caught.value) == (
        "the default cache folder is refused under test\n\nhint: set `ARTLOCK_CACHE_DIR`"
    )
