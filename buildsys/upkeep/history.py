"""One file in all that a git repository holds: every ref, the stash, each work tree, the index.

Knows nothing of what the file says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from buildsys import git
from buildsys.errors import GitError

_WORDS: Final = 3
"""Of an answer of `cat-file --batch-check` for what is there: NAME TYPE SIZE."""


def common_folder(folder: Path) -> Path:
    """The folder that all work trees of the repository share. Raises `GitError`."""
    found = git.run(folder, "rev-parse", "--git-common-dir").removesuffix(b"\n")
    return (folder.absolute() / os.fsdecode(found)).resolve()


def worktrees(folder: Path) -> tuple[Path, ...]:
    """The top of every work tree of the repository, those that are not there included. Raises `GitError`."""
    return tuple(Path(path) for path in _worktrees(folder, "worktree "))


def everywhere(folder: Path, path: str) -> dict[str, str]:
    """Object names of the file `path` (from the top), each with a place where it stands. Raises `GitError`.

    A constant number of processes, however many refs. Reflogs are left out: what they alone still name,
    a person let go of.
    """
    if "\n" in path:
        raise GitError(f"the path `{path}` holds the end of a line", "rename the folder")
    at = [line.partition(" ")[::2] for line in _lines(folder, "for-each-ref", f"--format={_REF}")]
    if any(place == "refs/stash" for _, place in at):
        # The ref is the newest entry alone.
        listed = _lines(folder, "log", "--walk-reflogs", "--format=%H %gd", "refs/stash", "--")
        at += [line.partition(" ")[::2] for line in listed]
    at += [(commit, "HEAD") for commit in _worktrees(folder, "HEAD ")]
    places = {f"{commit}:{path}": _short(place) for commit, place in at}
    # The index, with all sides of a merge.
    places.update((f":{stage}:{path}", "the index") for stage in range(4))
    questions = "\n".join(places).encode(errors="surrogateescape") + b"\n"
    answers = git.run(folder, "cat-file", "--batch-check", given=questions).splitlines()
    found: dict[str, str] = {}
    for place, answer in zip(places.values(), answers, strict=True):
        words = answer.split(b" ")
        if len(words) == _WORDS and words[1] == b"blob":
            found.setdefault(words[0].decode(), place)
    return found


_REF: Final = "%(objectname) %(refname)"


def _short(place: str) -> str:
    for start in ("refs/heads/", "refs/tags/", "refs/remotes/", "refs/"):
        if place.startswith(start):
            return place.removeprefix(start)
    return place


def _worktrees(folder: Path, field: str) -> Iterator[str]:
    listing = os.fsdecode(git.run(folder, "worktree", "list", "--porcelain", "-z"))
    return (line.removeprefix(field) for line in listing.split("\0") if line.startswith(field))


def _lines(folder: Path, *arguments: str) -> list[str]:
    return git.run(folder, *arguments).decode(errors="surrogateescape").splitlines()
