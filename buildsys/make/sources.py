"""What an asset is made from, or held against: private copies of exactly the bytes that were planned with.

Knows nothing of what is done with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from buildsys.digest import Digest
from buildsys.errors import MakeError
from buildsys.make.copies import Copies
from buildsys.manifest.model import Input, Manifest
from buildsys.plan.judge import output_of
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
            lies = output_of(self._manifest, self._manifest.assets[item.asset]) if item.asset else item.path
            known = self._store.read(wanted[field]) is not None
            # Looked for on the disk only where the store lacks it: `reproduce` may know no path.
            if not known and self._store.put_file(self._locate(lies), sync=False) != wanted[field]:
                raise MakeError(
                    f"`{item.asset or item.path}` changed while it was read", "run `artlock build` again"
                )
            lent[field] = self._copies.lend(wanted[field], PurePosixPath(lies).name)
        return lent
