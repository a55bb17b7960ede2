"""The durable write, the checked copy, the stat index and the checkout's lock, on real disks."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from buildsys.digest import of_bytes
from buildsys.errors import DiskError
from buildsys.files import ExclusiveLock, StatIndex, digest_file, inside, place, sweep, write_durably

RED, BLUE = b"red" * 1000, b"blue" * 1000


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".artlock-*")]


def mount(folder: Path, options: str) -> None:
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"needs the right to mount a file system: {done.stderr.decode().strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    mount(folder, "size=64k,nr_inodes=40")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "sealed"
    mount(folder, "size=64k")
    (folder / "old").write_bytes(RED)
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_write_replaces_and_makes_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    write_durably(path, RED)
    write_durably(path, BLUE)
    assert path.read_bytes() == BLUE
    assert leftovers(tmp_path) == []


def test_write_respects_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_durably(tmp_path / "file", RED)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_write_replaces_a_link_and_spares_its_target(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(RED)
    link = tmp_path / "link"
    link.symlink_to(precious)
    write_durably(link, BLUE)
    assert precious.read_bytes() == RED
    assert not link.is_symlink()


def test_write_takes_the_longest_name(tmp_path: Path) -> None:
    write_durably(tmp_path / ("n" * 255), RED)
    with pytest.raises(DiskError) as caught:
        write_durably(tmp_path / ("n" * 256), RED)
    assert caught.value.message.endswith("the name is too long for this file system")
    assert caught.value.hint == "choose a shorter name"
    assert leftovers(tmp_path) == []


def test_write_onto_a_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(DiskError) as caught:
        write_durably(tmp_path / "taken", RED)
    assert str(caught.value) == (
        f"can't write `{tmp_path / 'taken'}`: a folder is there\n\nhint: move the folder away"
    )
    assert leftovers(tmp_path) == []


def test_write_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(RED)
    with pytest.raises(DiskError, match="a part of the path is a file, not a folder"):
        write_durably(tmp_path / "file" / "below", BLUE)


def test_full_disk_keeps_the_old_file(small_disk: Path) -> None:
    write_durably(small_disk / "file", RED)
    with pytest.raises(DiskError) as caught:
        write_durably(small_disk / "file", bytes(200_000))
    assert caught.value.message == f"can't write `{small_disk / 'file'}`: the disk is full"
    assert caught.value.hint == "free some space, then run the command again"
    assert (small_disk / "file").read_bytes() == RED
    assert leftovers(small_disk) == []


def test_full_disk_stops_a_copy(small_disk: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(200_000))
    with pytest.raises(DiskError, match="the disk is full"):
        place(source, small_disk / "file", of_bytes(bytes(200_000)))
    assert list(small_disk.iterdir()) == []


def test_read_only_disk(read_only_disk: Path) -> None:
    with pytest.raises(DiskError) as caught:
        write_durably(read_only_disk / "old", BLUE)
    assert caught.value.message == f"can't write `{read_only_disk / 'old'}`: the file system is read-only"
    assert caught.value.hint == "mount it writable, or work in another folder"
    assert (read_only_disk / "old").read_bytes() == RED


WRITER = """
import sys
from pathlib import Path
from buildsys.files import write_durably
target = Path(sys.argv[1])
sizes = 1, 70_000, 1_000_000
number = 0
print("ready", flush=True)
while True:
    number += 1
    write_durably(target, bytes([number % 251]) * sizes[number % 3])
