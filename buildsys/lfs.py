"""Git LFS: its pointer files, which stand in the tree for files that may not have been fetched.

A pointer names its file by the SHA-256 of the content, as artlock does. Knows nothing of assets.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from buildsys import digest as digests
from buildsys import git
from buildsys.digest import Digest
from buildsys.errors import GitError

LARGEST: Final = 1023
"""Bytes of a pointer: what is larger is none, says its specification."""

HINT: Final = "run `git lfs pull`"

_VERSION: Final = b"version https://git-lfs.github.com/spec/v1\n"
_OBJECT: Final = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_SIZE: Final = re.compile(rb"^size [0-9]+$", re.MULTILINE)


def meant_by(data: bytes) -> Digest | None:
    """The digest of the file that the pointer `data` stands for; None where it is no pointer."""
    if len(data) > LARGEST or not data.startswith(_VERSION) or not _SIZE.search(data):
        return None
    found = _OBJECT.search(data)
    return Digest(found[1].decode()) if found else None


class Fetched:
    """What Git LFS has fetched for the repository that `root` is in, whether it is checked out or not."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._objects: Path | None = None

    def path_of(self, wanted: Digest) -> Path | None:
        """Where the file with the digest `wanted` lies; None where it was not fetched."""
        if self._objects is None:
            self._objects = _objects(self._root)
        path = self._objects / wanted[:2] / wanted[2:4] / wanted
        return path if path.is_file() else None

    def read(self, wanted: Digest) -> bytes | None:
        """Its bytes; None where they are not there, or are others."""
        path = self.path_of(wanted)
        try:
            data = path.read_bytes() if path else None
        except OSError:
            return None
        return data if data is not None and digests.of_bytes(data) == wanted else None


def _objects(root: Path) -> Path:
    """The folder that Git LFS keeps files in: shared by all work trees, unless `lfs.storage` says another."""
    try:
        shared = root / _line(git.run(root, "rev-parse", "--git-common-dir"))
    except GitError:
        return root / ".git" / "lfs" / "objects"
    try:
        return shared / _line(git.run(root, "config", "--get", "--type=path", "lfs.storage")) / "objects"
    except GitError:  # it is not set
        return shared / "lfs" / "objects"


def _line(printed: bytes) -> str:
    return printed.decode(errors="surrogateescape").removesuffix("\n")
