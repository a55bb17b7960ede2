"""The merge driver of `assets.lock`: three locks in, one out, asset by asset.

Knows nothing of git but that it names three files, and wants the result in the second.
"""

from __future__ import annotations

from pathlib import Path

from buildsys.errors import LockError
from buildsys.files.durable import disk_error
from buildsys.lock.merge import merge
from buildsys.lock.model import Lock
from buildsys.lock.read import parse
from buildsys.lock.write import dump


def merge_files(base: Path, ours: Path, theirs: Path, name: str) -> Lock:
    """Write what the merge gives into `ours`, with marks around assets in conflict; what was written.

    `name`: of the lock in the repository, for messages. Raises `LockError`, `DiskError` before anything is
    written: then git merges the lines as it does by itself.
    """
    locks = [
        _lock(file, f"{name} ({side})") for file, side in ((base, "base"), (ours, "ours"), (theirs, "theirs"))
    ]
    merged = merge(*locks)
    text = dump(merged)
    try:
        # Git's own temporary file: it is read at once, and a crash leaves the merge undone as a whole.
        ours.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise disk_error("write", ours, error) from error
    return merged


def _lock(file: Path, origin: str) -> Lock:
    """One side; an empty file where it had no lock."""
    try:
        text = file.read_bytes().decode()
    except OSError as error:
        raise disk_error("read", file, error) from error
    except UnicodeDecodeError as error:
        raise LockError(f"{origin}: not UTF-8", "restore the lock from git") from error
    if not text.strip():
        return Lock()
    found = parse(text, origin=origin)
    if found.marked:
        # An older merge that was committed as it was: which side is which, only a person knows.
        raise LockError(f"{origin}: marks of a merge are in it", "run `artlock resolve` on that branch first")
    return found
