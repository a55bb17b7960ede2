"""A world that notes what the plan asked it, so that it is known what a verdict followed from.

Knows nothing of verdicts.
"""

from __future__ import annotations

from buildsys.checkout import Checkout
from buildsys.digest import Digest
from buildsys.manifest.model import Engine
from buildsys.plan.gates import Judgement
from buildsys.plan.recipe import is_folder
from buildsys.plan.record import Record
from buildsys.plan.refusal import Refusal
from buildsys.plan.step import Reason


class Witness:
    """A plan's `World`: that of a checkout, and what was asked of it."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self.files: dict[str, Digest | None] = {}
        """What lay at each path, relative to the project, or absolute where it comes with artlock."""
        self.weights: dict[str, str] = {}
        """Digest of each local model's folder, by the model as it is written."""
        self.beyond = False
        """Whether more was asked than files: then it is not known what a verdict followed from."""

    def file(self, path: str) -> Digest | None:
        """As the checkout answers; noted."""
        found = self._checkout.file(path)
        self.files[self._checkout.located(path)] = found
        return found

    def pointer(self, path: str) -> bool:
        """As the checkout answers; a pointer of Git LFS is told each time, so it is not to be remembered."""
        found = self._checkout.pointer(path)
        self.beyond = self.beyond or found
        return found

    def revision(self, engine: Engine) -> str:
        """As the checkout answers; noted where it is that of a folder."""
        found = self._checkout.revision(engine)
        if is_folder(engine.model):
            self.weights[engine.model] = found
        return found

    def restorable(self, digest: Digest, path: str) -> bool:
        """As the checkout answers, which looks into store and git, but for what it is to expect anyway."""
        self.beyond = self.beyond or not self._checkout.expects(digest)
        return self._checkout.restorable(digest, path)

    def known(self, key: Digest) -> Record | None:
        """As the checkout answers, which looks into the store."""
        self.beyond = True
        return self._checkout.known(key)

    def refused(self, key: Digest) -> Refusal | None:
        """As the checkout answers, which looks into the store."""
        self.beyond = True
        return self._checkout.refused(key)

    def judged(self, key: Digest) -> Judgement | None:
        """As the checkout answers, which looks into the store."""
        self.beyond = True
        return self._checkout.judged(key)

    def placed(self, path: str, found: Digest) -> bool:
        """As the checkout answers, which looks into a build's note."""
        self.beyond = True
        return self._checkout.placed(path, found)

    def blocked(self, engine: Engine) -> Reason | None:
        """As the checkout answers, which looks at the machine and at the date."""
        self.beyond = True
        return self._checkout.blocked(engine)
