"""The pictures of a history: out of git's objects, Git LFS, the store, or the place where they lie today.

Nothing is fetched, and nothing written. Each is hashed before it is given out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from buildsys import digest as digests
from buildsys import git, lfs
from buildsys.digest import Digest
from buildsys.files.content import open_regular
from buildsys.history.model import Version
from buildsys.plan.record import Record
from buildsys.store.objects import Store


def collected(
    root: Path, above: str, store: Store | None, versions: Sequence[Version]
) -> tuple[Mapping[Digest, bytes], Mapping[Digest, str]]:
    """Every picture of `versions` that is here, and why each other one is not. Raises `GitError`.

    Args:
        root: the project's folder, or that of a repository with nothing checked out.
        above: where the project lies in its repository: empty, or ending in `/`.
        store: this user's store, where there is one.
        versions: the newest first.
    """
    kept: dict[Digest, bytes] = {}
    lost: dict[Digest, str] = {}
    fetched = lfs.Fetched(root)
    pointers = _from_git(root, _places(above, versions), kept)
    for record in (version.record for version in versions if version.record):
        file = record.picture.file
        if file in kept or file in lost:
            continue
        found = fetched.read(file) or (store.read(file) if store else None) or _lying(root, record)
        if found is not None:
            kept[file] = found
        elif file in pointers:
            lost[file] = f"Git LFS has not fetched it; {lfs.HINT.replace('pull', 'fetch --all')}"
        else:
            lost[file] = "lost: it is not in git, in Git LFS or in the store"
    return kept, lost


def _places(above: str, versions: Sequence[Version]) -> dict[str, set[Digest]]:
    """Where git may have each picture: in the commit of its lock, or just before the lock changed again."""
    found: dict[str, set[Digest]] = {}
    newer = "HEAD"
    for version in versions:
        if version.record:
            path = above + version.record.output
            for name in (f"{version.commit.name}:{path}", f"{newer}:{path}"):
                found.setdefault(name, set()).add(version.record.picture.file)
        newer = f"{version.commit.name}~1"
    return found


def _from_git(root: Path, places: Mapping[str, set[Digest]], kept: dict[Digest, bytes]) -> frozenset[Digest]:
    """Put into `kept` what git has; and say which pictures it has as pointers of Git LFS."""
    pointers = set()
    waiting = (name for name, files in places.items() if not files <= kept.keys())
    for name, data in git.held(root, waiting):
        if data is None:
            continue
        if pointed := lfs.meant_by(data):
            pointers.add(pointed)
        elif (found := digests.of_bytes(data)) in places[name]:
            kept[found] = data
    return frozenset(pointers)


def _lying(root: Path, record: Record) -> bytes | None:
    """What lies in its place today, if it is that very file."""
    # Not `read_bytes`: a named pipe would wait for a writer for ever.
    with suppress(OSError), os.fdopen(open_regular(root / record.output), "rb") as file:
        data = file.read()
        return data if digests.of_bytes(data) == record.picture.file else None
    return None
