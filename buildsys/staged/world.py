"""What is staged, as the plan asks for it: a world of git's index.

What this machine happens to remember or to have installed is no matter of a commit, so it is not asked.
Knows nothing of verdicts.
"""

from __future__ import annotations

from collections.abc import Collection

from buildsys.checkout import Checkout
from buildsys.digest import Digest
from buildsys.manifest import names
from buildsys.manifest.model import Engine
from buildsys.plan.gates import Judgement
from buildsys.plan.recipe import is_folder
from buildsys.plan.record import Record
from buildsys.plan.refusal import Refusal
from buildsys.plan.step import Reason
from buildsys.staged.index import Index


class StagedWorld:
    """A plan's `World`: the index, and what was asked of it.

    Args:
        index: what is staged.
        checkout: what comes with artlock, and models, which lie in no commit.
        recorded: every finished file that the staged lock names: one that is not staged is missing, but
            what is made from it is judged as if it were there, or one gap would be told many times.
        out: the output folder.
    """

    def __init__(self, index: Index, checkout: Checkout, recorded: Collection[Digest], out: str) -> None:
        self._index = index
        self._checkout = checkout
        self._recorded = recorded
        self._out = f"{out}/"
        self.files: dict[str, Digest | None] = {}
        """What was asked for, as `Witness` notes it."""
        self.weights: dict[str, str] = {}
        self.beyond = False
        """Whether a verdict followed from more than staged files."""

    def file(self, path: str) -> Digest | None:
        """Digest of a staged file. An input that git is told to leave out is looked for on the disk."""
        if path.startswith(names.BUNDLED):
            found = self._checkout.file(path)
        else:
            found = self._index.digest(path)
            if found is None and self._is_private(path):
                self.beyond = True
                found = self._checkout.file(path)
        self.files[self._checkout.located(path)] = found
        return found

    def pointer(self, _path: str) -> bool:
        """Never: a commit of a pointer is a commit of its file."""
        return False

    def revision(self, engine: Engine) -> str:
        """As the checkout answers; noted where it is that of a folder."""
        found = self._checkout.revision(engine)
        if is_folder(engine.model):
            self.weights[engine.model] = found
        return found

    def restorable(self, digest: Digest, _path: str) -> bool:
        """Whether the lock has these bytes; see `recorded`."""
        self.beyond = True
        return digest in self._recorded

    def known(self, _key: Digest) -> Record | None:
        """Nothing is known but the lock."""

    def refused(self, _key: Digest) -> Refusal | None:
        """Nothing."""

    def judged(self, _key: Digest) -> Judgement | None:
        """Nothing."""

    def placed(self, _path: str, _found: Digest) -> bool:
        """No build puts files into the index."""
        return False

    def blocked(self, _engine: Engine) -> Reason | None:
        """Nothing: whether an engine runs here tells nothing of a commit."""

    def _is_private(self, path: str) -> bool:
        """Whether a commit can't have the file: then it can't lack it either. A finished picture it can."""
        if path.startswith(self._out) or not (self._index.root / path).exists():
            return False
        return bool(self._index.ignored([path]))
