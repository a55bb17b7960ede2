"""Judging: from what is asked for, what is recorded and what is there, to a verdict with reasons.

Knows nothing of files or processes: it asks the `World`, and a test can be one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain

import msgspec

from buildsys.digest import Digest
from buildsys.errors import DiskError
from buildsys.manifest.model import AssetName, Engine, Manifest
from buildsys.plan import candidates, companions, freezing, gates, graph, pointers, recipe, renamed, stale
from buildsys.plan.asking import Asking, refused
from buildsys.plan.obstacles import Obstacles
from buildsys.plan.record import Record
from buildsys.plan.standins import GIVES_WAY, instead
from buildsys.plan.step import Plan, Reason, Step, Verdict, Why
from buildsys.plan.wishes import Wishes as Wishes  # noqa: PLC0414 - whoever judges has these from here
from buildsys.plan.world import World


class Judge:
    """Judges assets one after the other, each after those that it is made from.

    A build asks again for an asset whose inputs were not made yet when the plan was drawn up.

    Args:
        manifest: what is asked for.
        records: the lock's.
        placeholders: digests of the stand-ins that were put where an asset goes.
        world: the checkout and the store.
        wishes: the command line's.
        conflicts: assets of which nobody knows yet what the lock has.
        frozen: digests of the pictures that stay as they are, whatever is asked for.
    """

    def __init__(
        self,
        manifest: Manifest,
        records: Mapping[AssetName, Record],
        placeholders: Mapping[AssetName, Digest],
        world: World,
        wishes: Wishes,
        conflicts: Collection[AssetName] = (),
        frozen: Mapping[AssetName, Digest] | None = None,
    ) -> None:
        self._manifest = manifest
        self._records = records
        self._placeholders = placeholders
        self._world = world
        self._wishes = wishes
        self._conflicts = conflicts
        self._frozen = frozen or {}
        self._names = renamed.by_recipe(records, {*manifest.assets, *manifest.elsewhere})
        self._bytes: dict[AssetName, Digest | None] = {}
        self._obstacles = Obstacles(
            manifest, world, retry_refused=wishes.retry_refused, rebuild=wishes.rebuild
        )
        self._outputs = {record.output: record.picture.file for record in records.values()}
        self.steps: dict[AssetName, Step] = {}
        self._asking = Asking(manifest, records, world, self._bytes, self.steps)

    def plan(self, names: Collection[AssetName] | None = None) -> Plan:
        """The plan for `names` and what they are made from; for everything where `names` is None."""
        assets = self._manifest.assets
        wanted = None if names is None else graph.with_upstream(assets, names)
        for name in graph.order(assets):
            if wanted is None or name in wanted:
                self.settle(self.step(name))
        orphans = tuple(sorted(self._records.keys() - {*assets, *self._manifest.elsewhere}))
        return Plan(steps=dict(self.steps), orphans=orphans)

    def settle(self, step: Step, made: Digest | None = None) -> None:
        """Note a step, and what lies in its place once it is carried out: others may be made from it."""
        self.steps[step.name] = step
        # What is made from a stand-in would enter the lock as if it were the asset, as would what is made
        # from another asset's picture; and what a killed build left may be one.
        hidden = step.verdict is Verdict.BLOCKED and (
            step.name in self._conflicts or self._is_placeholder(step) or self._ours(step)
        )
        self._bytes[step.name] = None if hidden else made or step.settled

    def pass_over(self, name: AssetName, engine: str, reason: Reason) -> None:
        """Ask `engine` no more for `name` in this build: it gave up on it, as `reason` says."""
        self._obstacles.pass_over(name, engine, reason)

    def step(self, name: AssetName) -> Step:
        """The verdict on one asset; what it is made from must be settled."""
        asset = self._manifest.assets[name]
        output = graph.output_of(self._manifest, asset)
        engine = self._manifest.engines.get(asset.engine)
        blank = Step(
            name=name,
            asset=asset,
            verdict=Verdict.BLOCKED,
            reasons=(),
            output=output,
            recorded=self._records.get(name),
            device=next(iter(engine.devices), "") if engine else "",
        )
        try:
            blank = msgspec.structs.replace(
                blank, on_disk=self._world.file(output), companions=companions.seen(blank, self._world)
            )
        except DiskError as error:
            # A folder, say, or a link. It is not ours to remove, and no reason to stop the others.
            return _with(blank, Verdict.BLOCKED, refused(error))
        if name in self._conflicts:
            hint = f"run `artlock resolve {name}` with `--ours`, `--theirs` or `--rebuild`"
            return _with(blank, Verdict.BLOCKED, Reason(why=Why.CONFLICT, hint=hint))
        if blank.recorded is not None and name in self._frozen:
            return self._stay(freezing.frozen(blank), self._asked(blank, engine))
        asked = self._asked(blank, engine)
        return asked if asked.reasons else self._judge(asked)

    def _asked(self, blank: Step, engine: Engine | None) -> Step:
        """`blank` with its recipe and gates; with the reasons where these are not known, or can't be had."""
        asset = blank.asset
        if engine is None:
            fact, _, hint = asset.blocked.partition("\n\nhint: ")
            return _with(blank, Verdict.BLOCKED, Reason(why=Why.ENGINE, new=fact, hint=hint))
        parts, obstacles = self._asking.parts(asset, engine)
        blank, missing = self._asking.gated(blank)
        obstacles = (*obstacles, *missing)
        if parts is None or missing:
            waiting = all(reason.why is Why.UPSTREAM for reason in obstacles)
            return _with(blank, Verdict.BUILD if waiting else Verdict.BLOCKED, *obstacles)
        asked = msgspec.structs.replace(blank, parts=parts, recipe=recipe.digest_of(parts))
        return renamed.followed(candidates.selection(asked), self._names, self._world)

    def _stay(self, step: Step, asked: Step) -> Step:
        """The verdict on what is frozen, where `asked` is what the manifest asks for."""
        made = stale.as_locked(asked, self._asking.standins(asked))
        reasons = asked.reasons or self._stale(made, asked)
        try:
            step = freezing.looked_at(step, self._world)
        except DiskError as error:
            return _with(step, Verdict.BLOCKED, refused(error), *reasons)
        if step.recorded is None or step.recorded.picture.file != self._frozen[step.name]:
            return _with(step, Verdict.BLOCKED, freezing.other(step), *reasons)
        disk = self._disk(step)
        if disk is not None and (disk.field or self._ours(step) is None):
            return _with(step, Verdict.EDITED, disk, *reasons)
        lies = step.on_disk is not None and disk is None and not self._is_placeholder(step)
        if lies and companions.torn(step) is None:
            fresh = self._fresh(step)
            return msgspec.structs.replace(fresh, reasons=(*fresh.reasons, *reasons))
        if companions.restorable(step.recorded, step.output, self._world):
            return _with(step, Verdict.RESTORE, Reason(why=Why.MISSING), *reasons, known=step.recorded)
        return _with(step, Verdict.BLOCKED, freezing.lost(step), *reasons)

    def _stale(self, step: Step, asked: Step) -> tuple[Reason, ...]:
        """Why the lock does not have what is asked for; `step`: as the one that the lock has made it."""
        old = (Reason(why=Why.RENAMED, field=step.renamed_from),) if step.renamed_from else ()
        return (*old, *stale.reasons(step, self._asking.standins(asked)), *gates.changed(step))

    def _judge(self, asked: Step) -> Step:
        step = stale.as_locked(asked, self._asking.standins(asked))
        reasons = self._stale(step, asked)
        disk = self._disk(step)
        if disk is not None and step.name not in self._wishes.force:
            known = self._world.known(step.recipe) if step.recipe else None
            if known is not None and known.picture.file == step.on_disk and not disk.field:
                # A build was killed between placing the file and writing the lock: it is ours after all.
                return _with(step, Verdict.RESTORE, *reasons, known=known)
            ours = None if disk.field else self._ours(step)
            if ours is None:
                return _with(step, Verdict.EDITED, disk, *reasons)
            disk = Reason(why=ours)
        if step.name in self._wishes.rebuild:
            return self._make(asked, (Reason(why=Why.ASKED), *reasons), anew=True)
        torn = companions.torn(step)
        lies = step.on_disk is not None and not self._is_placeholder(step)
        if not reasons and disk is None and lies and torn is None:
            return self._fresh(step)
        if disk is not None:
            reasons = (disk, *reasons)
        elif lies:
            reasons = (*reasons, torn) if torn else reasons
        else:
            why = Why.MISSING if step.on_disk is None else Why.PLACEHOLDER
            told = bool(step.recorded and not step.renamed_from) or why is Why.PLACEHOLDER
            reasons = (*reasons, Reason(why=why)) if told else reasons
        known = self._restorable(step)
        if known is not None:
            return self._bring_back(step, known, reasons)
        # Of what the lock says was chosen, no other candidate is made again.
        again = self._wishes.locked or (step.candidate and not step.instead_of)
        return self._make(step if again else asked, reasons)

    def _fresh(self, step: Step) -> Step:
        away = pointers.own(step, self._world)
        known = self._restorable(step) if away else None
        return _with(step, Verdict.RESTORE if known else Verdict.FRESH, *away, known=known)

    def _bring_back(self, step: Step, known: Record, reasons: tuple[Reason, ...]) -> Step:
        if (obstacle := self._obstacles.to_adopt(step, known)) is not None:
            return _with(step, Verdict.BLOCKED, obstacle, *reasons)
        return _with(step, Verdict.RESTORE, *reasons, known=known)

    def _make(self, asked: Step, reasons: tuple[Reason, ...], *, anew: bool = False) -> Step:
        """The step of the first engine that can make it; blocked where there is none.

        `anew`: bring nothing back.
        """
        passed: list[Reason] = []
        for step in chain([asked], self._asking.standins(asked)):
            because = (instead(step, passed),) if passed else ()
            if passed and not anew and (known := self._restorable(step)) is not None:
                return self._bring_back(step, known, (*because, *reasons))
            obstacle = self._obstacles.to_make(step)
            if obstacle is None:
                return _with(step, Verdict.BUILD, *because, *reasons)
            passed.append(obstacle)
            if step is asked and obstacle.why not in GIVES_WAY:
                break
        return _with(asked, Verdict.BLOCKED, *passed, *reasons)

    def _disk(self, step: Step) -> Reason | None:
        """What a person did to its files, if anything; `field` names a companion."""
        if changed := companions.edited(step, self._world):
            return changed
        if step.on_disk is None or self._is_placeholder(step):
            return None
        if step.recorded is not None and step.on_disk == step.recorded.picture.file:
            return None
        return Reason(why=Why.EDITED if step.recorded and not step.renamed_from else Why.FOREIGN)

    def _is_placeholder(self, step: Step) -> bool:
        return step.on_disk is not None and step.on_disk == self._placeholders.get(step.name)

    def _ours(self, step: Step) -> Why | None:
        """How a file that the lock does not have there is artlock's all the same; None where it is not."""
        if step.on_disk is None or self._disk(step) is None:
            return None
        if step.on_disk == self._outputs.get(step.output):
            # With `scales` added, what was `hero.png` is `hero@2x.png`: a smaller picture takes its place.
            return Why.MOVED
        # A build was killed that had placed it, and then the recipe changed.
        return Why.LEFT if self._world.placed(step.output, step.on_disk) else None

    def _restorable(self, step: Step) -> Record | None:
        locked = step.recorded if step.recorded and step.recorded.recipe == step.recipe else None
        found = companions.at_hand(locked, step.output, self._world)
        if found is None and step.recipe:
            found = companions.at_hand(self._world.known(step.recipe), step.output, self._world)
        return found or companions.at_hand(renamed.elsewhere(step, self._names), step.output, self._world)


def _with(step: Step, verdict: Verdict, *reasons: Reason, known: Record | None = None) -> Step:
    return msgspec.structs.replace(step, verdict=verdict, reasons=reasons, known=known)
