"""Whether what a plan says of an asset is agreement: of manifest, lock and files, or of no matter to them.

Knows nothing of where the files are.
"""

from __future__ import annotations

from collections.abc import Mapping

from buildsys.digest import Digest
from buildsys.manifest.model import AssetName
from buildsys.plan.step import Plan, Step, Verdict, Why


def agrees(step: Step, outputs: str) -> bool:
    """Whether a step is as the lock has it; where finished files are not in git, also without its file.

    `outputs`: where they are kept, as the manifest says it.
    """
    if step.verdict is Verdict.FRESH:
        return True
    away = {Why.POINTER, Why.MISSING} if outputs == "store" else {Why.POINTER}
    # Of what is frozen, what else the manifest asks for is told after the first reason, and changes nothing.
    reasons = step.reasons[:1] if step.frozen else step.reasons
    return step.verdict is Verdict.RESTORE and all(reason.why in away for reason in reasons)


def stand_ins(plan: Plan, placeholders: Mapping[AssetName, Digest]) -> tuple[AssetName, ...]:
    """Assets in whose place a stand-in lies, sorted.

    One that is no longer there (git brought the picture back) is no difference.
    """
    return tuple(
        sorted(
            step.name
            for step in plan.steps.values()
            if step.on_disk is not None and step.on_disk == placeholders.get(step.name)
        )
    )
