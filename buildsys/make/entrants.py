"""What the store knows of an asset's candidates: what was made, refused and measured.

Asks no engine: it serves the build that chooses, and the command that only shows.
"""

from __future__ import annotations

from typing import Final

import msgspec

from buildsys.plan import candidates, recipe
from buildsys.plan.candidates import Entrant, Score
from buildsys.plan.gates import Judgement, judgement_key
from buildsys.plan.record import Picture, Record
from buildsys.plan.refusal import Refusal
from buildsys.plan.step import Step
from buildsys.store.objects import Store

NOT_MADE: Final = "not made"


class Entrants:
    """Reads candidates out of a store.

    Args:
        store: where pictures and their scores are kept.
        version: of the adapter that measures.
    """

    def __init__(self, store: Store, version: str) -> None:
        self._store = store
        self._version = version

    def of(self, step: Step) -> tuple[Entrant, ...]:
        """Every candidate of `step`, by number."""
        return tuple(map(self.one, candidates.each(step)))

    def one(self, step: Step, record: Record | None = None, message: str = "") -> Entrant:
        """The candidate that `step` makes: its `record`, or the one that its recipe is known to give.

        `message`: why there is none.
        """
        if record is None and not message:
            record = self._store.recall(step.recipe, Record) if step.recipe else None
            refused = step.parts and self._store.recall(recipe.refusal_key(step.parts), Refusal)
            message = "" if record else refused.message if refused else NOT_MADE
        entrant = Entrant(
            number=step.candidate, seed=step.asset.seed, record=record, message=message.partition("\n")[0]
        )
        if record is None:
            return entrant
        found = (
            self._store.recall(judgement_key(step.gates, record.picture.file), Judgement)
            if step.gates
            else None
        )
        return msgspec.structs.replace(
            entrant,
            score=self.score(record.picture),
            judged=candidates.judged(found) if found else {},
            faults=faults_of(found) if found else (),
        )

    def score(self, picture: Picture) -> Score | None:
        """What was measured of a picture."""
        return self._store.recall(candidates.score_key(picture.file, self._version), Score)

    def keep(self, picture: Picture, score: Score) -> None:
        """Remember what was measured. Raises `DiskError`."""
        key = candidates.score_key(picture.file, self._version)
        self._store.record_action(key, msgspec.to_builtins(score), sync=False)


def faults_of(judgement: Judgement) -> tuple[str, ...]:
    """What speaks against a picture, a sentence for each gate."""
    return tuple(f"{finding.name}: it {finding.told}" for finding in judgement.failed)
