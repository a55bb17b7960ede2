"""Candidates as the plan sees them: the choice of one is an action of its own, with a digest of its own.

Pure. Knows nothing of how a picture is made or measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.digest import Digest, of_value
from buildsys.manifest import candidates
from buildsys.plan import recipe
from buildsys.plan.gates import Judgement
from buildsys.plan.record import Record
from buildsys.plan.refusal import Refusal
from buildsys.plan.step import Step

Json: TypeAlias = Any

_HASH: Final = 64
"""Bits of a perceptual hash."""

_DIGITS: Final = 6


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What `engines.measure.score` says of a picture."""

    sharpness: float
    contrast: float
    colorfulness: float
    coverage: float


class Entrant(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate, and what is known of it."""

    number: int
    seed: int | None
    record: Record | None = None
    """What was made; None where nothing was."""
    score: Score | None = None
    judged: Mapping[str, float] = {}
    """What its asset's gates measured, by the metric that it is."""
    faults: tuple[str, ...] = ()
    """What its asset's gates have against it."""
    message: str = ""
    """Why nothing was made."""


def selection(step: Step) -> Step:
    """`step` as the choice of one of its candidates; itself where it has none.

    Its recipe is then the digest of that choice, under which the store keeps the record of the one that
    was chosen.
    """
    if step.parts is None or not step.asset.candidates:
        return step
    asked = {
        "candidates": step.asset.candidates,
        "choose": step.asset.choose,
        "recipe": recipe.tree(step.parts),
        **({"gates": step.gates} if step.gates else {}),
    }
    chosen = of_value({"artlock": recipe.SALT, "selection": asked})
    return msgspec.structs.replace(step, recipe=chosen, asked=step.asked or chosen)


def each(step: Step) -> tuple[Step, ...]:
    """The candidates of `step`, by number; `step` alone where it has none."""
    count = step.asset.candidates
    return tuple(numbered(step, number) for number in range(1, count + 1)) if count else (step,)


def numbered(step: Step, number: int) -> Step:
    """The candidate `number` of `step`; `step` itself where it has no such candidate."""
    if step.parts is None or not 1 <= number <= step.asset.candidates:
        return step
    asset = candidates.numbered(step.asset, number)
    parts = msgspec.structs.replace(step.parts, seed=asset.seed, candidate=asset.candidate)
    return msgspec.structs.replace(
        step, asset=asset, parts=parts, recipe=recipe.digest_of(parts), candidate=number
    )


def refusal(step: Step, refused: Callable[[Digest], Refusal | None]) -> Refusal | None:
    """What is remembered of `step` as refused; of one with candidates, only where every one was."""
    first = None
    for one in each(step):
        found = refused(recipe.refusal_key(one.parts)) if one.parts else None
        if found is None:
            return None
        first = first or found
    return first


def best(entrants: Sequence[Entrant], choose: str) -> Entrant | None:
    """The entrant that passes and has most of `choose`, of several the first; None where none passes."""
    passing = [one for one in entrants if one.record is not None and not one.faults]
    return max(passing, key=lambda one: (measured(one, choose) or 0.0, -one.number), default=None)


def measured(entrant: Entrant, choose: str) -> float | None:
    """What it has of the metric `choose`; None where that was not measured, or is `first`."""
    if choose not in candidates.SCORES:
        return entrant.judged.get(choose)
    return None if entrant.score is None else float(getattr(entrant.score, choose))


def judged(judgement: Judgement) -> dict[str, float]:
    """The metrics that gates measured, 1 at best; those of gates that were not asked are left out."""
    found = {finding.name: finding.measured for finding in judgement.findings}
    readers = {"likeness": _likeness, "seam": _seam}
    return {
        metric: round(readers[metric](found[gate]), _DIGITS)
        for metric, gate in candidates.JUDGED.items()
        if found.get(gate)
    }


def _seam(measured: Mapping[str, Json]) -> float:
    """How well its worse pair of edges fits."""
    return 1 - float(max(measured.values()))


def _likeness(measured: Mapping[str, Json]) -> float:
    """How near to its reference: by the first of what the gate was asked for. Nothing told is equal."""
    if "ssim" in measured:
        return float(measured["ssim"])
    if "hash_bits" in measured:
        return 1 - float(measured["hash_bits"]) / _HASH
    if "changed" in measured:
        return 0.0 if measured["changed"] is None else 1 - float(measured["changed"])
    # As decibels of a peak of 1, so that it has the same ends as the others.
    return 1.0 if measured["psnr"] is None else 1 - 10 ** (-float(measured["psnr"]) / 20)


def score_key(picture: Digest, version: str) -> Digest:
    """Where the score of a picture is kept; `version` is that of the adapter that measures."""
    return of_value({"artlock": recipe.SALT, "score": {"measure": version, "picture": picture}})
