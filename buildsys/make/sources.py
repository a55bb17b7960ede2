"""What an asset is made from, or held against: private copies of exactly the bytes that were planned with.

Knows nothing of what is done with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from buildsys import lfs
from buildsys.digest import Digest
from buildsys.errors import MakeError
from buildsys.make.copies import Copies
from buildsys.manifest.model import Input, Manifest
from buildsys.plan.graph import place_of
from buildsys.store.objects import Store


class Sources:
    """Inputs of one checkout, snapshotted into the store and lent as copies.

    Args:
        store: where the bytes go.
        copies: what is lent.
        manifest: for the assets that are inputs.
        locate: where a path of the manifest lies on this disk.
    """

    def __init__(
        self, store: Store, copies: Copies, manifest: Manifest, locate: Callable[[str], Path]
    ) -> None:
        self._store = store
        self._copies = copies
        self._manifest = manifest
        self._locate = locate

    def lend(self, inputs: Mapping[str, Input], wanted: Mapping[str, Digest]) -> dict[str, Path]:
        """A copy of each of `inputs`, of the bytes that `wanted` names. Raises `MakeError`, `DiskError`."""
        lent = {}
        for field, item in inputs.items():
            # An asset's with its suffix: a program may tell a format by nothing else.
            lies = place_of(self._manifest, item)
            # Looked for on the disk only where the store lacks it: `reproduce` may know no path.
            if self._store.read(wanted[field]) is None:
                self._take_in(lies, item.asset or item.path, wanted[field])
            lent[field] = self._copies.lend(wanted[field], PurePosixPath(lies).name)
        return lent

    def _take_in(self, lies: str, name: str, wanted: Digest) -> None:
        found = self._store.put_file(self._locate(lies), sync=False)
        if found == wanted:
            return
        data = self._store.read(found)
        if data is not None and lfs.meant_by(data) == wanted:
            raise MakeError(f"only a Git LFS pointer is here of `{lies}`", lfs.HINT)
        raise MakeError(f"`{name}` changed while it was read", "run `artlock build` again")
