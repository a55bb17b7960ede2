"""What a build asks when this machine lacks something that another one may have made.

Knows nothing of who answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from buildsys.digest import Digest
from buildsys.plan.step import Step


class Supply(Protocol):
    """Brings into the store what others made. Called from several threads at once."""

    def bring(self, step: Step) -> bool:
        """Ask for what is known of `step`; whether anything came, so that it is to be judged again."""
        ...

    def brought(self, file: Digest) -> bool:
        """Whether these bytes came from there in this build."""
        ...

    def refused(self) -> Mapping[Digest, str]:
        """What it had with other bytes than those of its name, and where."""
        ...


class _Nobody:
    def bring(self, step: Step) -> bool:
        """Nothing comes."""
        del step
        return False

    def brought(self, file: Digest) -> bool:
        """Nothing came."""
        del file
        return False

    def refused(self) -> Mapping[Digest, str]:
        """Nothing came, nothing was refused."""
        return {}


NOBODY: Final[Supply] = _Nobody()
