"""Frozen assets: the picture of the lock stays as it is, whatever the manifest asks for.

Knows nothing of how a verdict is reached (`judge`), nor of how one is frozen (`buildsys.keeping`).
"""

from __future__ import annotations

from pathlib import PurePosixPath

import msgspec

from buildsys.plan import companions
from buildsys.plan.step import Reason, Step, Why
from buildsys.plan.world import World


def frozen(step: Step) -> Step:
    """`step` as the lock has it: its recipe, its gates, and its place where that is another kind of file."""
    record = step.recorded
    if record is None:
        return step
    same = PurePosixPath(step.output).suffix == PurePosixPath(record.output).suffix
    return msgspec.structs.replace(
        step,
        output=step.output if same else record.output,
        parts=record.parts,
        recipe=record.recipe,
        asked=record.asked,
        instead_of=record.instead_of,
        candidate=record.candidate,
        gates=record.gates,
        frozen=True,
    )


def looked_at(step: Step, world: World) -> Step:
    """`step` with what lies in its place. Raises `DiskError`."""
    return msgspec.structs.replace(
        step, on_disk=world.file(step.output), companions=companions.seen(step, world)
    )


def other(step: Step) -> Reason:
    """That another picture is frozen than the lock has: a merge took one from each side."""
    fact = "it is frozen, with another picture than the lock has"
    return Reason(why=Why.FROZEN, new=fact, hint=f"run `artlock freeze {step.name}`, or `artlock thaw` it")


def lost(step: Step) -> Reason:
    """That the frozen picture is nowhere."""
    fact = "it is frozen, and its picture is in neither the store nor git"
    hint = f"bring `{step.output}` back, or run `artlock thaw {step.name}`"
    return Reason(why=Why.FROZEN, new=fact, hint=hint)
