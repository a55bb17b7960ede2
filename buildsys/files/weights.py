"""A folder of weights on this machine: where it lies, and the digest of what in it changes pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from buildsys import digest
from buildsys.files.index import StatIndex

_KINDS: Final = {".json", ".safetensors", ".txt", ".model"}
"""What such a folder may hold that changes pictures; a README or a picture in it does not."""


def folder_of(root: Path, model: str) -> Path:
    """Where the local model `model` of the project in `root` lies."""
    return (root / Path(model).expanduser()).resolve()


def digest_of(folder: Path, index: StatIndex) -> str:
    """The digest of the weights in `folder`; empty where there are none. Raises `DiskError`."""
    found = {
        # The Hub's own cache holds links to the weights.
        path.relative_to(folder).as_posix(): index.digest(path.resolve())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _KINDS
    }
    return digest.of_value(found) if found else ""
