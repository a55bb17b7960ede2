"""What to do about a file that a hand changed: a build keeps it, so a person says what becomes of it.

Knows nothing of how it was found.
"""

from __future__ import annotations

from buildsys import keeping
from buildsys.errors import ArtlockError
from buildsys.handwork import adoptable
from buildsys.manifest.read import sources
from buildsys.plan import handmade
from buildsys.plan.step import Step
from buildsys.session import Session


def mend(session: Session, step: Step, profile: str | None) -> str:
    """The ways on, the one that keeps the hand's work first; none that loses it stands alone."""
    if step.frozen:
        return keeping.edited(step.output)
    option = f" --profile {profile}" if profile else ""
    anew = f"`artlock build{option} --force {step.name}` to make it anew"
    try:
        taken = adoptable(session, step).done or _has_a_table(session, step)
    except ArtlockError:
        taken = False
    if taken:
        return f"run `artlock adopt{option} {step.name}` to keep it, or {anew}"
    if source := handmade.source_of(step.asset):
        return f"copy `{step.output}` over `{source}` to keep it, or run {anew}"
    # An atlas, an asset of a matrix, another scale, what is no picture any more: `adopt` takes none.
    return f"move `{step.output}` to another place, and run `artlock build{option}` to have it made anew"


def _has_a_table(session: Session, step: Step) -> bool:
    """Whether the manifest names it: only then is there a place for its new source."""
    return any(step.name in source.table.get("assets", {}) for source in sources(session.root))
