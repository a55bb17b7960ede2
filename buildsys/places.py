"""The names of a project's own files, and the folder that they lie in.

Knows nothing of what is in them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from buildsys.errors import NoProjectError

MANIFEST: Final = "assets.toml"
LOCK: Final = "assets.lock"
PRIVATE: Final = ".artlock"
"""What is true of this checkout only: stat index, logs, staging. Ignored by git."""

_HEAD: Final = re.compile(rb"ref:\s*refs/|[0-9a-f]{40}([0-9a-f]{24})?\s*$")
"""What git lets `HEAD` say: a branch, or a commit."""


def find_root(start: Path, *marks: str) -> Path:
    """The nearest folder from `start` upwards that holds a manifest, or one of `marks`."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if any((folder / mark).is_file() for mark in marks or (MANIFEST,)):
            return folder
    if start.name != ".git" and _is_git_folder(start):
        fact = f"`{start}` is a bare repository: no files lie in it"
        raise NoProjectError(fact, "run this in a clone of it")
    raise NoProjectError(f"there is no `{MANIFEST}` here or above", "run `artlock init` to start a project")


def _is_git_folder(folder: Path) -> bool:
    """Whether git keeps a repository in `folder`, told as git tells it: by these three.

    Git is not asked, for it may not be there.
    """
    try:
        head = (folder / "HEAD").read_bytes()
    except OSError:
        return False
    return _HEAD.match(head) is not None and all((folder / name).is_dir() for name in ("objects", "refs"))
