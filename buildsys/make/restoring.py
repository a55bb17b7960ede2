"""Restoring in bulk: what is known, and needs nothing made, is brought back before any engine starts.

The plain cases only. What is lost, has something in its way, or is to be judged by a gate first is left out:
the build then brings it back by itself, and says what is wrong with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.errors import ArtlockError
from buildsys.files.batch import Batch
from buildsys.make.recording import relabelled
from buildsys.manifest.model import AssetName
from buildsys.plan import graph
from buildsys.plan.companions import files_of, whereabouts
from buildsys.plan.record import Record
from buildsys.plan.step import Step, Verdict
from buildsys.store.objects import Store

FromGit: TypeAlias = Callable[[Sequence[str]], Iterable[tuple[str, bytes]]]
"""Those of some paths that the last commit has, with their bytes."""

_TOGETHER: Final = 2048
"""Assets that are synced, and told of, at once."""


class Restoring:
    """Brings back many assets of one checkout at once. Called from one thread.

    Args:
        root: the project.
        store: where the bytes come from.
        from_git: for what the store lacks.
        note: told the path and the digest of each file, before any of them is put beside its place.
    """

    def __init__(
        self,
        root: Path,
        store: Store,
        *,
        from_git: FromGit,
        note: Callable[[Mapping[str, Digest]], None],
    ) -> None:
        self._root = root
        self._store = store
        self._from_git = from_git
        self._note = note

    def restore(self, steps: Iterable[Step]) -> Iterator[list[tuple[Step, Record]]]:
        """Those of `steps` that could be brought back plainly, each after those that it is made from.

        As lists of what was brought back together.

        A step whose input is left out is left out as well: it may have to be judged again.
        """
        waiting = {step.name: step for step in steps}
        left: set[AssetName] = set()
        while ready := _ready(waiting, left):
            for start in range(0, len(ready), _TOGETHER):
                some = ready[start : start + _TOGETHER]
                found = self._together(some)
                left |= {step.name for step in some} - {step.name for step, _ in found}
                yield found
            for step in ready:
                if step.name not in left:
                    del waiting[step.name]

    def _together(self, steps: Sequence[Step]) -> list[tuple[Step, Record]]:
        self._fetch(steps)
        files = {step.name: _files(step) for step in steps}
        targets = {
            name: {self._root / path: file for path, file in item.items()} for name, item in files.items()
        }
        with Batch(self._root) as batch:
            try:
                batch.prepare({target.parent for item in targets.values() for target in item})
                self._note({path: file for item in files.values() for path, file in item.items()})
                # On this thread: several took Python's own lock from each other at each call of the disk.
                staged = [step for step in steps if self._stage(batch, targets[step.name])]
                batch.sync()
            except ArtlockError:
                return []  # the build meets it again, at the asset that it belongs to
            return [
                (step, relabelled(step.known, step))
                for step in staged
                if step.known is not None and _publish(batch, targets[step.name])
            ]

    def _fetch(self, steps: Sequence[Step]) -> None:
        """Have in the store what only git has."""
        places: dict[str, set[Digest]] = {}
        for step in steps:
            for wanted, paths in whereabouts(step.known, step.output) if step.known else ():
                if not self._store.has(wanted):
                    for path in paths:
                        places.setdefault(path, set()).add(wanted)
        if places:
            for path, data in self._from_git(list(places)):
                if digests.of_bytes(data) in places[path]:
                    self._store.put_bytes(data, sync=False)

    def _stage(self, batch: Batch, targets: Mapping[Path, Digest]) -> bool:
        """Whether every file of an asset is ready to be put in its place; the last one is its picture."""
        try:
            # In the place of a companion that the judge never saw may lie a person's work.
            free = not any(map(os.path.lexists, list(targets)[:-1]))
            if free and all(
                batch.stage(self._store.path_of(file), target, file) for target, file in targets.items()
            ):
                return True
        except OSError:
            pass  # it is lost, or something is wrong with its place: the build will say what
        batch.drop(targets)
        return False


def _publish(batch: Batch, targets: Iterable[Path]) -> bool:
    try:
        for target in targets:
            batch.publish(target)
    except OSError:
        return False  # a folder lies there, say: as in `_stage`
    return True


def keep_moving(root: Path, store: Store, steps: Iterable[Step]) -> None:
    """Take into the store what lies only where another asset's file may go: names can be swapped."""
    for step in steps:
        for wanted, places in whereabouts(step.known, step.output) if step.known else ():
            for place in places if not store.has(wanted) else ():
                data = _read(root / place)
                if data is not None and digests.of_bytes(data) == wanted:
                    store.put_bytes(data, sync=False)
                    break


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes() if file.is_file() else None
    except OSError:
        return None  # the build meets it again, at the asset that it belongs to


def _ready(waiting: Mapping[AssetName, Step], left: Collection[AssetName]) -> list[Step]:
    """Those of which no input is still to be made or brought back; what is `left` out stays so."""
    return [
        step
        for step in waiting.values()
        if _is_plain(step)
        and step.name not in left
        and not any(name in waiting for name in graph.upstream(step.asset))
    ]


def _is_plain(step: Step) -> bool:
    if step.verdict is not Verdict.RESTORE or step.known is None:
        return False
    return step.gates is None or step.known.gates == step.gates


def _files(step: Step) -> Mapping[str, Digest]:
    if step.known is None:
        return {}
    return files_of(msgspec.structs.replace(step.known, output=step.output))