"""


def test_a_killed_writer_leaves_old_or_new_bytes(tmp_path: Path) -> None:
    target = tmp_path / "file"
    chance = random.Random(7)  # noqa: S311 - when to kill is no secret
    for _ in range(25):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(chance.random() * 0.05)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        if target.exists():
            data = target.read_bytes()
            assert len(data) in (1, 70_000, 1_000_000)
            assert len(set(data)) == 1
    assert target.exists()


def test_sweep_removes_only_old_leftovers(tmp_path: Path) -> None:
    for name, age in (("old", 7200), ("new", 60)):
        path = tmp_path / f".artlock-1-{name}.tmp"
        path.write_bytes(RED)
        os.utime(path, (time.time() - age,) * 2)
    (tmp_path / "picture.png").write_bytes(RED)
    os.utime(tmp_path / "picture.png", (0, 0))
    assert sweep(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".artlock-1-new.tmp", "picture.png"]


def test_place_copies_and_checks(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(RED)
    target = tmp_path / "out" / "ui" / "button.png"
    assert place(source, target, of_bytes(RED), within=tmp_path)
    assert target.read_bytes() == RED
    assert not place(source, target, of_bytes(BLUE), within=tmp_path)
    assert target.read_bytes() == RED
    assert leftovers(tmp_path) == []


def test_place_refuses_a_link_out_of_the_project(tmp_path: Path) -> None:
    source, project, elsewhere = tmp_path / "source", tmp_path / "project", tmp_path / "elsewhere"
    source.write_bytes(RED)
    project.mkdir()
    elsewhere.mkdir()
    (project / "out").symlink_to(elsewhere)
    for target in (project / "out" / "file", project / "out" / "deep" / "file", project / ".." / "file"):
        with pytest.raises(DiskError) as caught:
            place(source, target, of_bytes(RED), within=project)
        assert str(caught.value) == (
            f"`{target}` is outside of `{project}`\n\nhint: remove the symbolic link on its way"
        )
    assert list(elsewhere.iterdir()) == []


def test_place_replaces_a_link_in_the_way(tmp_path: Path) -> None:
    source, precious, target = tmp_path / "source", tmp_path / "precious", tmp_path / "out" / "file"
    source.write_bytes(RED)
    precious.write_bytes(BLUE)
    target.parent.mkdir()
    target.symlink_to(precious)
    assert place(source, target, of_bytes(RED), within=tmp_path)
    assert not target.is_symlink()
    assert precious.read_bytes() == BLUE


def test_inside(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "real").mkdir(parents=True)
    (project / "within").symlink_to(project / "real")
    (project / "without").symlink_to(tmp_path)
    (project / "loop").symlink_to(project / "loop")
    assert inside(project, project)
    assert inside(project, project / "within" / "new" / "file")
    assert not inside(project, project / "without" / "file")
    assert not inside(project, project / "real" / ".." / ".." / "file")
    assert not inside(project, project / "loop" / "file")
    assert not inside(project, tmp_path / "project-two")


def test_digest_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(RED)
    assert digest_file(path) == hashlib.sha256(RED).hexdigest()


@pytest.mark.parametrize(
    ("kind", "fact"),
    [
        ("absent", "it is not there"),
        ("folder", "a folder is there"),
        ("pipe", "it is not a regular file"),
        ("link", "it is a symbolic link"),
    ],
)
def test_digest_refuses_what_is_no_file(tmp_path: Path, kind: str, fact: str) -> None:
    path = tmp_path / kind
    (tmp_path / "file").write_bytes(RED)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "file")
    with pytest.raises(DiskError) as caught:
        digest_file(path, follow=False)
    assert caught.value.message == f"can't read `{path}`: {fact}"


def settle(*paths: Path) -> None:
    """Let the clock of the file system pass the moment in which `paths` were written."""
    newest = max(path.stat().st_ctime_ns for path in paths)
    while time.time_ns() < newest + 50_000_000:
        time.sleep(0.01)


class Counting(StatIndex):
    """A stat index that counts the files it reads."""

    reads = 0

    def _read(self, *arguments: object) -> object:  # type: ignore[override]
        self.reads += 1
        return super()._read(*arguments)  # type: ignore[arg-type]


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(RED)
    settle(path)
    first = Counting(tmp_path)
    assert first.digest("file") == first.digest(path) == of_bytes(RED)
    first.save()
    second = Counting(tmp_path)
    assert second.digest(path) == of_bytes(RED)
    assert (first.reads, second.reads) == (1, 0)


def test_a_change_of_same_size_and_time_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    status = path.stat()
    settle(path)
    index = StatIndex(tmp_path)
    index.digest(path)
    index.save()
    path.write_bytes(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert StatIndex(tmp_path).digest(path) == of_bytes(b"two")


def test_a_change_within_the_tick_of_reading_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for number in range(200):
        old, new = f"{number:09}".encode(), f"{number + 1:09}".encode()
        path.write_bytes(old)
        index = StatIndex(tmp_path)
        assert index.digest(path) == of_bytes(old)
        path.write_bytes(new)
        index.save()
        assert index.digest(path) == of_bytes(new)
        assert StatIndex(tmp_path).digest(path) == of_bytes(new)


def test_a_file_as_new_as_the_index_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(RED)
    settle(path)
    index = StatIndex(tmp_path)
    index.digest(path)
    index.save()
    modified = max(path.stat().st_mtime_ns, path.stat().st_ctime_ns)
    os.utime(tmp_path / ".artlock" / "index", ns=(modified, modified))
    racy = Counting(tmp_path)
    racy.digest(path)
    assert racy.reads == 1


def test_absent_and_odd_files(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "folder").mkdir()
    index = StatIndex(tmp_path)
    assert index.digest("absent") is None
    assert index.digest("absent/below") is None
    (tmp_path / "file").write_bytes(RED)
    assert index.digest("file/below") is None
    with pytest.raises(DiskError, match="it is a symbolic link"):
        index.digest("link")
    with pytest.raises(DiskError, match="a folder is there"):
        index.digest("folder")


def test_a_torn_or_altered_index_is_ignored(tmp_path: Path) -> None:
    path, file = tmp_path / "file", tmp_path / ".artlock" / "index"
    path.write_bytes(RED)
    settle(path)
    index = StatIndex(tmp_path)
    index.digest(path)
    index.save()
    whole = file.read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    for data in damaged:
        file.write_bytes(data)
        again = Counting(tmp_path)
        assert again.digest(path) == of_bytes(RED)
        assert again.reads == 1


def test_the_index_forgets_what_is_gone(tmp_path: Path) -> None:
    names = "kept", "gone"
    for name in names:
        (tmp_path / name).write_bytes(RED)
    settle(*(tmp_path / name for name in names))
    index = StatIndex(tmp_path)
    for name in names:
        index.digest(name)
    index.save()
    (tmp_path / "gone").unlink()
    (tmp_path / "new").write_bytes(BLUE)
    later = StatIndex(tmp_path)
    later.digest("new")
    later.save()
    text = (tmp_path / ".artlock" / "index").read_text()
    assert '"kept"' in text
    assert '"gone"' not in text


def test_an_index_that_can_not_be_written_is_no_error(read_only_disk: Path) -> None:
    index = StatIndex(read_only_disk)
    assert index.digest("old") == of_bytes(RED)
    index.save()
    assert not (read_only_disk / ".artlock").exists()


HOLDER = """
import sys
from pathlib import Path
from buildsys.files import ExclusiveLock
with ExclusiveLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_builder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / ".artlock" / "build.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(DiskError) as caught, ExclusiveLock(path):
        pass
    assert str(caught.value) == (
        f"another build (process {holder.pid}) is running in this checkout\n\n"
        "hint: wait until it ends, then run the command again"
    )
    holder.kill()
    holder.communicate()
    with ExclusiveLock(path):
        assert path.read_text() == f"{os.getpid()}\n"
    with ExclusiveLock(path):
        pass


def test_errors_name_what_the_system_said() -> None:
    from buildsys.files.durable import disk_error  # noqa: PLC0415 - the one test below the front

    error = disk_error("write", Path("x"), OSError(errno.EXDEV, os.strerror(errno.EXDEV)))
    assert error.message == "can't write `x`: Invalid cross-device link"
