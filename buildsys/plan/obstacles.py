"""Obstacles: why an engine is not asked to make an asset, or a picture that is there can't be adopted.

Knows nothing of what is done about them.
"""

from __future__ import annotations

from collections.abc import Collection

from buildsys.manifest.model import AssetName, Manifest
from buildsys.plan import candidates, gates, pointers
from buildsys.plan.record import Record
from buildsys.plan.step import Reason, Step
from buildsys.plan.world import World


class Obstacles:
    """What stands in the way here and now; each engine is looked at once.

    Args:
        manifest: for its engines.
        world: the checkout and the store.
        retry_refused: ask again for what an engine refused, or gates turned down, before.
        rebuild: assets that are made again; of those, what gates turned down of an engine that varies is
            drawn anew.
    """

    def __init__(
        self,
        manifest: Manifest,
        world: World,
        *,
        retry_refused: bool,
        rebuild: Collection[AssetName] = (),
    ) -> None:
        self._manifest = manifest
        self._world = world
        self._retry_refused = retry_refused
        self._rebuild = rebuild
        self._unable: dict[str, Reason | None] = {}
        self._given_up: dict[tuple[AssetName, str], Reason] = {}

    def pass_over(self, name: AssetName, engine: str, reason: Reason) -> None:
        """Note that `engine` gave up on `name` in this build."""
        self._given_up[name, engine] = reason

    def to_make(self, step: Step) -> Reason | None:
        """Why the engine of `step` is not asked to make it."""
        if step.parts is None:
            return step.reasons[0]
        name = step.asset.engine
        if (step.name, name) in self._given_up:
            return self._given_up[step.name, name]
        if not self._retry_refused:
            refusal = candidates.refusal(step, self._world.refused)
            if refusal is not None:
                return refusal.reason(step.name)
        return (
            self._of_engine(name)
            or pointers.of_inputs(step, self._world, self._manifest)
            or self._rejection(step)
            or self._of_judges(step)
        )

    def to_adopt(self, step: Step, known: Record) -> Reason | None:
        """Why the picture of `known`, which is there, can't become that of `step`."""
        if step.gates is None or known.gates == step.gates:
            return None
        found = self._world.judged(gates.judgement_key(step.gates, known.picture.file))
        if found is not None and found.passed:
            return None
        return self._rejection(step) or self._of_judges(step)

    def _of_engine(self, name: str) -> Reason | None:
        if name not in self._unable:
            self._unable[name] = self._world.blocked(self._manifest.engines[name])
        return self._unable[name]

    def _of_judges(self, step: Step) -> Reason | None:
        if gates.passed_by(step):
            return None  # it comes out as it did, or the build will say who is missing
        names = dict.fromkeys(gate.engine for gate in step.asset.gates)
        return next(filter(None, map(self._of_engine, names)), None)

    def _rejection(self, step: Step) -> Reason | None:
        if step.gates is None or step.recipe is None or self._retry_refused:
            return None
        if step.name in self._rebuild and not self._manifest.engines[step.asset.engine].card.constant:
            return None
        refusal = self._world.refused(gates.rejection_key(step.recipe, step.gates))
        return refusal.reason(step.name) if refusal else None
