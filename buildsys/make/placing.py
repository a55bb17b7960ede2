"""Putting the files of an asset in their places, and bringing them into the store from where they lay.

Knows nothing of how they are made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from buildsys import digest
from buildsys.digest import Digest
from buildsys.errors import MakeError
from buildsys.files.content import digest_or_meant
from buildsys.files.durable import disk_error
from buildsys.plan.companions import beside, files_of, whereabouts
from buildsys.plan.record import Record
from buildsys.plan.step import Step
from buildsys.store.objects import Store


class Placing:
    """Places and fetches files of one checkout. Called from several threads at once.

    Args:
        root: the project.
        store: where the bytes come from.
        from_git: bytes of a path in the last commit, or None.
        note: told the path and the digest of each file just before it is put in its place.
        ours: whether a build put this very file at this path, and was killed before the lock told of it.
        force: names of assets whose files are overwritten even where a hand made or edited them.
    """

    def __init__(
        self,
        root: Path,
        store: Store,
        *,
        from_git: Callable[[str], bytes | None],
        note: Callable[[str, Digest], None],
        ours: Callable[[str, Digest], bool],
        force: frozenset[str],
    ) -> None:
        self._root = root
        self._store = store
        self._from_git = from_git
        self._note = note
        self._ours = ours
        self._force = force

    def place(self, step: Step, record: Record) -> None:
        """Put every file of `record` where `step` has its output. Raises `MakeError`, `DiskError`.

        The judge saw the picture, and each companion that the lock has. Which others there are is known only
        now: what a person put in the place of one is kept.
        """
        files = files_of(msgspec.structs.replace(record, output=step.output))
        if step.name not in self._force:
            for path, wanted in files.items():
                if path != step.output:
                    self._check(step, path, wanted)
        for path, wanted in files.items():
            self._note(path, wanted)
            if not self._store.place(wanted, self._root / path, within=self._root):
                raise MakeError(f"`{path}` is lost from the store", "run `artlock build` again")

    def fetch(self, step: Step, record: Record) -> bool:
        """Have every file of `record` in the store; False where one is lost."""
        for wanted, places in whereabouts(record, step.output):
            if self._store.read(wanted) is None:
                found = (self._outside_store(place, wanted) for place in places)
                data = next((item for item in found if item is not None), None)
                if data is None:
                    return False
                self._store.put_bytes(data, sync=False)
        return True

    def _outside_store(self, path: str, wanted: Digest) -> bytes | None:
        """The bytes from their place, where a build was killed before it wrote the lock, or from git."""
        file = self._root / path
        data = file.read_bytes() if file.is_file() else None
        if data is None or digest.of_bytes(data) != wanted:
            data = self._from_git(path)
        return data if data is not None and digest.of_bytes(data) == wanted else None

    def _check(self, step: Step, path: str, wanted: Digest) -> None:
        try:
            found, _ = digest_or_meant(self._root / path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise disk_error("read", self._root / path, error) from error
        recorded = step.recorded.companions if step.recorded else {}
        known = {wanted, *(file for suffix, file in recorded.items() if beside(step.output, suffix) == path)}
        if found not in known and not self._ours(path, found):
            fact = f"a file that artlock did not make lies at `{path}`, where a file of `{step.name}` goes"
            raise MakeError(fact, f"move it away, or run `artlock build --force {step.name}`")
