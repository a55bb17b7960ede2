"""Pictures by hand: the folder where they go, and copies that write over nobody's file.

Knows nothing of assets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from buildsys import digest as digests
from buildsys import files
from buildsys.digest import Digest
from buildsys.errors import DiskError

FOLDER: Final = "art"
"""Where pictures by hand go, unless a person names another folder."""


def copy(root: Path, source: Path, path: str, digest: Digest, *, elsewhere: str) -> bool:
    """Copy `source` to `path` of the project `root`, unless it lies there; False where it is not `digest`.

    Raises `DiskError` where another file lies there, with the hint `elsewhere`.
    """
    target = root / path
    return _lies_at(root, path, digest, elsewhere) or files.place(source, target, digest, within=root)


def write(root: Path, path: str, data: bytes, *, elsewhere: str) -> None:
    """Write `data` to `path` of the project `root`, unless it lies there; see `copy`."""
    if not _lies_at(root, path, digests.of_bytes(data), elsewhere):
        files.write_durably(root / path, data)


def _lies_at(root: Path, path: str, wanted: Digest, elsewhere: str) -> bool:
    target = root / path
    if not target.exists():
        return False
    if files.digest_file(target) != wanted:
        raise DiskError(f"another file lies at `{path}`", elsewhere)
    return True
