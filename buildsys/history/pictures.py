"""The pictures of a history, wherever a review finds them too: git's objects, Git LFS, the store, a remote.

Knows where in git to look; `buildsys.review.pictures` finds them. Each is hashed before it is given out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec

from buildsys import git
from buildsys.digest import Digest
from buildsys.files.content import digest_of_regular
from buildsys.history.model import Version
from buildsys.plan.record import Record
from buildsys.review.pictures import Sources
from buildsys.store.objects import Store

_WORDS: Final = 3
"""Of an answer of `cat-file --batch-check` for what is there: NAME TYPE SIZE."""


class Collected(msgspec.Struct, frozen=True):
    """What a page shows."""

    kept: Mapping[Digest, bytes] = {}
    lost: Mapping[Digest, str] = {}
    """Why each other picture can't be shown."""
    notes: tuple[str, ...] = ()
    """What else is worth knowing: a remote that was of no help."""


def collected(root: Path, above: str, store: Store, versions: Sequence[Version]) -> Collected:
    """Every picture of `versions` (the newest first) that can be had. Raises `GitError`.

    Args:
        root: the project's folder, or a repository with nothing checked out.
        above: where the project lies in its repository: empty, or ending in `/`.
        store: this user's store.
        versions: whose pictures.
    """
    records = {version.record.picture.file: version.record for version in versions if version.record}
    with closing(Sources(root, store)) as sources:
        sources.weigh(_objects(root, dict.fromkeys(_places(above, versions))))
        for record in records.values():
            if not sources.has(record.picture.file):
                _lying(root, record, sources)
        missing = [file for file in records if not sources.has(file)]
        notes = sources.bring(missing)
        found = {file: sources.read(file) for file in records}
        return Collected(
            {file: data for file, data in found.items() if data is not None},
            {file: sources.lost(file) or "it was damaged" for file, data in found.items() if data is None},
            notes,
        )


def _places(above: str, versions: Sequence[Version]) -> Iterator[str]:
    """Where git may have each picture: in the commit of its lock, or just before the lock changed again."""
    newer = "HEAD"
    for version in versions:
        if version.record:
            yield f"{version.commit.name}:{above}{version.record.output}"
            yield f"{newer}:{above}{version.record.output}"
        newer = f"{version.commit.name}~1"


def _objects(root: Path, places: Mapping[str, None]) -> tuple[str, ...]:
    """The objects of the files that are there, each once."""
    questions = b"".join(os.fsencode(place) + b"\n" for place in places)
    answers = git.run(root, "cat-file", "--batch-check", given=questions).splitlines()
    rows = (answer.split() for answer in answers)
    return tuple(dict.fromkeys(row[0].decode() for row in rows if len(row) == _WORDS and row[1] == b"blob"))


def _lying(root: Path, record: Record, sources: Sources) -> None:
    """Where nobody else has the picture, it may lie in its place, not committed yet."""
    with suppress(OSError):
        if digest_of_regular(root / record.output, follow=False) == record.picture.file:
            sources.file(record.picture.file, record.output)
