"""The gatekeeper: no picture is adopted that its asset's gates turn down.

Knows nothing of how a picture was made, and nothing of how a gate measures. Called from several threads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.digest import Digest
from buildsys.errors import MakeError
from buildsys.make.copies import Copies
from buildsys.make.failure import GateFailed
from buildsys.make.made import Engines
from buildsys.make.progress import Action, ActionRecalled, ActionStarted, Event
from buildsys.make.sources import Sources
from buildsys.manifest.gates import JUDGES
from buildsys.manifest.model import Gate, Manifest
from buildsys.manifest.references import gate_files
from buildsys.plan import recipe
from buildsys.plan.gates import Finding, Judgement, judgement_key, passed_by, rejection_key, way_on
from buildsys.plan.record import Picture, Record
from buildsys.plan.refusal import GATE, Refusal
from buildsys.plan.step import Step, Why
from buildsys.store.objects import Store
from engines.protocol import Request

Json: TypeAlias = Any

REJECTED: Final = ".artlock/rejected"
"""Where a picture lies that was turned down, for a person to look at."""


class Gatekeeper:
    """Judges the finished pictures of one checkout.

    Args:
        root: the project.
        manifest: for its engines.
        store: where pictures lie, and judgements go.
        engines: what runs an engine.
        inputs: a private folder for the copies that engines read.
        locate: where a path of the manifest lies on this disk.
        retry: ask again for what was turned down before this run.
        tell: given each action.
    """

    def __init__(
        self,
        *,
        root: Path,
        manifest: Manifest,
        store: Store,
        engines: Engines,
        inputs: Path,
        locate: Callable[[str], Path],
        retry: bool = False,
        tell: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self._root = root
        self._manifest = manifest
        self._store = store
        self._engines = engines
        self._copies = Copies(store, inputs)
        self._sources = Sources(store, self._copies, manifest, locate)
        self._retry = retry
        self._tell = tell

    def admit(self, step: Step, picture: Picture) -> None:
        """Let `picture` pass, or raise `GateFailed`: then it lies where a person can look at it."""
        if step.gates is None or passed_by(step, picture.file):
            return
        judgement = self.judge(step, picture)
        if not judgement.passed:
            raise self._rejected(step, picture, judgement)
        put_away(self._root, (step,))
        if self._retry or any(reason.why is Why.ASKED for reason in step.reasons):
            self._store.forget(_rejection(step, step.gates))

    def judge(self, step: Step, picture: Picture) -> Judgement:
        """What the gates of `step` find of `picture`, which lies in the store; nothing where it has none.

        What was found of these bytes by these gates before is found again. Raises `MakeError`.
        """
        if step.gates is None:
            return Judgement(findings=())
        key = judgement_key(step.gates, picture.file)
        known = self._store.recall(key, Judgement)
        if known is not None:
            for judge in _judges(step):
                self._tell(ActionRecalled(name=step.label, action=Action.JUDGE, engine=judge, key=key))
            return known
        found = [finding for judge in _judges(step) for finding in self._ask(judge, step, picture, key)]
        judgement = Judgement(findings=tuple(found))
        self._store.record_action(key, msgspec.to_builtins(judgement), sync=False)
        return judgement

    def another(self, step: Step, record: Record) -> bool:
        """Whether the engine is to draw another picture than that of `record`, which was turned down.

        Only one that may draw another, and only where a person asks again.
        """
        if not self._retry or step.gates is None or step.parts is None:
            return False
        if self._manifest.engines[step.asset.engine].card.constant:
            return False
        key = _rejection(step, step.gates)
        known = self._store.recall(judgement_key(step.gates, record.picture.file), Judgement)
        if known is None or known.passed or self._store.recall(key, Refusal) is None:
            return False
        self._store.forget(recipe.generate_key(step.parts))
        self._store.forget(key)
        return True

    def _ask(self, judge: str, step: Step, picture: Picture, key: Digest) -> tuple[Finding, ...]:
        gates = [gate for gate in step.asset.gates if gate.engine == judge]
        prefixes = tuple(f"gates.{gate.name}." for gate in gates)
        inputs = {field: item for field, item in gate_files(step.asset).items() if field.startswith(prefixes)}
        suffix = PurePosixPath(step.output).suffix
        image = self._copies.lend(picture.file, f"{PurePosixPath(step.name).name}{suffix}")
        lent = self._sources.lend(inputs, step.gate_inputs)
        request = Request(
            id=f"{step.label}#{judge}",
            asset=step.label,
            output=f"{key[:16]}-{judge}.png",
            parameters={"gates": [[gate.name, dict(gate.parameters)] for gate in gates]},
            inputs={"image": str(image), **{field: str(path) for field, path in lent.items()}},
        )
        self._tell(ActionStarted(name=step.label, action=Action.JUDGE, engine=judge, key=key))
        try:
            done = self._engines.render(self._manifest.engines[judge], request)
        finally:
            for path in (image, *lent.values()):
                self._copies.give_back(path)
        Path(done.output).unlink(missing_ok=True)
        return _findings(done.facts, gates)

    def remember(self, step: Step, told: str) -> str:
        """Note that nothing of what `step` makes passed; what to do about it. Raises `DiskError`."""
        hint = way_on(step, self._manifest.engines[step.asset.engine].card)
        if step.gates is None:
            return hint
        refusal = Refusal(
            engine=step.asset.engine,
            kind=GATE,
            message=told,
            hint=hint,
            dated=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        )
        # Durable, as its picture is: it may have been paid for, and shall not be once more.
        self._store.record_action(_rejection(step, step.gates), msgspec.to_builtins(refusal), sync=True)
        return hint

    def _rejected(self, step: Step, picture: Picture, judgement: Judgement) -> GateFailed:
        place = shown_at(self._root, step)
        shown = self._store.place(picture.file, place, within=self._root)
        told = told_of(step, judgement)
        hint = self.remember(step, told)
        lies = f"\nit lies at `{place.relative_to(self._root).as_posix()}`" if shown else ""
        return GateFailed(told + lies, hint)


def told_of(step: Step, judgement: Judgement) -> str:
    """What speaks against the picture of `step`, for a person: a line for each gate of several."""
    failed = judgement.failed
    if len(failed) == 1:
        return f"the picture of `{step.name}` failed the gate `{failed[0].name}`: it {failed[0].told}"
    names = ", ".join(f"`{finding.name}`" for finding in failed)
    lines = [f"  `{finding.name}`: it {finding.told}" for finding in failed]
    return "\n".join([f"the picture of `{step.name}` failed the gates {names}", *lines])


def shown_at(root: Path, step: Step) -> Path:
    """Where a picture of `step` lies that was turned down."""
    return root / REJECTED / f"{step.name}{PurePosixPath(step.output).suffix}"


def put_away(root: Path, steps: Iterable[Step]) -> None:
    """Remove what was turned down of `steps`, whose assets are fine now: it would only mislead."""
    if (root / REJECTED).is_dir():
        for step in steps:
            with suppress(OSError):  # a copy for a person to look at: no build fails because of it
                shown_at(root, step).unlink(missing_ok=True)


def _judges(step: Step) -> list[str]:
    """The engines that judge for `step`, the quick one first."""
    return [judge for judge in JUDGES if any(gate.engine == judge for gate in step.asset.gates)]


def _rejection(step: Step, gates: Digest) -> Digest:
    return rejection_key(step.recipe or Digest(""), gates)


def _findings(facts: Mapping[str, Json], gates: list[Gate]) -> tuple[Finding, ...]:
    """What an engine told. Raises `MakeError` where it does not answer what it was asked."""
    try:
        found = msgspec.convert(facts.get("gates"), tuple[Finding, ...])
    except msgspec.ValidationError as error:
        raise MakeError(
            f"the gates' engine told no usable findings: {error}", "this is a bug in artlock: report it"
        ) from error
    if [finding.name for finding in found] != [gate.name for gate in gates]:
        raise MakeError("the gates' engine answered other gates", "this is a bug in artlock: report it")
    return found
