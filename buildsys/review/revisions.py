"""The two sides of a review as git knows them: commits, what is staged, or the files as they lie there.

Gives a lock for each side. Knows nothing of pictures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from buildsys import git
from buildsys.errors import GitError, LockError
from buildsys.lock.model import REVISION, Lock
from buildsys.lock.read import load, parse
from buildsys.places import LOCK
from buildsys.review.model import Revision

UNSHALLOW: Final = "run `git fetch --unshallow`"
_NAMED: Final = 5
"""Assets that a note names."""
_INDEX: Final = ""
"""The revision by which `git.blobs` means what is staged."""


def revisions(
    root: Path, before: str, after: str | None, *, merge_base: bool, staged: bool
) -> tuple[Revision, Revision]:
    """The two sides that were asked for; without an `after`, what is staged or the working tree.

    `merge_base`: from where the two went apart, instead of `before`: unless that is `before` itself, it is
    named `A...B`. Raises `GitError`.
    """
    old = _commit(root, before)
    new = _commit(root, after) if after is not None else Revision(asked="", index=staged)
    if merge_base:
        other = new.commit or _commit(root, "HEAD").commit
        end = after or "HEAD"
        base = _merge_base(root, old, other, end)
        if base != old.commit:
            old = Revision(asked=f"{before}...{end}", commit=base, subject=_subject(root, base))
    return old, new


def check_any(root: Path, sides: tuple[Revision, Revision], above: str) -> None:
    """Refuse two commits without a lock: that nothing differs would be said of no project at all.

    Raises `GitError`, `LockError`.
    """
    if all(side.commit and not git.named(root, side.commit, [above + LOCK]) for side in sides):
        where = " nor ".join(dict.fromkeys(told(side) for side in sides))
        fact = (
            f"neither {where} has `{above}{LOCK}`" if " nor " in where else f"{where} has no `{above}{LOCK}`"
        )
        raise LockError(
            fact, "name a revision that has it; of a bare repository the folder, with `--project`"
        )


def lock_of(root: Path, revision: Revision, above: str) -> tuple[Lock, tuple[str, ...]]:
    """The lock on that side, an empty one where there was none yet, and what to know of it.

    `above`: where the project lies in its repository. Raises `GitError`, `LockError`.
    """
    in_git = revision.commit or revision.index
    lock = _committed(root, revision, above) if in_git else load(root / LOCK)
    notes = []
    if lock.conflicts:
        named = ", ".join(f"`{name}`" for name in list(lock.conflicts)[:_NAMED])
        more = f" and {len(lock.conflicts) - _NAMED} more" if len(lock.conflicts) > _NAMED else ""
        notes.append(f"both sides of a merge changed {named}{more} in {told(revision)}: left out here")
    if lock.revision > REVISION:
        notes.append(f"a newer artlock wrote the lock in {told(revision)}: what it says beyond is left out")
    return lock, tuple(notes)


def told(revision: Revision) -> str:
    """What a sentence calls it."""
    if revision.commit:
        return f"`{revision.asked}`"
    return "the index" if revision.index else "the working tree"


def names_of(root: Path, revision: Revision, paths: list[str], above: str) -> dict[str, str]:
    """Of `paths` from the project's folder, those that git has on that side, with their objects' names.

    Nothing for the working tree. Raises `GitError`.
    """
    if not revision.commit and not revision.index:
        return {}
    found = git.named(root, revision.commit or _INDEX, [above + path for path in paths])
    return {path.removeprefix(above): name for path, name in found.items()}


def changed(root: Path, before: Revision, after: Revision, above: str) -> frozenset[str]:
    """Paths from the project's folder of the tracked files that differ. Raises `GitError`."""
    paths = git.changed_paths(
        root,
        before.commit,
        after.commit or None,
        staged=after.index,
        keep=["GIT_INDEX_FILE"] if after.index else (),
    )
    return frozenset(path.removeprefix(above) for path in paths if path.startswith(above))


def is_shallow(root: Path) -> bool:
    """Whether older commits were left out when the repository was cloned. Raises `GitError`."""
    return git.run(root, "rev-parse", "--is-shallow-repository").strip() == b"true"


def _commit(root: Path, asked: str) -> Revision:
    try:
        name = git.commit(root, asked)
    except GitError as error:
        if asked == "HEAD" or not error.message.startswith("git knows no revision") or not is_shallow(root):
            raise
        raise GitError(f"this clone is shallow, and `{asked}` is not in it", UNSHALLOW) from error
    return Revision(asked=asked, commit=name, subject=_subject(root, name))


def _subject(root: Path, commit: str) -> str:
    said = git.run(root, "log", "--no-show-signature", "--max-count=1", "--format=%s", commit, "--")
    return said.decode(errors="replace").strip()


def _merge_base(root: Path, old: Revision, other: str, name: str) -> str:
    try:
        return git.run(root, "merge-base", old.commit, other).decode().split()[0]
    except GitError as error:
        fact = f"`{old.asked}` and `{name}` have no commit in common"
        if is_shallow(root):
            raise GitError(f"this clone is shallow, and {fact} in it", UNSHALLOW) from error
        raise GitError(fact, f"compare them as they are: `artlock diff {old.asked}..{name}`") from error


def _committed(root: Path, revision: Revision, above: str) -> Lock:
    origin = f"{revision.asked}:{LOCK}" if revision.commit else f"the staged {LOCK}"
    ((_, data),) = git.blobs(root, revision.commit or _INDEX, [above + LOCK])
    if data is None:
        if revision.index and any(git.stages(root, LOCK)):
            raise LockError(f"{origin} is in conflict", "run `artlock resolve`")
        return Lock()
    try:
        return parse(data.decode(), origin=origin)
    except UnicodeDecodeError as error:
        raise LockError(f"{origin}: not UTF-8", "name another revision") from error
    except LockError as error:
        if "upgrade" in error.hint:
            raise
        raise LockError(error.message, "name another revision") from error


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """What the words `A..B` of a command line mean."""

    before: str = "HEAD"
    after: str | None = None
    merge_base: bool = False


def ends(words: str) -> Ends:
    """`A`, `A..B` or `A...B` as git means them: without one end, that is `HEAD`."""
    for dots in ("...", ".."):
        before, found, after = words.partition(dots)
        if found:
            return Ends(before=before or "HEAD", after=after or "HEAD", merge_base=dots == "...")
    return Ends(before=words)
