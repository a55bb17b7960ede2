"""A history asked for: from the words of a command line to a `History`.

Knows nothing of terminals and pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec

from buildsys import git
from buildsys.errors import ArtlockError, GitError, did_you_mean
from buildsys.history.commits import ABSENT, Touch, Wanted, boundary, lock_in, touches
from buildsys.history.model import Entry, Gap, History, Version
from buildsys.history.reading import Reading
from buildsys.history.walk import Walk
from buildsys.manifest.model import AssetName
from buildsys.places import LOCK, MANIFEST, find_root

UNSHALLOW: Final = "git fetch --unshallow"


class Place(msgspec.Struct, frozen=True):
    """A project in a repository."""

    folder: Path
    """Where git is asked: the project's folder, or a repository with nothing checked out."""
    above: str
    """Where the project lies in the repository: empty, or ending in `/`."""
    lock: str
    """Its lock, from `folder`."""
    bare: bool = False
    """Whether nothing is checked out."""


def place(start: Path, project: str, *revisions: str) -> Place:
    """The project that `start` lies in; of a bare repository the only one that any of `revisions` has.

    Raises `ArtlockError`.
    """
    start = start.resolve()
    try:
        bare = git.run(start, "rev-parse", "--is-bare-repository") == b"true\n"
    except GitError:
        bare = False  # what is wrong is said below, about the project's folder
    if not bare:
        root = find_root(start / project, LOCK, MANIFEST)
        return Place(root, git.prefix(root), LOCK)
    tips = [revision.rpartition("..")[2] or "HEAD" for revision in revisions]
    lock = f"{project.strip('/')}/{LOCK}" if project.strip("/") else lock_in(start, tips, LOCK)
    return Place(start, lock.removesuffix(LOCK), lock, bare=True)


def history(
    found: Place, name: str, wanted: Wanted, *, prompts: bool = False, most: int | None = None
) -> History:
    """Every version of the asset `name`. Raises `ArtlockError`, also where no lock ever had it.

    Args:
        found: the project.
        name: any name that it ever had.
        wanted: which commits are looked at.
        prompts: only versions whose prompt is another one.
        most: the newest so many; None for all.
    """
    ends = boundary(found.folder)
    commits = touches(found.folder, found.lock, wanted)
    with closing(Reading(found.folder)) as reading:
        walk = Walk(reading, commits, AssetName(name), _tip(found, wanted))
        shown = walk.entries()
        if prompts:
            shown = (entry for entry in shown if isinstance(entry, Gap) or entry.rewords)
        entries = tuple(map(walk.heard, tuple(_first(shown, most))))
        if not entries and not walk.known:
            _refuse(name, wanted, commits, reading, shallow=bool(ends))
    whole = most is None or _versions(entries) < most
    whole &= ".." not in wanted.revision or any(touch.oldest for touch in commits)
    told = f"history ends here: this clone is shallow; run `{UNSHALLOW}` for the rest"
    passed = bool(entries) and walk.current is not None and most is not None
    return History(name=AssetName(name), entries=entries, passed=passed, ends=told if ends and whole else "")


def _tip(found: Place, wanted: Wanted) -> str:
    """The object name of the lock that holds now: that of the commit that was asked for, or of `HEAD`."""
    revision = "HEAD" if wanted.everywhere else wanted.revision.rpartition("..")[2] or "HEAD"
    path = found.above + LOCK
    with suppress(GitError):  # all branches, and none of them checked out
        return git.named(found.folder, git.commit(found.folder, revision), [path]).get(path, ABSENT)
    return ABSENT


def _first(entries: Iterator[Entry], most: int | None) -> Iterator[Entry]:
    """As many versions; what could not be read in between does not count."""
    if most is None:
        yield from entries
        return
    left = most
    while left > 0:
        entry = next(entries, None)
        if entry is None:
            return
        left -= isinstance(entry, Version)
        yield entry


def _versions(entries: Iterable[Entry]) -> int:
    return sum(isinstance(entry, Version) for entry in entries)


def _refuse(
    name: str, wanted: Wanted, commits: tuple[Touch, ...], reading: Reading, *, shallow: bool
) -> None:
    """Say why there is nothing to tell. Raises `ArtlockError`."""
    where = "any branch" if wanted.everywhere else f"`{wanted.revision}`"
    if not commits:
        if ".." in wanted.revision:
            return  # nothing touched the lock in between: no mistake
        fact = f"no commit of {where} has an `{LOCK}`"
        raise ArtlockError(fact, f"run `{UNSHALLOW}`" if shallow else "run `artlock build`, and commit it")
    ever = {known for lock in dict.fromkeys(touch.new for touch in commits) for known in reading.names(lock)}
    if name in ever:
        return
    hint = did_you_mean(name, sorted(ever))
    if not hint:
        hint = f"run `{UNSHALLOW}` for older ones" if shallow else "run `artlock status` for the list"
    raise ArtlockError(f"no lock in {where} ever had an asset `{name}`", hint)
