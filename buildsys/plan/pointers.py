"""Pointers of Git LFS in the place of files: they say what is there, but nothing can be made of them.

Knows nothing of what a pointer looks like: it asks the `World`.
"""

from __future__ import annotations

from buildsys.lfs import HINT
from buildsys.manifest.model import Manifest
from buildsys.plan.graph import place_of
from buildsys.plan.step import Reason, Step, Why
from buildsys.plan.world import World


def own(step: Step, world: World) -> tuple[Reason, ...]:
    """That only pointers lie in the place of files of `step`."""
    away = any(world.pointer(path) for path in (step.output, *step.companions))
    return (Reason(why=Why.POINTER, hint=HINT),) if away else ()


def of_inputs(step: Step, world: World, manifest: Manifest) -> Reason | None:
    """The first input of which there is a pointer and no bytes."""
    for field, wanted in step.parts.inputs.items() if step.parts else ():
        path = place_of(manifest, step.asset.inputs[field])
        if world.pointer(path) and not world.restorable(wanted, path):
            return Reason(why=Why.POINTER, field=field, new=path, hint=HINT)
    return None
