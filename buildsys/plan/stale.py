"""Staleness: whether what the lock has is what is asked for, and what differs where it is not.

Pure. Knows nothing of files: what lies on the disk is another question.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from buildsys.plan import candidates, recipe
from buildsys.plan.record import Parts, Record
from buildsys.plan.step import Reason, Step, Why


def as_locked(asked: Step, standins: Iterable[Step]) -> Step:
    """The step of the stand-in, or of the candidate, whose picture the lock has for what is asked for.

    Else `asked`. So that picture stays when the engine that was asked for is well again: a person has seen
    it and kept it, and another one would cost a second time.
    """
    record = asked.recorded
    if record is None or record.asked is None or record.asked != asked.recipe:
        return asked
    made = (candidates.numbered(step, record.candidate) for step in chain([asked], standins))
    return next((step for step in made if step.recipe == record.recipe), asked)


def reasons(step: Step, standins: Iterable[Step]) -> tuple[Reason, ...]:
    """Why the lock's record is not of the recipe of `step`; empty where it is."""
    record = step.recorded
    if record is None:
        return (Reason(why=Why.NEW),)
    if step.parts is None or record.recipe == step.recipe:
        return ()
    found: tuple[Reason, ...] = ()
    if record.instead_of:
        # What changed for the stand-in that made it says more than that another engine was asked for.
        made = (other for other in standins if other.asset.engine == record.engine)
        found = next((_changed(record, other) for other in made if other.parts is not None), ())
    found = found or _changed(record, step)
    # The very picture may be one of the candidates, and another one the best.
    if found or not step.asset.candidates:
        return found
    return (Reason(why=Why.CANDIDATES if record.gates == step.gates else Why.GATES),)


def _changed(record: Record, step: Step) -> tuple[Reason, ...]:
    """What changed of `record`; for one of several candidates, since that one was made."""
    if step.asset.candidates and any(one.recipe == record.recipe for one in candidates.each(step)):
        return ()
    parts = candidates.numbered(step, record.candidate or 1).parts
    return differences(record.parts, parts) if parts is not None else ()


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
