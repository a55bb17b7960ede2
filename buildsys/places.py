"""The names of a project's own files, and the folder that they lie in.

Knows nothing of what is in them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from buildsys.errors import NoProjectError

MANIFEST: Final = "assets.toml"
LOCK: Final = "assets.lock"
PRIVATE: Final = ".artlock"
"""What is true of this checkout only: stat index, logs, staging. Ignored by git."""


def find_root(start: Path, *marks: str) -> Path:
    """The nearest folder from `start` upwards that holds a manifest, or one of `marks`."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if any((folder / mark).is_file() for mark in marks or (MANIFEST,)):
            return folder
    if (start / "HEAD").is_file() and (start / "objects").is_dir() and start.name != ".git":
        # As git itself tells one; git is not asked, for it may not be there.
        fact = f"`{start}` is a bare repository: no files lie in it"
        raise NoProjectError(fact, "run this in a clone of it")
    raise NoProjectError(f"there is no `{MANIFEST}` here or above", "run `artlock init` to start a project")
