"""What lies in the store: every file with its size and when it was last used, and the removing of some.

Knows nothing of why a file is kept or removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.files.durable import disk_error
from buildsys.store import leases

_BATCH: Final = 100
"""Files that are removed while builds wait at the door: a few milliseconds."""


class Kind(StrEnum):
    """What a file of the store is; its folder has the same name."""

    OBJECT = "objects"
    ACTION = "actions"


class Entry(msgspec.Struct, frozen=True):
    """One file of the store."""

    kind: Kind
    digest: Digest
    size: int
    used: int
    """When it was written or last relied on: nanoseconds."""


def entries(layout: Path, kind: Kind) -> Iterator[Entry]:
    """Every file of a kind, in no order. What is no file of the store's own is left out."""
    for number in range(256):
        folder = layout / kind / f"{number:02x}"
        try:
            with os.scandir(folder) as found:
                for item in found:
                    if (entry := _entry(kind, folder.name, item)) is not None:
                        yield entry
        except FileNotFoundError:
            continue
        except OSError as error:
            raise disk_error("read", folder, error) from error


def _entry(kind: Kind, folder: str, item: os.DirEntry[str]) -> Entry | None:
    try:
        digest = digests.parse(folder + item.name)
        status = item.stat(follow_symlinks=False)
    except (ValueError, FileNotFoundError):
        return None
    if not item.is_file(follow_symlinks=False):
        return None
    return Entry(kind, digest, status.st_size, status.st_mtime_ns)


def remove(layout: Path, doomed: Iterable[Entry]) -> Iterator[Entry]:
    """Remove files, each unless it was used since it was listed; gives those that are gone.

    Nothing goes that was used since the oldest running build began. Raises `DiskError`.
    """
    waiting = list(doomed)
    for start in range(0, len(waiting), _BATCH):
        gone = []
        with leases.closed(layout) as oldest:
            for entry in waiting[start : start + _BATCH]:
                path = layout / entry.kind / entry.digest[:2] / entry.digest[2:]
                try:
                    used = path.lstat().st_mtime_ns
                    if used != entry.used or (oldest is not None and used >= oldest):
                        continue
                    path.unlink()
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise disk_error("remove", path, error) from error
                gone.append(entry)
        yield from gone
