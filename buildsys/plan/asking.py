"""Asking: what the manifest asks for of one asset, as a recipe and gates, or the reasons why nobody knows.

Knows nothing of what the lock has, but for weights that are not on this machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from buildsys.digest import Digest
from buildsys.errors import DiskError
from buildsys.manifest.cards import FINISH
from buildsys.manifest.model import Asset, AssetName, Engine, Input, Manifest
from buildsys.manifest.references import gate_files
from buildsys.plan import candidates, gates, provenance, recipe
from buildsys.plan.record import Parts, Record
from buildsys.plan.standins import in_place_of
from buildsys.plan.step import Reason, Step, Verdict, Why
from buildsys.plan.world import World


class Asking:
    """What is asked for of the assets of a manifest.

    Args:
        manifest: what is asked for.
        records: the lock's.
        world: the checkout and the store.
        made: the bytes of the assets that are settled; None where nobody knows them yet.
        steps: of those assets.
    """

    def __init__(
        self,
        manifest: Manifest,
        records: Mapping[AssetName, Record],
        world: World,
        made: Mapping[AssetName, Digest | None],
        steps: Mapping[AssetName, Step],
    ) -> None:
        self._manifest = manifest
        self._records = records
        self._world = world
        self._bytes = made
        self._steps = steps
        self._finish = manifest.engines[FINISH].card
        self._drawn = provenance.drawn_of(manifest)

    def parts(self, asset: Asset, engine: Engine) -> tuple[Parts | None, tuple[Reason, ...]]:
        """The recipe of `asset` by `engine`; None, with the reasons, where an input is not there yet."""
        digests, obstacles = self._digests(asset, asset.inputs)
        if obstacles:
            return None, obstacles
        revision = self._world.revision(engine)
        record = self._records.get(asset.name)
        if not revision and recipe.is_folder(engine.model) and record is not None:
            # No weights on this machine, so nothing tells that they are others than the lock's.
            revision = record.parts.revision
        return recipe.parts_of(asset, engine, self._finish, digests, revision, self._drawn), ()

    def gated(self, step: Step) -> tuple[Step, tuple[Reason, ...]]:
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
                    obstacles.append(refused(error, field))
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
        step = self._steps[name]
        if step.verdict is Verdict.BLOCKED:
            hint = step.reasons[0].hint if step.reasons else ""
            return Reason(why=Why.ENGINE, new=f"made from `{name}`, which is blocked", hint=hint)
        return Reason(why=Why.UPSTREAM, field=name)

    def standins(self, asked: Step) -> Iterator[Step]:
        """`asked` as each engine of the fallback would make it; one without its inputs has no parts."""
        for asset in asked.asset.standins:
            engine = self._manifest.engines[asset.engine]
            parts, missing = self.parts(asset, engine)
            if parts is None:
                yield msgspec.structs.replace(asked, asset=asset, parts=None, recipe=None, reasons=missing)
            else:
                yield candidates.selection(self.gated(in_place_of(asked, asset, engine, parts))[0])


def refused(error: DiskError, field: str = "") -> Reason:
    """That the disk says no."""
    return Reason(why=Why.DISK, field=field, new=error.message, hint=error.hint)
