"""The project at another revision: its lock, its inputs and its own adapters, out of git.

How engines are run is today's: the manifest of today knows this machine. Checks nothing out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import msgspec

from buildsys import files, git
from buildsys.checkout import Checkout
from buildsys.errors import LockError
from buildsys.lock.model import Lock
from buildsys.lock.read import parse
from buildsys.manifest.model import Engine
from buildsys.session import LOCK, Session


class Past(Checkout):
    """The checkout as it was at `commit`: what is not in git then is looked for where it lies today."""

    def __init__(self, today: Session, commit: str, scratch: Path, lock: Lock) -> None:
        super().__init__(scratch, today.store, files.StatIndex(scratch), lock.records)
        self._today = today
        self._commit = commit
        self._above = git.prefix(today.root)

    def path(self, path: str) -> Path:
        """Where a path lies: among what was taken out of git, else in the project of today."""
        taken_out = super().path(path)
        return taken_out if taken_out.exists() else self._today.checkout.path(path)

    def from_git(self, path: str) -> bytes | None:
        """The bytes of `path` at the revision."""
        return next(git.blobs(self._today.root, self._commit, [self._above + path]))[1]

    def take_out(self, adapters: Iterable[str]) -> None:
        """Write the project's own `adapters`, and what lies beside each, as they were."""
        own = {PurePosixPath(adapter) for adapter in adapters if adapter.endswith(".py")}
        # A stranger's lock may name any path; who loads the card refuses these.
        inside = {path.parent for path in own if not path.is_absolute() and ".." not in path.parts}
        for folder in sorted(str(path) for path in inside):
            top = folder == "."
            place = self._above if top else f"{self._above}{folder}/"
            # Of the project's top no folder: that would be the whole project, all its art included.
            words = [
                "ls-tree",
                "-z",
                "--name-only",
                "--full-tree",
                *([] if top else ["-r"]),
                self._commit,
                "--",
            ]
            words += [place] if place else []
            listing = git.run(self._today.root, "--literal-pathspecs", *words)
            paths = [os.fsdecode(path) for path in listing.split(b"\0") if path]
            for path, data in git.blobs(self._today.root, self._commit, paths):
                if data is not None:
                    target = self._root / path.removeprefix(self._above)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)


def lock_at(session: Session, revision: str, above: str | None = None) -> tuple[str, Lock]:
    """The commit that `revision` means, and its lock. Raises `GitError`, `LockError`.

    `above`: where the project is in its repository, if git can't tell: a bare one has it nowhere.
    """
    commit = git.commit(session.root, revision)
    data = git.show(session.root, commit, (git.prefix(session.root) if above is None else above) + LOCK)
    try:
        lock = parse(data.decode(), origin=f"{revision}:{LOCK}")
    except UnicodeDecodeError as error:
        raise LockError(f"{revision}:{LOCK}: not UTF-8", "name another revision") from error
    if lock.marked:
        fact = f"{revision}:{LOCK} was committed with the marks of a merge"
        raise LockError(fact, "name a revision before or after it")
    return commit, lock


def session_at(session: Session, commit: str, lock: Lock, scratch: Path) -> Session:
    """A session in which assets of `lock` can be made as at `commit`; `scratch` is a folder for it.

    Raises `GitError`.
    """
    past = Past(session, commit, scratch, lock)
    past.take_out(record.parts.adapter for record in lock.records.values())
    found = Session(scratch, session.runnable(), lock, session.store)
    found.checkout = past
    return found


def with_adapter(session: Session, engine: Engine) -> Engine:
    """`engine` with the very adapter that lies in `session`: a pool looks in the project of today."""
    name = engine.card.name
    if not name.endswith(".py"):
        return engine
    card = msgspec.structs.replace(engine.card, name=str(session.root / name))
    return msgspec.structs.replace(engine, card=card)
