"""What to do about a file that a hand changed: a build keeps it, so a person says what becomes of it.

Knows nothing of how it was found.
"""

from __future__ import annotations

from collections.abc import Sequence

from buildsys import keeping
from buildsys.errors import ArtlockError
from buildsys.handwork import adoptable
from buildsys.manifest.read import sources
from buildsys.plan import handmade
from buildsys.plan.step import Step
from buildsys.session import Session


def mend(session: Session, steps: Sequence[Step], profile: str | None) -> str:
    """The ways on, the one that keeps the hand's work first; none that loses it stands alone.

    Where the first of `steps` can be adopted, all that can: one command is to mend them.
    """
    first = steps[0]
    if first.frozen:
        return keeping.edited(first.output)
    option = f" --profile {profile}" if profile else ""
    if _can_be_adopted(session, first):
        rest = [step for step in steps[1:] if not step.frozen and _can_be_adopted(session, step)]
        names = " ".join(step.name for step in (first, *rest))
        them = "them" if rest else "it"
        anew = f"`artlock build{option} --force {names}` to make {them} anew"
        return f"run `artlock adopt{option} {names}` to keep {them}, or {anew}"
    if source := handmade.source_of(first.asset):
        anew = f"`artlock build{option} --force {first.name}` to make it anew"
        return f"copy `{first.output}` over `{source}` to keep it, or run {anew}"
    # An atlas, an asset of a matrix, another scale, what is no picture any more: `adopt` takes none.
    return f"move `{first.output}` to another place, and run `artlock build{option}` to have it made anew"


def _can_be_adopted(session: Session, step: Step) -> bool:
    try:
        return adoptable(session, step).done or _has_a_table(session, step)
    except ArtlockError:
        return False


def _has_a_table(session: Session, step: Step) -> bool:
    """Whether the manifest names it: only then is there a place for its new source."""
    return any(step.name in source.table.get("assets", {}) for source in sources(session.root))
