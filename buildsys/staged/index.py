"""Git's index below a project: which files the next commit has, and what is in them.

Knows nothing of manifests or locks. A file of the checkout stands for the staged one where git says that the
two are the same: then the stat index knows its digest, and a filter such as Git LFS has undone what it did.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from buildsys import digest as digests
from buildsys import files, git, lfs
from buildsys.digest import Digest
from buildsys.errors import DiskError, GitError

_KEEP: Final = ("GIT_INDEX_FILE",)
"""`git commit --all` and `git commit FILE` tell their hooks of an index of their own."""
_WORDS: Final = {b"1": 8, b"u": 10}
"""Spaces before the path, by the kind of a line of `git status --porcelain=v2`."""
_REGULAR: Final = "100"
_CACHED: Final = b"H"
"""The tag of a file that is neither left out of the checkout (`skip-worktree`) nor taken on trust."""


class Entry(NamedTuple):
    """One staged file."""

    mode: str
    name: str
    """Of its object."""
    same: bool
    """Whether the file in the checkout is this one."""


class Index:
    """The staged files of the project in `root`; its paths are relative to it. Raises `GitError`."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._top = git.root(self.root)
        self._above = git.prefix(self.root)
        self.disk: files.StatIndex | None = None
        """Tells the digests of the checkout's own files; without it, all is read from git."""
        self.unmerged: frozenset[str] = frozenset()
        """What a merge left to a person to decide."""
        self.deleted: frozenset[str] = frozenset()
        """Staged, and gone from the checkout."""
        self.changed: frozenset[str] = frozenset()
        """What the next commit changes: also files that it removes, and those that come as new."""
        self.entries: dict[str, Entry] = {}
        self._read()
        self._asked: list[str] = []
        self._answers: Iterator[tuple[str, bytes]] | None = None
        self._digests: dict[str, Digest] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Left to the garbage, the process that reads objects would outlive the question.
        close = getattr(self._answers, "close", None)
        if close is not None:
            close()

    def same(self, path: str) -> bool:
        """Whether the file at `path` in the checkout is the staged one."""
        entry = self.entries.get(path)
        return entry is not None and entry.same and entry.mode.startswith(_REGULAR)

    def is_checkout(self, seen: Mapping[str, Digest | None], texts: Collection[str]) -> bool:
        """Whether what was `seen` in the checkout, and the `texts` that were read there, are staged."""
        own = {path: found for path, found in seen.items() if not os.path.isabs(path)}  # noqa: PTH117 - many
        there = chain(texts, (path for path, found in own.items() if found is not None))
        return all(map(self.same, there)) and self.entries.keys().isdisjoint(
            path for path, found in own.items() if found is None
        )

    def digest(self, path: str) -> Digest | None:
        """SHA-256 of the staged file; of a Git LFS pointer, that of its file; None where none is staged.

        Raises `DiskError` for a link, a submodule, and what a merge left open.
        """
        entry = self._entry(path)
        if entry is None:
            return None
        if entry.same and self.disk is not None:
            try:
                found = self.disk.digest(path)
            except DiskError:
                found = None  # it can't be read, but git has it
            if found is not None:
                return found
        if entry.name not in self._digests:
            data = self._blob(entry.name)
            self._digests[entry.name] = lfs.meant_by(data) or digests.of_bytes(data)
        return self._digests[entry.name]

    def read(self, path: str) -> bytes | None:
        """The staged bytes; None where none are. Raises `DiskError`, as `digest` does."""
        entry = self._entry(path)
        return None if entry is None else self._blob(entry.name)

    def ignored(self, paths: Collection[str]) -> frozenset[str]:
        """Those of `paths` that git is told to leave out."""
        given = b"".join(os.fsencode(self._above + path) + b"\0" for path in paths)
        try:
            # Ends in 1 where there are none, which is no error.
            found = git.run(self._top, "check-ignore", "-z", "--stdin", keep=_KEEP, given=given)
        except GitError:
            return frozenset()
        return frozenset(self._below(found.split(b"\0")))

    def _entry(self, path: str) -> Entry | None:
        if path in self.unmerged:
            raise DiskError(f"`{path}` is not merged yet", f"resolve it, then run `git add {path}`")
        entry = self.entries.get(path)
        if entry is not None and not entry.mode.startswith(_REGULAR):
            raise DiskError(f"`{path}` is staged as a link, not as a file", f"put a file at `{path}`")
        return entry

    def _read(self) -> None:
        status = dict(self._status())
        self.changed = frozenset(path for path, state in status.items() if state[0] != ".")
        self.deleted = frozenset(path for path, state in status.items() if state[1] == "D")
        unmerged: set[str] = set()
        # TAG MODE NAME STAGE<tab>PATH
        for line in self._git("ls-files", "-v", "-s", "-z").split(b"\0"):
            head, _, told = line.partition(b"\t")
            for path in self._below([told]):
                tag, mode, name, stage = head.split()
                state = status.get(path, "..")
                if stage != b"0":
                    unmerged.add(path)
                elif state[1] != "A":  # only said to come (`git add --intent-to-add`)
                    same = tag == _CACHED and state[1] == "."
                    self.entries[path] = Entry(mode.decode(), name.decode(), same)
        self.unmerged = frozenset(unmerged)

    def _status(self) -> Iterator[tuple[str, str]]:
        """Each path that differs from the last commit or the checkout, and how: two letters."""
        # One process for both. Not `diff-files`: to that, a file is another one as soon as its times are.
        words = (
            "status",
            "--porcelain=v2",
            "--untracked-files=no",
            "--no-renames",
            "--ignore-submodules",
            "-z",
        )
        for line in self._git(*words).split(b"\0"):
            # KIND STATE and as many words more as its kind has, then the path.
            if line[:1] in _WORDS:
                _, state, *_, told = line.split(b" ", _WORDS[line[:1]])
                for path in self._below([told]):
                    yield path, state.decode()

    def _git(self, *words: str) -> bytes:
        # At the top: a hook's name of the index is relative to it.
        place = ["--", self._above] if self._above else []
        return git.run(self._top, "--literal-pathspecs", *words, *place, keep=_KEEP)

    def _below(self, paths: Collection[bytes]) -> Iterator[str]:
        return (os.fsdecode(path).removeprefix(self._above) for path in paths if path)

    def _blob(self, name: str) -> bytes:
        if self._answers is None:
            self._answers = git.objects(self._top, self._questions(), _KEEP)
        self._asked.append(name)
        return next(self._answers)[1]

    def _questions(self) -> Iterator[str]:
        while True:
            yield self._asked.pop()
