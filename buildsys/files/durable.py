"""The one durable write, and what it is made of: staged file, fsync, rename, fsync of the folder.

Knows nothing of what is written.
"""

from __future__ import annotations

import errno
import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final

from buildsys.errors import DiskError
from buildsys.places import PRIVATE

_PREFIX: Final = ".artlock-"
_SUFFIX: Final = ".tmp"
_LEFTOVER_SECONDS: Final = 3600
_numbers: Final = itertools.count()

_MEND: Final[dict[int, tuple[str, str]]] = {
    errno.ENOSPC: ("the disk is full", "free some space, then run the command again"),
    errno.EDQUOT: ("your disk quota is used up", "free some space, then run the command again"),
    errno.EROFS: ("the file system is read-only", "mount it writable, or work in another folder"),
    errno.EACCES: ("permission denied", "check who owns the folder and its mode"),
    errno.EPERM: ("the system does not permit it", "check who owns the folder and its attributes"),
    errno.EISDIR: ("a folder is there", "move the folder away"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "move that file away"),
    errno.ENAMETOOLONG: ("the name is too long for this file system", "choose a shorter name"),
    errno.ELOOP: ("it is a symbolic link", "put a real file there"),
    errno.ENOENT: ("it is not there", "check the path"),
    errno.EEXIST: ("something else has that name", "move it away"),
    errno.EIO: ("the disk reports an error", "check the disk"),
}

DISK_SAYS_NO: Final = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO
})  # fmt: skip
"""What the disk may answer to any sound request; the rest would be a mistake in the request."""


def disk_error(doing: str, path: Path, error: OSError) -> DiskError:
    """`error` as a person should read it: can't `doing` the file `path`, why, and what to do."""
    fact, hint = _MEND.get(error.errno or 0, (error.strerror or str(error), "check the disk and the path"))
    return DiskError(f"can't {doing} `{path}`: {fact}", hint)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the content of `path` durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create `folder` and its parents, durably; `.artlock` so that git ignores it. Raises `OSError`."""
    missing = list(itertools.takewhile(lambda parent: not parent.exists(), (folder, *folder.parents)))
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
        if parent.name == PRIVATE:
            # Before anything else lies there: no `git add --all` takes up logs and the journal.
            (parent / ".gitignore").write_text("*\n")
        sync_folder(parent.parent)


def temporary_path(folder: Path) -> Path:
    """A path in `folder` that nobody uses, and that `sweep` knows.

    It is short and does not contain the target's name, which may already be as long as names can be.
    """
    return folder / f"{_PREFIX}{os.getpid()}-{next(_numbers)}-{time.time_ns():x}{_SUFFIX}"


@contextmanager
def staged(folder: Path, mode: int = 0o666) -> Iterator[tuple[int, Path]]:
    """A new file in `folder`, open for writing and reading, removed at the end unless renamed away."""
    path = temporary_path(folder)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        yield descriptor, path
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def sweep(folder: Path, *, alone: bool = False, of_the_dead: bool = False) -> int:
    """Remove what writers that were killed left in `folder`, and say how many.

    Only files of an hour ago; all of them where nobody else may be writing there, and the caller is `alone`;
    with `of_the_dead` also those whose writer has ended. A process id proves little, for another container
    has its own: that is for folders where a write that fails for it costs no more than another try.
    """
    removed = 0
    oldest = time.time() - _LEFTOVER_SECONDS
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with suppress(FileNotFoundError):
            if alone or path.lstat().st_mtime < oldest or (of_the_dead and not _lives(path.name)):
                path.unlink()
                removed += 1
    return removed


def _lives(name: str) -> bool:
    """Whether the process that a temporary file is named after is there; also where that is not known."""
    try:
        os.kill(int(name.removeprefix(_PREFIX).partition("-")[0]), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OSError, OverflowError):
        return True
    return True


def publish(descriptor: int, staged_path: Path, target: Path) -> None:
    """Give a staged file its name, durably. Raises `OSError`.

    A rename alone is not durable: after a power cut the name may be there with no content (hence the
    first fsync), or the old content may be back (hence the second).
    """
    publish_whole(descriptor, staged_path, target)
    sync_folder(target.parent)


def publish_whole(descriptor: int, staged_path: Path, target: Path) -> None:
    """Give a staged file its name: after any crash the target is the old file or the new, never torn.

    Which of both, only a sync of its folder makes sure; one does for many files. Raises `OSError`.
    """
    os.fsync(descriptor)
    staged_path.replace(target)


def remove_file(root: Path, path: str, out: str) -> None:
    """Remove the file `path` of `root`, and the folders that it leaves empty, up to `out`.

    Raises `DiskError`.
    """
    target = root / path
    try:
        target.unlink()
    except OSError as error:
        raise disk_error("remove", target, error) from error
    for folder in PurePosixPath(path).parents:
        if folder == PurePosixPath(out) or not folder.is_relative_to(out):
            return
        try:
            (root / folder).rmdir()
        except OSError:
            return  # something else lies in it


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`: one `os.write` may stop short of it. Raises `OSError`."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_durably(path: Path, data: bytes) -> None:
    """Replace `path` by `data`: after any crash it holds the old bytes or the new. Raises `DiskError`.

    Missing folders are made. A symbolic link is replaced, never written through.
    """
    try:
        make_folder(path.parent)
        with staged(path.parent) as (descriptor, temporary):
            write_all(descriptor, data)
            publish(descriptor, temporary, path)
    except OSError as error:
        raise disk_error("write", path, error) from error
