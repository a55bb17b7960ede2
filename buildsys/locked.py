"""What `--locked` and `--frozen` hold a build to: whether the lock would change, and what it promises.

Knows nothing of how assets are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from buildsys.digest import Digest
from buildsys.errors import MakeError
from buildsys.lock.model import Lock
from buildsys.make.recording import relabelled
from buildsys.manifest.model import AssetName
from buildsys.plan.companions import files_of
from buildsys.plan.record import Record
from buildsys.plan.step import Plan, Step, Verdict

_NAMES = ("engine", "instead_of", "candidate", "output", "paths", "credits")
"""What a record tells beside its recipe and its picture, and a build keeps true."""


class Promise:
    """The files that the lock promises.

    Args:
        records: the lock's.
        option: of the build that may place nothing else; for the message.
    """

    def __init__(self, records: Mapping[AssetName, Record], option: str) -> None:
        self._option = option
        self._files = {
            path: (record.name, file)
            for record in records.values()
            for path, file in files_of(record).items()
        }

    def hold(self, path: str, file: Digest) -> None:
        """Raise `MakeError` where the lock has no such file at `path`."""
        name, promised = self._files.get(path, ("", None))
        if promised != file:
            fact = f"`{name}` came out other than the lock says" if name else f"the lock has no `{path}`"
            raise MakeError(fact, f"run `artlock build` without `{self._option}`")

    def hold_all(self, files: Mapping[str, Digest]) -> None:
        """As `hold`, for each file by its path."""
        for path, file in files.items():
            self.hold(path, file)


def changes(plan: Plan, lock: Lock, *, everything: bool) -> tuple[str, ...]:
    """What a build of `plan` would change in the lock, a line each; what nobody can know yet is left out.

    `everything`: no assets were named, so that what the manifest no longer has is dropped.
    """
    told = [] if not lock.marked else ["it holds the marks of a merge"]
    told += [f"{name}: both sides of the merge changed it" for name in lock.conflicts]
    for step in plan.having(Verdict.BUILD, Verdict.RESTORE, Verdict.FRESH):
        told += [f"{step.name}: {line}" for line in _of_step(step, lock)]
    if everything:
        told += [f"{name}: the manifest no longer has it" for name in plan.orphans]
    return tuple(told)


def _of_step(step: Step, lock: Lock) -> Iterator[str]:
    record = step.recorded
    if step.renamed_from:
        yield step.reasons[0].text()
        return
    if record is None or (step.recipe is not None and not _is_recorded(step, record)):
        yield step.reasons[0].text() if step.reasons else "its gates changed"
        return
    if step.known is not None and _bytes(step.known) != _bytes(record):
        yield "its picture is lost, and the store knows another of its recipe"
    if step.verdict is not Verdict.FRESH and step.name in lock.placeholders:
        yield "its picture takes the place of a placeholder"
    if step.recipe is None:
        return
    named = relabelled(record, step)
    for field in _NAMES:
        old, new = getattr(record, field), getattr(named, field)
        if old != new:
            plain = isinstance(old, str) and isinstance(new, str)
            yield f"{field}: {old or '—'} → {new or '—'}" if plain else f"its {field} changed"


def _bytes(record: Record) -> tuple[Digest, Mapping[str, Digest]]:
    return record.picture.file, record.companions


def _is_recorded(step: Step, record: Record) -> bool:
    return (step.recipe, step.asked, step.gates) == (record.recipe, record.asked, record.gates)
