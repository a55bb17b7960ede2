"""Where locked bytes are: in their place, in the store, in git, with Git LFS, far away. Writes nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from buildsys import digest, git
from buildsys.digest import Digest
from buildsys.errors import GitError
from buildsys.files.content import open_regular
from buildsys.reproduce.model import Held
from buildsys.store.objects import Store

_POINTER: Final = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:.+\n)*?oid sha256:([0-9a-f]{64})\n"
)
_LONGEST_POINTER: Final = 1024
"""Bytes, by the specification of Git LFS."""

FromGit = Callable[[str], bytes | None]


class Lookup:
    """Finds bytes by their digest; each is hashed before it is given out.

    Args:
        root: the project.
        store: this user's store.
        from_git: where git has the bytes of a path, one for each commit to look into.
        from_remote: asked last, for what this machine lacks.
    """

    def __init__(
        self,
        root: Path,
        store: Store,
        from_git: tuple[FromGit, ...],
        from_remote: Callable[[Digest], bytes | None] = lambda _: None,
    ) -> None:
        self._root = root
        self._store = store
        self._from_git = from_git
        self._from_remote = from_remote

    def find(self, wanted: Digest, path: str) -> tuple[bytes | None, Held]:
        """The bytes with the digest `wanted`, which may lie at `path`, and where they were found."""
        for held, data in self._candidates(wanted, path):
            if data is not None and digest.of_bytes(data) == wanted:
                return data, held
        return None, Held.LOST

    def _candidates(self, wanted: Digest, path: str) -> Iterator[tuple[Held, bytes | None]]:
        if path:
            yield Held.PLACE, _file(self._root / path)
        yield Held.STORE, self._store.read(wanted)
        for ask in self._from_git if path else ():
            data = ask(path)
            yield Held.GIT, data
            if data is not None and _oid(data) == wanted:
                yield Held.GIT, self._large(wanted)
        yield Held.REMOTE, self._from_remote(wanted)

    def _large(self, wanted: Digest) -> bytes | None:
        """What Git LFS has of it on this machine; nothing is fetched."""
        try:
            words = git.run(self._root, "rev-parse", "--git-common-dir").removesuffix(b"\n")
        except GitError:
            return None
        objects = self._root / os.fsdecode(words) / "lfs" / "objects"
        return _file(objects / wanted[:2] / wanted[2:4] / wanted)


def _oid(data: bytes) -> str:
    """The SHA-256 of the file for which `data` is a pointer of Git LFS; empty where it is none."""
    found = _POINTER.match(data) if len(data) <= _LONGEST_POINTER else None
    return found[1].decode() if found else ""


def _file(path: Path) -> bytes | None:
    # Not `read_bytes`: a named pipe would wait for a writer for ever.
    with suppress(OSError), os.fdopen(open_regular(path), "rb") as file:
        return file.read()
    return None
