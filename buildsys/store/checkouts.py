"""The checkouts that use a store, noted by their builds: whose locks say what the store is to keep.

Knows nothing of locks or git.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, StoreError
from buildsys.files.durable import disk_error, write_durably

FOLDER: Final = "checkouts"
_DAY: Final = 86_400


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout that a build was seen in."""

    root: str
    device: int
    """Of its folder: another one at the same path is an empty mount point, or another disk."""
    locks: tuple[Digest, ...] = ()
    """What its locks were when they were last read; see `buildsys.upkeep.holding`."""

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return Path(self.root)

    def here(self) -> bool:
        """Whether the folder is there, and the same disk."""
        return _device(self.folder) == self.device

    def gone(self) -> bool:
        """Whether the folder was removed or moved: an unmounted disk takes its parents' device with it."""
        parents = (_device(parent) for parent in self.folder.parents)
        return _device(self.folder) is None and next(filter(None, parents), None) == self.device


def note(layout: Path, root: Path) -> None:
    """Note that a build runs in the project `root`; not where nothing can be written, nor removed then."""
    device = _device(root)
    if device is None:
        return
    path = _path(layout, str(root))
    with suppress(ArtlockError, OSError):
        before = _before(path)
        if before is None or before.device != device:
            locks = () if before is None else before.locks
            keep(layout, Known(root=str(root), device=device, locks=locks))
        elif path.stat().st_mtime < time.time() - _DAY:
            path.touch()


def _before(path: Path) -> Known | None:
    """What the checkout's own note told; one that is damaged is written anew, or `gc` would wait for ever.

    What its locks were is lost with it; what they are is read again.
    """
    with suppress(StoreError):
        return read(path) if path.exists() else None
    return None


def keep(layout: Path, known: Known) -> None:
    """Write what is known of a checkout, as seen now. Raises `DiskError`."""
    write_durably(_path(layout, known.root), msgspec.json.encode(known))


def every(layout: Path) -> Iterator[tuple[Known, float]]:
    """Each known checkout, and when it was last seen, by path. Raises `StoreError`."""
    found = [(read(path), path.stat().st_mtime) for path in notes(layout)]
    yield from sorted(found, key=lambda item: item[0].root)


def notes(layout: Path) -> list[Path]:
    """The file of each known checkout."""
    return sorted(path for path in (layout / FOLDER).glob("*") if path.suffix == "")


def forget(layout: Path, root: str) -> bool:
    """Know it no longer; False where it was not known. Raises `DiskError`."""
    path = _path(layout, root)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise disk_error("remove", path, error) from error
    return True


def _path(layout: Path, root: str) -> Path:
    return layout / FOLDER / digests.of_bytes(root.encode(errors="surrogateescape"))


def read(path: Path) -> Known:
    """What one note tells. Raises `StoreError`, `DiskError`."""
    try:
        known = msgspec.json.decode(path.read_bytes(), type=Known)
        if path.name != _path(path.parent.parent, known.root).name:
            # Damaged: it would tell of a folder that is not there, and a checkout that is gone keeps nothing.
            raise msgspec.ValidationError
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise StoreError(
            f"`{path}` does not tell which checkout it stands for",
            "remove it, and run `artlock build` in each of your checkouts",
        ) from error
    except OSError as error:
        raise disk_error("read", path, error) from error
    return known


def _device(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev if folder.is_dir() else None
    except OSError:
        return None
