"""The bytes of a file: digest, copy that is checked on the way, and where a path leads.

Knows nothing of what the bytes mean.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from buildsys import lfs
from buildsys.digest import Digest
from buildsys.errors import DiskError
from buildsys.files.durable import disk_error, make_folder, publish_whole, staged, write_all

_CHUNK: Final = 1 << 20
_SMALL: Final = 1 << 16
"""Python takes all the room from the system before it reads: of small files, much was most of the time."""
_CLONE: Final = 0x40049409
"""FICLONE of Linux: share the blocks of another file, where the file system can."""


def open_regular(path: Path | str, *, follow: bool = True) -> int:
    """`path` open for reading; an `OSError` where it is no regular file, or a link not to follow."""
    # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise OSError(errno.EINVAL, "it is not a regular file")


def digest_file(path: Path, *, follow: bool = True) -> Digest:
    """SHA-256 of a regular file. Raises `DiskError`; also for a symbolic link, unless `follow`."""
    try:
        return digest_of_regular(path, follow=follow)
    except OSError as error:
        raise disk_error("read", path, error) from error


def digest_of_regular(path: Path, *, follow: bool = True) -> Digest:
    """Like `digest_file`, but raises `OSError`, for callers that treat an absent file apart."""
    with os.fdopen(open_regular(path, follow=follow), "rb") as file:
        return Digest(hashlib.file_digest(file, "sha256").hexdigest())


def digest_or_meant(path: Path | str) -> tuple[Digest, bool]:
    """SHA-256 of a regular file, or of the one that a pointer of Git LFS stands for; whether it is one.

    Raises `OSError`, also for a symbolic link.
    """
    digest, head = hashlib.sha256(), b""
    # Read by the descriptor: to make a file object of it took longer than to read a small file.
    descriptor = open_regular(path, follow=False)
    try:
        while chunk := os.read(descriptor, _SMALL):
            digest.update(chunk)
            if len(head) <= lfs.LARGEST:
                head += chunk
    finally:
        os.close(descriptor)
    meant = lfs.meant_by(head)
    return (meant, True) if meant else (Digest(digest.hexdigest()), False)


def copy_and_digest(source: int, target: int) -> Digest:
    """Copy an open file into an empty one, by sharing blocks where possible; SHA-256 of the copy.

    What is hashed is what was written: the source may change meanwhile. Raises `OSError`.
    """
    digest = hashlib.sha256()
    # Python takes all the room from the system before it reads: of small files that was most of the time.
    room = min(_CHUNK, os.fstat(source).st_size + 1)
    try:
        fcntl.ioctl(target, _CLONE, source)
    except OSError:
        while chunk := os.read(source, room):
            digest.update(chunk)
            write_all(target, chunk)
    else:
        os.lseek(target, 0, os.SEEK_SET)
        while chunk := os.read(target, room):
            digest.update(chunk)
    return Digest(digest.hexdigest())


def place(source: Path, target: Path, digest: Digest, *, within: Path | None = None) -> bool:
    """Copy `source` to `target`; False, and nothing placed, where its bytes are not `digest`.

    The target is never torn, whatever crashes; that it is the new one, `sync_folder` makes sure.
    With `within`, a target outside that folder, or behind a symbolic link that leaves it, is refused.
    A link at `target` itself is replaced. Raises `DiskError`.
    """
    if within is not None and not inside(within, target.parent):
        raise DiskError(f"`{target}` is outside of `{within}`", "remove the symbolic link on its way")
    try:
        original = open_regular(source, follow=False)
    except OSError as error:
        raise disk_error("read", source, error) from error
    try:
        make_folder(target.parent)
        with staged(target.parent) as (descriptor, temporary):
            if copy_and_digest(original, descriptor) != digest:
                return False
            publish_whole(descriptor, temporary, target)
            return True
    except OSError as error:
        raise disk_error("write", target, error) from error
    finally:
        os.close(original)


def inside(root: Path, path: Path) -> bool:
    """Whether `path` stays in `root` once every symbolic link is followed. Neither need exist."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a loop of links leads nowhere
        return False
