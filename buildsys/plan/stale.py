"""Staleness: whether what the lock has is what is asked for, and what differs where it is not.

Pure. Knows nothing of files: what lies on the disk is another question.
"""

from __future__ import annotations

from collections.abc import Iterable

from buildsys.plan import recipe
from buildsys.plan.record import Parts
from buildsys.plan.step import Reason, Step, Why


def as_locked(asked: Step, standins: Iterable[Step]) -> Step:
    """The step of the stand-in whose picture the lock has for what is asked for; else `asked`.

    So that picture stays when the engine that was asked for is well again: a person has seen it and kept
    it, and another one would cost a second time.
    """
    record = asked.recorded
    if record is None or record.asked is None or record.asked != asked.recipe:
        return asked
    return next((step for step in standins if step.recipe == record.recipe), asked)


def reasons(step: Step, standins: Iterable[Step]) -> tuple[Reason, ...]:
    """Why the lock's record is not of the recipe of `step`; empty where it is."""
    record = step.recorded
    if record is None:
        return (Reason(why=Why.NEW),)
    if step.parts is None or record.recipe == step.recipe:
        return ()
    if record.asked is not None:
        # What changed for the stand-in that made it says more than that another engine was asked for.
        for other in standins:
            if other.parts is not None and other.asset.engine == record.engine:
                return differences(record.parts, other.parts) or differences(record.parts, step.parts)
    return differences(record.parts, step.parts)


def differences(old: Parts, new: Parts) -> tuple[Reason, ...]:
    """What changed from `old` to `new`, part by part; empty exactly where their digests are equal."""
    before, after = recipe.leaves(old), recipe.leaves(new)
    return tuple(
        Reason(
            why=Why.PART,
            field=field,
            old=before.get(field, recipe.ABSENT),
            new=after.get(field, recipe.ABSENT),
        )
        for field in sorted({*before, *after})
        if before.get(field) != after.get(field)
    )
