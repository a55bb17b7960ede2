"""Where `--html FILE` puts a page: nowhere but over an older page of the same command.

Knows nothing of what the page shows.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from buildsys.cli.console import tame
from buildsys.errors import ArtlockError

_HEAD: Final = 1024
"""Bytes of a page in which its mark lies."""
_ELSEWHERE: Final = "name another file for the page"


def check_target(path: Path, mark: str, command: str) -> None:
    """Refuse to write over what is no page of ours: a slip of the tab key must not cost the manifest.

    `mark` stands in the head of each page of `command`. Raises `ArtlockError`.
    """
    if not path.absolute().parent.is_dir():
        raise ArtlockError(f"there is no folder `{tame(str(path.parent))}`", "make it, or name another file")
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise ArtlockError(f"`{tame(str(path))}` can't be written: {error.strerror}", _ELSEWHERE) from error
    if not stat.S_ISREG(kind):
        raise ArtlockError(f"`{tame(str(path))}` is not a regular file", _ELSEWHERE)
    try:
        with path.open("rb") as file:
            ours = mark.encode() in file.read(_HEAD)
    except OSError as error:
        raise ArtlockError(f"`{tame(str(path))}` can't be read: {error.strerror}", _ELSEWHERE) from error
    if not ours:
        raise ArtlockError(f"`{tame(str(path))}` is not a page of `artlock {command}`", _ELSEWHERE)
