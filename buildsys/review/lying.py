"""What really lies where a lock says that pictures lie: in a commit, in the index, in the working tree.

A picture that somebody changed without artlock is a change, too, though the locks say nothing of it. Tells
the sources where each file was found.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from buildsys import files
from buildsys.digest import Digest
from buildsys.errors import DiskError
from buildsys.lock.model import Lock
from buildsys.manifest.model import AssetName
from buildsys.review import revisions
from buildsys.review.model import Revision
from buildsys.review.pictures import Sources


def in_tree(root: Path, lock: Lock, sources: Sources) -> Mapping[AssetName, Digest]:
    """The files of the working tree that are not those of `lock`; what is missing is none of them.

    By the stat index: what did not change since it was hashed is not read again.
    """
    index = files.StatIndex(root)
    found: dict[AssetName, Digest] = {}
    for name, record in lock.records.items():
        try:
            digest = index.digest(record.output)
        except DiskError:
            continue  # a folder or a link: `artlock status` tells
        if digest is None:
            continue
        if index.is_pointer(record.output):
            sources.pointer(digest)
        elif digest == record.picture.file or _inside(root, record.output):
            sources.file(digest, record.output)
        else:
            continue
        if digest not in (record.picture.file, lock.placeholders.get(name)):
            found[name] = digest
    index.save()
    return found


def in_git(
    root: Path, revision: Revision, lock: Lock, names: Collection[AssetName], sources: Sources, above: str
) -> Mapping[AssetName, Digest]:
    """The same of those of `names` that a commit or the index has. Raises `GitError` for no such commit."""
    outputs = {name: lock.records[name].output for name in names if name in lock.records}
    objects = revisions.names_of(root, revision, list(outputs.values()), above)
    weighed = sources.weigh(sorted({*objects.values()}))
    found: dict[AssetName, Digest] = {}
    for name, output in outputs.items():
        digest = weighed.get(objects.get(output, ""))
        expected = (None, lock.records[name].picture.file, lock.placeholders.get(name))
        if digest is not None and digest not in expected:
            found[name] = digest
    return found


def suspects(before: Lock, after: Lock, paths: Collection[str]) -> frozenset[AssetName]:
    """The assets that may differ: by what the locks say, or because a file among `paths` is theirs."""
    names = {*before.records, *after.records}
    return frozenset(
        name
        for name in names
        if before.records.get(name) != after.records.get(name)
        or any(name in lock.records and lock.records[name].output in paths for lock in (before, after))
    )


def _inside(root: Path, path: str) -> bool:
    """Whether no link leads out of the project: whoever sends a change could show us any file of ours."""
    return (root / path).resolve().is_relative_to(root.resolve())
