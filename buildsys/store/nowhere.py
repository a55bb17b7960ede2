"""This user's store, and what stands for it where there is no folder to keep one in.

Knows nothing of what is in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

from buildsys.digest import Digest
from buildsys.errors import StoreError
from buildsys.store.objects import Store
from buildsys.store.place import default_root

Json: TypeAlias = Any

_NO_FOLDER: Final = Path("/dev/null")
"""Nothing can ever lie below it."""


def default_store() -> Store:
    """This user's store; without a home, one that has nothing and refuses whatever is to be kept.

    Whether there is a place for it matters to what keeps something, and to nothing that only looks:
    `check` needs the checkout alone.
    """
    try:
        return Store(default_root())
    except StoreError as error:
        return Nowhere(error)


class Nowhere(Store):
    """A store without a folder: it has nothing, and raises `reason` where it would have to keep something."""

    def __init__(self, reason: StoreError) -> None:
        super().__init__(_NO_FOLDER)
        self._reason = reason

    def path_of(self, digest: Digest) -> NoReturn:  # noqa: ARG002 - it is nowhere, whatever it is
        """Raise `StoreError`."""
        raise self._reason

    def leased(self, root: Path | None = None) -> NoReturn:  # noqa: ARG002 - as above
        """Raise `StoreError`: who asks for a lease means to put something here."""
        raise self._reason

    def has(self, digest: Digest) -> bool:  # noqa: ARG002 - as above
        """Nothing is here."""
        return False

    def read(self, digest: Digest) -> None:
        """Nothing is here."""

    def place(self, digest: Digest, target: Path, *, within: Path | None = None) -> bool:  # noqa: ARG002 - as above
        """Nothing is here to be copied."""
        return False

    def action(self, key: Digest) -> None:
        """Nothing is known."""

    def results(self, mentioning: Collection[Digest]) -> Iterator[dict[str, Json]]:  # noqa: ARG002 - as above
        """Nothing is known."""
        return iter(())

    def _staged(self) -> NoReturn:
        raise self._reason
