"""The world as the plan may ask about it.

Knows nothing of how it is looked at: `buildsys.checkout` is one on a real disk, and a test can be one.
"""

from __future__ import annotations

from typing import Protocol

from buildsys.digest import Digest
from buildsys.manifest.model import Engine
from buildsys.plan.gates import Judgement
from buildsys.plan.record import Record
from buildsys.plan.refusal import Refusal
from buildsys.plan.step import Reason


class World(Protocol):
    """What the plan may ask about the checkout and the store. Nothing starts; nothing is written."""

    def file(self, path: str) -> Digest | None:
        """Digest of a file of the project, or of a `bundled:` one; None where there is none.

        Raises `DiskError` where something else is there, or it can't be read.
        """
        ...

    def pointer(self, path: str) -> bool:
        """Whether `file` met only a pointer of Git LFS at `path`: the bytes may not be here."""
        ...

    def restorable(self, digest: Digest, path: str) -> bool:
        """Whether these bytes can be brought back, from the store or from git's copy of `path`."""
        ...

    def known(self, key: Digest) -> Record | None:
        """What this recipe gave the last time, on this machine."""
        ...

    def refused(self, key: Digest) -> Refusal | None:
        """What is remembered, on this machine, of a recipe that was turned down."""
        ...

    def judged(self, key: Digest) -> Judgement | None:
        """What gates found of a picture, on this machine; see `buildsys.plan.gates.judgement_key`."""
        ...

    def placed(self, path: str, found: Digest) -> bool:
        """Whether a build put this very file at `path`, and was killed before the lock told of it."""
        ...

    def blocked(self, engine: Engine) -> Reason | None:
        """Why this engine can't run here and now."""
        ...

    def revision(self, engine: Engine) -> str:
        """The model's revision; for a local folder the digest of its weights."""
        ...
