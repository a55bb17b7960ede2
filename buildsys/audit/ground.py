"""What an audit stands on: the working tree, or a revision out of git; nothing is checked out.

Knows nothing of what an audit tells.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from buildsys import digest as digests
from buildsys import git, lfs
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, DiskError, GitError, LockError, ManifestError
from buildsys.lock.model import Lock
from buildsys.manifest.cards import Cards
from buildsys.manifest.model import Manifest
from buildsys.manifest.read import read as read_manifest
from buildsys.places import LOCK
from buildsys.reproduce.past import lock_at
from buildsys.session import Session

_TAKEN: tuple[str, ...] = (".toml", ".py")
"""What of a project says how its assets are made: its manifest, and the adapters that it has itself."""


class Ground:
    """The working tree of a project.

    Args:
        session: the project as it lies there; of a lock alone, with the manifest of presets.
    """

    def __init__(self, session: Session) -> None:
        self.root = session.root
        self.lock: Lock = session.lock
        self.manifest: Manifest = session.manifest
        self.home = session.root
        """Where the manifest and the project's own adapters lie."""
        self.working = True
        self.notes: tuple[str, ...] = ()
        self._session = session
        self._within: str | None = None
        try:
            self.commit = git.commit(self.root, "HEAD") if git.is_repository(self.root) else ""
        except GitError:
            self.commit = ""  # no commit yet

    @property
    def cards(self) -> Cards:
        """The cards of the adapters that made what ships."""
        return Cards(self.home)

    def text(self, file: str) -> str:
        """The text of a file of the manifest; empty where it can't be read."""
        try:
            return (self.home / file).read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return ""

    def lock_of(self, commit: str) -> Lock | None:
        """The lock that a commit has; None where it can't be read."""
        with suppress(GitError, LockError):
            return lock_at(self._session, commit, self._within)[1]
        return None

    def lying(self, paths: Iterable[str]) -> Mapping[str, Digest | None]:
        """What lies at each path: the digest of the file, also where only a pointer of Git LFS is here."""
        return {path: self._here(path) for path in paths}

    def data(self, digest: Digest, path: str = "") -> bytes | None:
        """The bytes with `digest`, from the store or from the file at `path`; None where nobody has them."""
        kept = self._session.store.read(digest)
        if kept is not None or not path:
            return kept
        found = self._file(path)
        return found if found is not None and digests.of_bytes(found) == digest else None

    def _here(self, path: str) -> Digest | None:
        try:
            return self._session.checkout.file(path)
        except DiskError:
            return None  # a folder, say: not the picture

    def _file(self, path: str) -> bytes | None:
        try:
            if self._session.checkout.file(path) is None:
                return None
            return self._session.checkout.path(path).read_bytes()
        except (OSError, ArtlockError):
            return None


class Past(Ground):
    """A project at a revision.

    Args:
        session: the project as it lies there now: its store, and where its repository is.
        revision: as a person names it.
        scratch: an empty folder.
        above: where the project is in its repository.
    """

    def __init__(self, session: Session, revision: str, scratch: Path, above: str) -> None:
        super().__init__(session)
        self.commit, self.lock = lock_at(session, revision, above)
        self.home = scratch
        self.working = False
        self._within = self._above = above
        self._fetched = lfs.Fetched(session.root)
        self._take_out()
        try:
            self.manifest = read_manifest(scratch)
        except ManifestError as error:
            told = error.message.partition("\n")[0]
            self.notes = (f"the manifest of {revision} can't be read, so today's was asked: {told}",)

    def lying(self, paths: Iterable[str]) -> Mapping[str, Digest | None]:
        """What the revision has at each path."""
        wanted = [self._above + path for path in paths]
        return {
            name.removeprefix(self._above): None
            if data is None
            else lfs.meant_by(data) or digests.of_bytes(data)
            for name, data in git.blobs(self.root, self.commit, wanted)
        }

    def _file(self, path: str) -> bytes | None:
        data = next(git.blobs(self.root, self.commit, [self._above + path]))[1]
        named = lfs.meant_by(data) if data is not None else None
        return self._fetched.read(named) if named else data

    def _take_out(self) -> None:
        """Write what says how assets are made into the scratch folder."""
        words = ["ls-tree", "-rz", "--name-only", "--full-tree", self.commit, "--"]
        listing = git.run(self.root, "--literal-pathspecs", *words, *([self._above] if self._above else []))
        paths = [os.fsdecode(path) for path in listing.split(b"\0") if path]
        taken = [path for path in paths if path.endswith(_TAKEN)]
        for path, data in git.blobs(self.root, self.commit, taken):
            target = self.home / path.removeprefix(self._above)
            if data is not None and target.resolve().is_relative_to(self.home.resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)


def check_whole(lock: Lock, where: str = LOCK) -> None:
    """Refuse a lock of which nobody knows yet what it holds. Raises `LockError`."""
    if lock.conflicts:
        name = next(iter(lock.conflicts))
        raise LockError(f"both sides of a merge changed `{name}` in `{where}`", "run `artlock resolve`")
