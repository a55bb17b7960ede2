"""The ledger: the lock while a build changes it, written from time to time and at the end.

Knows nothing of how assets are made. Called from several threads at once.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec

from buildsys.digest import Digest
from buildsys.errors import MakeError
from buildsys.files.durable import disk_error, sync_folder
from buildsys.files.placed import Placed
from buildsys.lock.model import REVISION, Lock
from buildsys.lock.write import LockFile, check_writable
from buildsys.locked import Promise
from buildsys.manifest.model import AssetName
from buildsys.plan.companions import files_of
from buildsys.plan.record import Record

EVERY_SECONDS: Final = 2.0
"""How often the file is written while a build runs. After each asset was refused: a lock of 10,000
assets would be written 10,000 times. Nothing is lost by it, for every result is in the store first,
and the next build restores what the lock does not know."""


class Ledger:
    """Records of one checkout, on their way into its lock. Raises `LockError` where it can't be written."""

    def __init__(self, path: Path, lock: Lock, *, locked: bool = False) -> None:
        # Now, not at the end of a build whose lock could then not be written.
        check_writable(lock)
        self._file = LockFile(path)
        self._root = path.parent
        self._placed = Placed(self._root)
        self._placed.sweep()
        self._placed.settle(item for record in lock.records.values() for item in files_of(record).items())
        self._told: set[str] = set()
        """Where pictures lie that were taken in since the lock was last written."""
        self._lock = lock
        self._promise = Promise(lock.records, "--locked") if locked else None
        """Held where the file may not change."""
        self._renewed: frozenset[AssetName] = frozenset()
        self._records = dict(lock.records)
        self._placeholders = dict(lock.placeholders)
        self._renames: dict[AssetName, AssetName] = {}
        self._saved = lock
        self._when = time.monotonic()
        self._guard = threading.Lock()

    def placing(self, path: str, file: Digest) -> None:
        """Note a picture just before it is put at `path`. Raises `DiskError`.

        A build that is killed before the lock is written would take it for a person's work otherwise.
        Raises `MakeError` where the lock may not change, and has another one there.
        """
        self.placing_all({path: file})

    def placing_all(self, files: Mapping[str, Digest]) -> None:
        """Note many pictures at once, as `placing` does. Raises `DiskError`, `MakeError`."""
        if self._promise is not None:
            self._promise.hold_all(files)
        with self._guard:
            self._placed.note_all(files)

    def publish(self, record: Record) -> None:
        """Take a record in.

        One that made the same picture from the same recipe changes no more than its names: a rebuild
        elsewhere that gives the same bytes must not change environment or raw digest, unless somebody asked
        for just that (`renew`). Raises `MakeError` where the lock may not change, and would.
        """
        with self._guard:
            old = self._records.get(record.name)
            renewed = record.name in self._renewed
            if old is not None and not renewed and _came_out(old) == _came_out(record):
                record = msgspec.structs.replace(record, environment=old.environment, raw=old.raw)
            if self._promise is not None and record != old:
                raise MakeError(
                    f"`{record.name}` came out other than the lock says",
                    "run `artlock build` without `--locked`",
                )
            for path, file in files_of(old).items() if old is not None else ():
                if path not in files_of(record):
                    # What lies in the old place is a leftover now, and no lock will tell whose it was.
                    self._placed.note(path, file)
            self._records[record.name] = record
            self._placeholders.pop(record.name, None)
            self._told.update(files_of(record))
            if time.monotonic() - self._when > EVERY_SECONDS:
                self._save()

    def renew(self, names: Collection[AssetName]) -> None:
        """Take of these what they are made with as well, even where the same bytes come out."""
        self._renewed = frozenset(names)

    def records(self) -> dict[AssetName, Record]:
        """Every record as it is now."""
        with self._guard:
            return dict(self._records)

    def stand_in(self, made: Record) -> None:
        """Note that a placeholder lies where an asset goes. Its record, if any, stays as it was."""
        with self._guard:
            self._placeholders[made.name] = made.picture.file
            self._told.add(made.output)

    def abandoned(self, orphans: Collection[AssetName]) -> list[AssetName]:
        """Those of `orphans` of which nothing lies there any more, or whose place is another asset's by now.

        As long as an orphan's file does, its record is what proves that it was ours.
        """
        with self._guard:
            gone = {name: files_of(self._records[name]) for name in orphans if name in self._records}
            kept = (record for name, record in self._records.items() if name not in gone)
            taken = {path for record in kept for path in files_of(record)}
            return [
                name
                for name, paths in gone.items()
                if all(path in taken or not os.path.lexists(self._root / path) for path in paths)
            ]

    def forget(self, names: Collection[AssetName]) -> None:
        """Drop the records of assets that are no longer in the manifest."""
        with self._guard:
            for name in names:
                self._records.pop(name, None)
                self._placeholders.pop(name, None)

    def renamed(self, names: Mapping[AssetName, AssetName]) -> None:
        """Note assets that the lock had under other names: old names by new ones."""
        with self._guard:
            self._renames.update(names)

    def save(self) -> Lock:
        """Write the lock if it changed; what was said of pictures that it no longer has goes."""
        with self._guard:
            return self._save(last=True)

    def _save(self, *, last: bool = False) -> Lock:
        current = self._lock if self._promise is not None else self._changed()
        if last and self._promise is None:
            # Not before: in the middle of a build, a picture that comes back may not be back yet.
            current = current.settled()
        if current != self._saved:
            self._sync_folders()
            self._file.save(current)
            self._saved = current
        self._placed.forget(self._told)
        self._told.clear()
        self._when = time.monotonic()
        return current

    def _changed(self) -> Lock:
        renames = {new: old for new, old in self._renames.items() if new in self._records}
        return msgspec.structs.replace(
            self._lock.following(renames),
            records=dict(self._records),
            placeholders=dict(self._placeholders),
            # One of before gets its seals also where nothing else changed: that belongs into no other change.
            revision=REVISION,
            # What git left of a merge goes, also where nothing else changed; what is open stays marked.
            marked=bool(self._lock.conflicts),
        )

    def _sync_folders(self) -> None:
        """First the pictures, then the lock: after a power cut it may name no file that is not there yet."""
        for folder in sorted({(self._root / path).parent for path in self._told}):
            try:
                sync_folder(folder)
            except FileNotFoundError:
                continue  # moved away since: then its pictures are missing, and no sync brings them back
            except OSError as error:
                raise disk_error("write into", folder, error) from error


def _came_out(record: Record) -> tuple[object, ...]:
    """What two records of the same files have alike, however these were made."""
    return record.recipe, record.picture, record.companions
