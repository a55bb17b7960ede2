"""What an engine leaves in its folders goes, however deep it lies and whatever rights it has."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from buildsys.make.runfolder import RunFolder, remove_tree

DEPTH = 3000
NOBODY = 65534


def dig(folder: Path, depth: int = DEPTH) -> None:
    """Folders in folders, each with a file: their whole path is far longer than a path may be."""
    at = os.open(folder, os.O_RDONLY)
    for number in range(depth):
        os.mkdir("deeper", dir_fd=at)
        os.close(os.open(f"file-{number}", os.O_WRONLY | os.O_CREAT, dir_fd=at))
        inner = os.open("deeper", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)


def test_a_deep_folder_goes(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "work")
    place = folder.place("noise", 1, 1)
    dig(place.staging)
    folder.clear(place)
    assert not place.staging.parent.exists()
    dig(folder.inputs)
    folder.remove()
    assert list((tmp_path / "work").iterdir()) == [tmp_path / "work" / "logs"]


def test_a_deep_folder_of_a_killed_run_goes_with_the_next(tmp_path: Path) -> None:
    left = tmp_path / "work" / "run-killed" / "worker-1"
    left.mkdir(parents=True)
    dig(left)
    folder = RunFolder(tmp_path / "work")
    assert not left.parent.exists()
    folder.remove()


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o750)
    (kept / "file").touch()
    (tmp_path / "gone").mkdir()
    for name in ("folder", "nothing"):
        (tmp_path / "gone" / name).symlink_to(kept if name == "folder" else "/no/such/file")
    os.mkfifo(tmp_path / "gone" / "pipe")
    remove_tree(tmp_path / "gone")
    (tmp_path / "link").symlink_to(kept)
    remove_tree(tmp_path / "link")
    assert (kept / "file").exists()
    assert kept.stat().st_mode & 0o777 == 0o750
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "link"]


def test_what_is_not_there_or_no_folder_is_left_alone(tmp_path: Path) -> None:
    remove_tree(tmp_path / "nothing")
    (tmp_path / "file").touch()
    remove_tree(tmp_path / "file")
    assert (tmp_path / "file").exists()


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user whom rights hold: root is asked for none."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Not `tmp_path`: its parents are closed to others."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def seal(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").touch()
        (folder / name).chmod(0)
    folder.chmod(0o555)


def test_folders_without_rights_go(open_folder: Path) -> None:
    with as_nobody():
        left = open_folder / "work" / "run-killed"
        seal(left / "staging")
        left.chmod(0)
        folder = RunFolder(open_folder / "work")
        assert not left.exists()
        place = folder.place("noise", 1, 1)
        seal(place.staging / "x")
        place.temporary.chmod(0)
        folder.clear(place)
        assert not place.staging.parent.exists()
        folder.remove()
        assert [path.name for path in (open_folder / "work").iterdir()] == ["logs"]
