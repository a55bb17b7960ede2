"""The commits that touch a lock, by one `git log`. Knows nothing of what a lock says.

History is taken whole: where a merge has the lock of one side, git's own simplification leaves the other side
out, and with it pictures that were made there. `first_parent` is the main line alone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import msgspec

from buildsys import git
from buildsys.errors import GitError
from buildsys.history.model import Commit

ABSENT: Final = ""
"""In place of a lock's object name, where the commit has none."""

_FORMAT: Final = "%x00%H%n%P%n%aN%n%aE%n%aI%n%s%n"
_FIELDS: Final = 6


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that has another lock than one of its parents."""

    commit: Commit
    new: str
    """The object name of its lock."""
    old: tuple[str, ...]
    """Of the locks of those parents that have another one."""
    merges: bool = False
    """Whether one of its parents has this very lock."""
    oldest: bool = False
    """Whether its parents are not in this clone."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which commits are looked at."""

    revision: str = "HEAD"
    """A revision, or a range of them: `v1.0..main`."""
    everywhere: bool = False
    """All branches and tags, not what `revision` holds."""
    first_parent: bool = False


def touches(folder: Path, path: str, wanted: Wanted) -> tuple[Touch, ...]:
    """Every commit that touches the lock `path` (from `folder`), the newest first. Raises `GitError`."""
    words = ["-c", "log.showRoot=true", "-c", "log.showSignature=false"]
    # `-m` means what this says; and to give it by an option of its own, git must be newer.
    words += ["-c", f"log.diffMerges={'first-parent' if wanted.first_parent else 'separate'}"]
    words += ["--literal-pathspecs", "log", "--date-order", "--full-history", "--raw", "--no-abbrev", "-m"]
    words += ["--no-renames", "--no-ext-diff", "--no-color", "--encoding=UTF-8", f"--format={_FORMAT}"]
    words += ["--first-parent"] if wanted.first_parent else []
    words += ["--all"] if wanted.everywhere else list(revisions(folder, wanted.revision))
    text = git.run(folder, *words, "--", path).decode(errors="replace")
    ends = boundary(folder)
    return tuple(_joined(text.split("\0")[1:], ends, first_parent=wanted.first_parent))


def revisions(folder: Path, asked: str) -> tuple[str, ...]:
    """`asked` with each name in it as a commit, so that nothing in it is taken for an option."""
    for dots in ("...", ".."):
        before, found, after = asked.partition(dots)
        if found:
            ends = [git.commit(folder, end or "HEAD") for end in (before, after)]
            return (dots.join(ends),)
    return (git.commit(folder, asked),)


def boundary(folder: Path) -> frozenset[str]:
    """The commits of a shallow clone whose parents are not here; none of a whole one."""
    place = os.fsdecode(git.run(folder, "rev-parse", "--git-path", "shallow").removesuffix(b"\n"))
    try:
        return frozenset((folder / place).read_text(encoding="ascii").split())
    except (OSError, UnicodeDecodeError):
        return frozenset()


def _joined(chunks: list[str], ends: frozenset[str], *, first_parent: bool) -> Iterator[Touch]:
    """One touch for each commit: git tells of a merge once for each parent."""
    at = 0
    while at < len(chunks):
        name, parents, author, mail, date, subject, *rest = chunks[at].split("\n", _FIELDS)
        rows = [*_rows(rest[0] if rest else "")]
        at += 1
        while at < len(chunks) and chunks[at].startswith(f"{name}\n"):
            rows += _rows(chunks[at].split("\n", _FIELDS)[-1])
            at += 1
        if not rows:
            continue
        many = 1 if first_parent else len(parents.split())
        yield Touch(
            commit=Commit(name=name, author=author, mail=mail, date=date, subject=subject),
            new=rows[0][1],
            old=tuple(dict.fromkeys(old for old, _ in rows)),
            merges=len(rows) < many,
            oldest=name in ends,
        )


def _rows(text: str) -> Iterator[tuple[str, str]]:
    """Before and after, of each line `:MODE MODE OBJECT OBJECT STATUS<tab>PATH`."""
    for line in text.splitlines():
        if line.startswith(":"):
            before, after, old, new, *_ = line[1:].split()
            yield _regular(before, old), _regular(after, new)


def _regular(mode: str, name: str) -> str:
    """A lock that is a link, or is not there, is none."""
    return name if mode.startswith("100") else ABSENT


def lock_in(folder: Path, asked: Collection[str], lock: str) -> str:
    """Where the one file named `lock` lies in a repository with nothing checked out: in any revision `asked`.

    Raises `GitError`.
    """
    found: dict[str, None] = {}
    for name in dict.fromkeys(git.commit(folder, revision) for revision in asked):
        listing = git.run(folder, "ls-tree", "-rz", "--name-only", "--full-tree", name)
        paths = (os.fsdecode(path) for path in listing.split(b"\0") if path)
        found.update(dict.fromkeys(path for path in paths if path == lock or path.endswith(f"/{lock}")))
    where = " or ".join(f"`{revision}`" for revision in dict.fromkeys(asked))
    if not found:
        raise GitError(f"there is no `{lock}` in {where}", "commit the lock, or name another revision")
    if len(found) > 1 and lock not in found:
        several = ", ".join(f"`{path}`" for path in sorted(found)[:5])
        raise GitError(f"there are several locks in {where}: {several}", "name its folder with `--project`")
    return lock if lock in found else next(iter(found))
