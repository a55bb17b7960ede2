"""The step of a labelled stand-in: the same place, format and size as the picture that it stands for.

Knows nothing of when one is put there.
"""

from __future__ import annotations

from typing import Final

from buildsys.manifest.cards import FINISH, PLACEHOLDER
from buildsys.manifest.model import Asset, FinishStep, Manifest
from buildsys.manifest.outputs import size_after
from buildsys.plan import recipe
from buildsys.plan.step import Step, Verdict

SIZE: Final = (256, 256)
"""Pixels of a stand-in for an asset whose size only its input knows."""


def placeholder(manifest: Manifest, step: Step, reason: str) -> Step:
    """The step that makes a stand-in for `step`: same place and format, but never its recipe."""
    engine = manifest.engines[PLACEHOLDER]
    asset = Asset(
        name=step.name,
        role=step.asset.role,
        engine=PLACEHOLDER,
        prompt=step.name,
        text=reason,
        parameters={"role": step.asset.role, "engine": step.asset.engine},
        size=_finished_size(manifest, step),
        format=step.asset.format,
    )
    parts = recipe.parts_of(asset, engine, manifest.engines[FINISH].card, {}, "")
    return Step(
        name=step.name,
        asset=asset,
        verdict=Verdict.BUILD,
        reasons=step.reasons,
        output=step.output,
        parts=parts,
        recipe=recipe.digest_of(parts),
    )


def _finished_size(manifest: Manifest, step: Step) -> tuple[int, int]:
    """The size that the finished picture had, or will have as far as its steps say.

    So that a level laid out with stand-ins fits the art.
    """
    if step.recorded is not None:
        return step.recorded.picture.width, step.recorded.picture.height
    chain = [step.asset]
    while chain[-1].engine == FINISH and (source := chain[-1].inputs["image"]).asset:
        chain.append(manifest.assets[source.asset])
    size = chain[-1].size or SIZE
    for asset in reversed(chain):
        for item in asset.finish:
            size = size_after(item, size) or _guessed(item, size)
    return size


def _guessed(step: FinishStep, size: tuple[int, int]) -> tuple[int, int]:
    """A size for what `step` makes of one of `size`, where only the picture itself would tell."""
    if step.name == "scale":
        up, down = step.parameters["up"], step.parameters["down"]
        return max(1, size[0] * up // down), max(1, size[1] * up // down)
    width, height = step.parameters.get("size", size)
    return width, height
