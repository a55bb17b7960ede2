"""Where a picture comes from: the lock that tells of its bytes, in the checkout, the index or history.

Git hands a filter the bytes of a picture and no revision, so the bytes are what is sought. Knows nothing of
what a lock's text means.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from buildsys import git
from buildsys.digest import Digest
from buildsys.errors import GitError
from buildsys.places import LOCK

_VERSIONS: Final = 50
"""Versions of one lock in history that are looked at."""
_BYTES: Final = 64 << 20
"""Of all of them: a lock of ten thousand assets has ten million. It is a courtesy, and must not take long."""
_KEEP: Final = ("GIT_INDEX_FILE",)


def texts_with(wanted: Digest, folder: Path) -> Iterator[str]:
    """Locks that speak of the file `wanted`, the nearest first: each whole text, of whichever project.

    `folder`: in the repository, or of a project that is in none.
    """
    needle = wanted.encode()
    left = _BYTES
    seen: set[bytes] = set()
    for data in _locks(folder):
        left -= len(data)
        if left < 0:
            return
        if needle in data and data not in seen:
            seen.add(data)
            with suppress(UnicodeDecodeError):
                yield data.decode()


def _locks(folder: Path) -> Iterator[bytes]:
    """In the checkout, staged, in the last commit, in history."""
    with suppress(OSError):
        yield (folder / LOCK).read_bytes()
    try:
        listing = git.run(folder, "ls-files", "-z", "--", f":(glob)**/{LOCK}", keep=_KEEP)
        paths = [os.fsdecode(path) for path in listing.split(b"\0") if path]
    except GitError:
        paths = []  # no repository, or a bare one
    for path in paths:
        with suppress(OSError):
            yield (folder / path).read_bytes()
    with suppress(GitError):
        names = [f":{path}" for path in paths]
        yield from (data for _, data in git.objects(folder, names))
    with suppress(GitError):
        words = ("log", "--format=%H", "--diff-filter=AM", f"-n{_VERSIONS}", "--name-only", "-z", "--all")
        yield from _history(folder, git.run(folder, *words, "HEAD", "--", f":(glob)**/{LOCK}"))


def _history(folder: Path, listing: bytes) -> Iterator[bytes]:
    """The locks that each commit of a log wrote."""
    # COMMIT<nul><newline>PATH<nul>PATH<nul>…<nul>
    names: list[str] = []
    commit = ""
    for word in listing.split(b"\0"):
        text = os.fsdecode(word).removeprefix("\n")
        if text.endswith(LOCK):
            names.append(f"{commit}:{text}")
        elif text:
            commit = text
    yield from (data for _, data in git.objects(folder, names))
