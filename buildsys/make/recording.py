"""The record of an asset: what came out, under the names of the step that asked for it.

Knows nothing of how it was made.
"""

from __future__ import annotations

import msgspec

from buildsys.make.results import Finished, Raw
from buildsys.plan import handmade, recipe
from buildsys.plan.record import Parts, Record, told
from buildsys.plan.step import Step


def record_of(step: Step, parts: Parts, raw: Raw, finished: Finished) -> Record:
    """The record of `step`, which was made from `parts`."""
    return Record(
        name=step.name,
        recipe=recipe.digest_of(parts),
        parts=parts,
        engine=step.asset.engine,
        output=step.output,
        picture=finished.picture,
        raw=raw.raw,
        paths=_paths(step),
        sent=raw.sent,
        credits=raw.credits,
        environment={**finished.environment, **raw.environment},
        instead_of=step.instead_of,
        asked=step.asked,
        candidate=step.candidate,
    )


def relabelled(record: Record, step: Step) -> Record:
    """`record` under the names of `step`: they are no part of a recipe, so a rename makes nothing stale.

    But `reproduce` and `credits` follow them, and would look for an asset that is gone. And an engine
    may make as a stand-in what another project, or yesterday's manifest, asked it for. Nor are gates:
    whoever calls has seen that the picture passes those of `step`.
    """
    if step.frozen:
        # What the manifest says of it is of another picture.
        return msgspec.structs.replace(record, name=step.name, output=step.output)
    return msgspec.structs.replace(
        record,
        name=step.name,
        engine=step.asset.engine,
        output=step.output,
        paths=_paths(step),
        instead_of=step.instead_of,
        asked=step.asked,
        # Which one was chosen is the record's to tell; a candidate that is asked for by its seed is none.
        candidate=record.candidate if step.asset.candidates else step.candidate,
        gates=step.gates,
        credits=handmade.credits_of(step.asset, record.credits),
    )


def _paths(step: Step) -> dict[str, str]:
    return {field: told(item) for field, item in sorted(step.asset.inputs.items())}
