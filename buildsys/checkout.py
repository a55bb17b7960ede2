"""The checkout: what lies on this disk, in the store and in git, as the plan asks for it.

The plan's `World`. Starts no engine, asks no network, writes nothing but the stat index.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from buildsys import digest, files, git, lfs
from buildsys.digest import Digest
from buildsys.errors import DiskError, GitError
from buildsys.files import weights
from buildsys.files.placed import Placed
from buildsys.manifest import cards, names
from buildsys.manifest.model import AssetName, Engine
from buildsys.plan import ready
from buildsys.plan.companions import files_of
from buildsys.plan.gates import Judgement
from buildsys.plan.recipe import is_folder
from buildsys.plan.record import Record
from buildsys.plan.refusal import Refusal
from buildsys.plan.step import Reason
from buildsys.store.objects import Store


class Checkout:
    """The plan's view of one checkout.

    Args:
        root: the project.
        store: this user's store.
        index: stat index of this checkout, so that unchanged files aren't hashed again.
        records: the lock's, to look up in git all at once what is missing.
    """

    def __init__(
        self, root: Path, store: Store, index: files.StatIndex, records: Mapping[AssetName, Record]
    ) -> None:
        self._root = root
        self._store = store
        self._index = index
        self._records = records
        self._lost: set[Digest] = set()
        self._fetched = lfs.Fetched(root)
        self._expected: frozenset[Digest] = frozenset()
        self._relied: set[Digest] = set()
        self._placed: Placed | None = None
        self._git: dict[str, Digest | None] | None = None
        self._revisions: dict[str, str] = {}

    def file(self, path: str) -> Digest | None:
        """Digest of a file of the project, or of a `bundled:` one; None where there is none."""
        return self._index.digest(self.located(path))

    def located(self, path: str) -> str:
        """A manifest's path as the stat index has it: as it is, or absolute for a `bundled:` one."""
        # No `Path` for each of ten thousand files: that took longer than to ask the index.
        return str(self._place(path)) if path.startswith(names.BUNDLED) else path

    def pointer(self, path: str) -> bool:
        """Whether only a pointer of Git LFS was there when `file` was asked."""
        return self._index.is_pointer(self.located(path))

    def path(self, path: str) -> Path:
        """Where what a manifest's path names lies on this disk; Git LFS may have it in a place of its own."""
        if self.pointer(path) and (named := self.file(path)) and (kept := self._fetched.path_of(named)):
            return kept
        return self._place(path)

    def _place(self, path: str) -> Path:
        if path.startswith(names.BUNDLED):
            return cards.BUNDLED / path.removeprefix(names.BUNDLED)
        return self._root / path

    def restorable(self, wanted: Digest, path: str) -> bool:
        """Whether these bytes are in the store, in git's last commit at `path`, or lie there."""
        if wanted in self._lost:
            return False
        if self._store.has(wanted) or self._lies(path, wanted) or self._in_git(path) == wanted:
            return True
        if wanted in self._expected:
            self._relied.add(wanted)
        return wanted in self._expected

    def expect(self, wanted: Collection[Digest]) -> None:
        """Take these bytes for restorable from now on, though they are not here: a remote may have them."""
        self._expected = frozenset(wanted)
        self._relied.clear()

    def expects(self, wanted: Digest) -> bool:
        """Whether these bytes are taken for restorable wherever they are."""
        return wanted in self._expected and wanted not in self._lost

    @property
    def relied(self) -> frozenset[Digest]:
        """Those of the expected bytes that a plan went by since."""
        return frozenset(self._relied)

    def placed(self, path: str, found: Digest) -> bool:
        """Whether a build put this very file there, and was killed before the lock told of it."""
        if self._placed is None:
            self._placed = Placed(self._root)
        return self._placed.has(path, found)

    def lose(self, wanted: Digest) -> None:
        """Note that these bytes turned out to be torn or gone."""
        self._lost.add(wanted)

    def known(self, key: Digest) -> Record | None:
        """What this recipe gave the last time, on this machine."""
        return self._store.recall(key, Record)

    def refused(self, key: Digest) -> Refusal | None:
        """What is remembered, on this machine, of a recipe that was turned down."""
        return self._store.recall(key, Refusal)

    def judged(self, key: Digest) -> Judgement | None:
        """What gates found of a picture, on this machine."""
        return self._store.recall(key, Judgement)

    def blocked(self, engine: Engine) -> Reason | None:
        """Why this engine can't run here and now."""
        return ready.obstacle(
            engine,
            installed=_installed,
            variables=os.environ,
            today=dt.datetime.now(tz=dt.UTC).date().isoformat(),
            weights=self._missing_weights,
        )

    def revision(self, engine: Engine) -> str:
        """The model's revision; for a local folder the digest of its weights."""
        if not is_folder(engine.model):
            return engine.revision
        if engine.model not in self._revisions:
            self._revisions[engine.model] = weights.digest_of(self.model_path(engine), self._index)
        return self._revisions[engine.model]

    def model_path(self, engine: Engine) -> Path:
        """Where a local model lies."""
        return weights.folder_of(self._root, engine.model)

    def model_folder(self, engine: Engine) -> Path:
        """Where a model lies, local or of the Hub, or would if it were here."""
        if is_folder(engine.model):
            return self.model_path(engine)
        return _hub(engine) / f"models--{engine.model.replace('/', '--')}" / "snapshots" / engine.revision

    def from_git(self, path: str) -> bytes | None:
        """The bytes of `path` in the last commit."""
        return dict(self.committed([path])).get(path)

    def committed(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Those of `paths` that the last commit has, with their bytes.

        All in one go: a process per file would cost more than the files.
        """
        if not paths:
            return
        try:
            # The game may be a folder of a larger repository.
            above = git.prefix(self._root)
            for name, data in git.blobs(self._root, "HEAD", [above + path for path in paths]):
                named = lfs.meant_by(data) if data is not None else None
                content = self._fetched.read(named) if named else data
                if content is not None:
                    yield name.removeprefix(above), content
        except GitError:
            # Not a repository, or no commit yet: then git has nothing to bring back.
            return

    def _in_git(self, path: str) -> Digest | None:
        if self._git is None:
            missing = [
                path
                for record in self._records.values()
                for path, wanted in files_of(record).items()
                if not self._store.has(wanted) and self._is_away(path)
            ]
            found = {name: digest.of_bytes(data) for name, data in self.committed(missing)}
            self._git = {**dict.fromkeys(missing), **found}
        if path not in self._git:
            # Something else lies there: an edit that is to be overwritten, or a placeholder.
            data = self.from_git(path)
            self._git[path] = None if data is None else digest.of_bytes(data)
        return self._git[path]

    def _lies(self, path: str, wanted: Digest) -> bool:
        """Whether these very bytes lie at `path`: there they are, where an asset's name or place changed."""
        try:
            return self.file(path) == wanted and not self.pointer(path)
        except DiskError:
            return False

    def _is_away(self, path: str) -> bool:
        """Whether nothing lies there, or only a pointer of Git LFS."""
        try:
            return self.file(path) is None or self.pointer(path)
        except DiskError:
            return False

    def _missing_weights(self, engine: Engine) -> str:
        if is_folder(engine.model):
            whole = (self.model_path(engine) / "model_index.json").is_file()
            return "" if whole else f"`{engine.model}` is not a folder with a `model_index.json`"
        if (self.model_folder(engine) / "model_index.json").exists():
            return ""
        return f"`{engine.model}` at `{engine.revision[:12]}` is not on this machine"


def _hub(engine: Engine) -> Path:
    """The Hub's cache as the engine sees it; the layout is that of `huggingface_hub`."""
    home = engine.settings.get("cache") or os.environ.get("HF_HOME")
    if not engine.settings.get("cache") and (cache := os.environ.get("HF_HUB_CACHE")):
        return Path(cache)
    return Path(home) / "hub" if home else Path.home() / ".cache" / "huggingface" / "hub"


def _installed(module: str) -> bool:
    """Found, not imported: the plan never pays for torch."""
    return importlib.util.find_spec(module.partition(".")[0]) is not None
