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
    raise NoProjectError(f"there is no `{MANIFEST}` here or above", "run `artlock init` to start a project")
