"""Judging: from what is asked for, what is recorded and what is there, to a verdict with reasons.

Knows nothing of files or processes: it asks the `World`, and a test can be one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

import msgspec

from buildsys.digest import Digest
from buildsys.errors import DiskError
from buildsys.manifest.cards import FINISH
from buildsys.manifest.model import Asset, AssetName, Engine, Input, Manifest
from buildsys.manifest.references import gate_files
from buildsys.plan import candidates, companions, gates, graph, pointers, provenance, recipe, stale
from buildsys.plan.obstacles import Obstacles
from buildsys.plan.record import Parts, Record
from buildsys.plan.standins import GIVES_WAY, in_place_of, instead
from buildsys.plan.step import Plan, Reason, Step, Verdict, Why
from buildsys.plan.world import World


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line."""

    rebuild: frozenset[AssetName] = frozenset()
    """Make these again, whatever is known of them."""
    force: frozenset[AssetName] = frozenset()
    """Overwrite these, even where a hand edited them."""
    retry_refused: bool = False
    """Ask again for what an engine refused before."""
    locked: bool = False
    """Make nothing that the lock would have to change for: what a stand-in made, it makes again."""


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
    """

    def __init__(
        self,
        manifest: Manifest,
        records: Mapping[AssetName, Record],
        placeholders: Mapping[AssetName, Digest],
        world: World,
        wishes: Wishes,
        conflicts: Collection[AssetName] = (),
    ) -> None:
        self._manifest = manifest
        self._records = records
        self._placeholders = placeholders
        self._world = world
        self._wishes = wishes
        self._conflicts = conflicts
        self._finish = manifest.engines[FINISH].card
        self._bytes: dict[AssetName, Digest | None] = {}
        self._drawn = provenance.drawn_of(manifest)
        self._obstacles = Obstacles(
            manifest, world, retry_refused=wishes.retry_refused, rebuild=wishes.rebuild
        )
        self._outputs = {record.output: record.picture.file for record in records.values()}
        self.steps: dict[AssetName, Step] = {}

    def plan(self, names: Collection[AssetName] | None = None) -> Plan:
        """The plan for `names` and what they are made from; for everything where `names` is None."""
        assets = self._manifest.assets
        wanted = None if names is None else graph.with_upstream(assets, names)
        for name in graph.order(assets):
            if wanted is None or name in wanted:
                self.settle(self.step(name))
        mentioned = {*assets, *self._manifest.elsewhere}
        orphans = tuple(sorted(name for name in self._records if name not in mentioned))
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
            return _with(blank, Verdict.BLOCKED, _refused(error))
        if name in self._conflicts:
            hint = f"run `artlock resolve {name}` with `--ours`, `--theirs` or `--rebuild`"
            return _with(blank, Verdict.BLOCKED, Reason(why=Why.CONFLICT, hint=hint))
        if engine is None:
            fact, _, hint = asset.blocked.partition("\n\nhint: ")
            return _with(blank, Verdict.BLOCKED, Reason(why=Why.ENGINE, new=fact, hint=hint))
        parts, obstacles = self._parts(asset, engine)
        blank, missing = self._gated(blank)
        obstacles = (*obstacles, *missing)
        if parts is None or missing:
            waiting = all(reason.why is Why.UPSTREAM for reason in obstacles)
            return _with(blank, Verdict.BUILD if waiting else Verdict.BLOCKED, *obstacles)
        asked = msgspec.structs.replace(blank, parts=parts, recipe=recipe.digest_of(parts))
        return self._judge(candidates.selection(asked))

    def _parts(self, asset: Asset, engine: Engine) -> tuple[Parts | None, tuple[Reason, ...]]:
        digests, obstacles = self._digests(asset, asset.inputs)
        if obstacles:
            return None, obstacles
        revision = self._world.revision(engine)
        record = self._records.get(asset.name)
        if not revision and recipe.is_folder(engine.model) and record is not None:
            # No weights on this machine, so nothing tells that they are others than the lock's.
            revision = record.parts.revision
        return recipe.parts_of(asset, engine, self._finish, digests, revision, self._drawn), ()

    def _gated(self, step: Step) -> tuple[Step, tuple[Reason, ...]]:
        """`step` with the digest of its gates, or what is missing to hold its picture against."""
        if not step.asset.gates:
            return step, ()
        digests, obstacles = self._digests(step.asset, gate_files(step.asset))
        if obstacles:
            return step, obstacles
        asked = gates.asked_digest(step.asset.gates, self._manifest.engines, digests)
        return msgspec.structs.replace(step, gates=asked, gate_inputs=digests), ()

    def _digests(
        self, asset: Asset, inputs: Mapping[str, Input]
    ) -> tuple[dict[str, Digest], tuple[Reason, ...]]:
        digests: dict[str, Digest] = {}
        obstacles: list[Reason] = []
        for field, item in sorted(inputs.items()):
            if item.asset:
                digest = self._bytes[item.asset]
                if digest is None:
                    obstacles.append(self._upstream(item.asset))
            else:
                try:
                    digest = self._world.file(item.path)
                except DiskError as error:
                    obstacles.append(_refused(error, field))
                    continue
                if digest is None:
                    key = "source" if field == "image" and asset.engine == FINISH else field
                    hint = f"add `{item.path}`, or mend `{key}` of `{asset.name}`"
                    obstacles.append(Reason(why=Why.INPUT, field=key, new=item.path, hint=hint))
            if digest is not None:
                digests[field] = digest
        # What a person has to mend before what is only waited for: the first one is told.
        return digests, tuple(sorted(obstacles, key=lambda reason: reason.why is Why.UPSTREAM))

    def _upstream(self, name: AssetName) -> Reason:
        step = self.steps[name]
        if step.verdict is Verdict.BLOCKED:
            hint = step.reasons[0].hint if step.reasons else ""
            return Reason(why=Why.ENGINE, new=f"made from `{name}`, which is blocked", hint=hint)
        return Reason(why=Why.UPSTREAM, field=name)

    def _judge(self, asked: Step) -> Step:
        step = stale.as_locked(asked, self._standins(asked))
        reasons = (*stale.reasons(step, self._standins(asked)), *gates.changed(step))
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
            reasons = (*reasons, Reason(why=why)) if step.recorded or why is Why.PLACEHOLDER else reasons
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
        for step in chain([asked], self._standins(asked)):
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

    def _standins(self, asked: Step) -> Iterator[Step]:
        """`asked` as each engine of the fallback would make it; one without its inputs has no parts."""
        for asset in asked.asset.standins:
            engine = self._manifest.engines[asset.engine]
            parts, missing = self._parts(asset, engine)
            if parts is None:
                yield msgspec.structs.replace(asked, asset=asset, parts=None, recipe=None, reasons=missing)
            else:
                yield candidates.selection(self._gated(in_place_of(asked, asset, engine, parts))[0])

    def _disk(self, step: Step) -> Reason | None:
        """What a person did to its files, if anything; `field` names a companion."""
        if changed := companions.edited(step, self._world):
            return changed
        if step.on_disk is None or self._is_placeholder(step):
            return None
        if step.recorded is None:
            return Reason(why=Why.FOREIGN)
        if step.on_disk != step.recorded.picture.file:
            return Reason(why=Why.EDITED)
        return None

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
        return found


def _with(step: Step, verdict: Verdict, *reasons: Reason, known: Record | None = None) -> Step:
    return msgspec.structs.replace(step, verdict=verdict, reasons=reasons, known=known)


def _refused(error: DiskError, field: str = "") -> Reason:
    return Reason(why=Why.DISK, field=field, new=error.message, hint=error.hint)
