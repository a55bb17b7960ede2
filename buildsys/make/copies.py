"""Private copies of what engines read, under names that a message can use.

An engine never reads the store itself, where a bug of its own could spoil what others share.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

from buildsys.digest import Digest
from buildsys.errors import MakeError
from buildsys.files.durable import disk_error
from buildsys.store.objects import Store


class Copies:
    """Copies in `folder` of objects of `store`. Called from several threads at once.

    A folder serves one of these: each counts only what it lent itself. It is made with the first copy.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._lent: Counter[Path] = Counter()
        self._guard = threading.Lock()

    def lend(self, wanted: Digest, name: str) -> Path:
        """A copy of the object, the same one for all who have it. Raises `MakeError`, `DiskError`."""
        path = self._folder / f"{wanted[:12]}-{name}"
        with self._guard:
            if not self._lent[path]:
                self._write(path, wanted, name)
            self._lent[path] += 1
        return path

    def give_back(self, path: Path) -> None:
        """Remove the copy once nobody has it; what never comes back goes with the folder."""
        with self._guard:
            self._lent[path] -= 1
            if not self._lent[path]:
                with suppress(OSError):
                    path.unlink()

    def _write(self, path: Path, wanted: Digest, name: str) -> None:
        data = self._store.read(wanted)
        if data is None:
            raise MakeError(f"the bytes of `{name}` are lost from the store", "run `artlock build` again")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise disk_error("write", path, error) from error
