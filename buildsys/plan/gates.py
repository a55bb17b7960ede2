"""Gates as the plan sees them: the digest of what is asked, and what was found of a picture before.

Gates are no part of a recipe: another gate judges a picture anew, and makes none. Knows nothing of how a
picture is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from buildsys.digest import Digest, of_value
from buildsys.manifest.candidates import MOST
from buildsys.manifest.model import Card, Engine, Gate
from buildsys.plan.recipe import SALT
from buildsys.plan.step import Reason, Step, Why

Json: TypeAlias = Any


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one gate found of a picture."""

    name: str
    passed: bool
    measured: Json = None
    wanted: Json = None
    told: str = ""
    """How a sentence about `it` goes on."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What every gate of an asset found of one picture."""

    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether the picture may be adopted."""
        return not self.failed

    @property
    def failed(self) -> tuple[Finding, ...]:
        """What speaks against it."""
        return tuple(finding for finding in self.findings if not finding.passed)


def asked_digest(
    gates: Iterable[Gate], engines: Mapping[str, Engine], inputs: Mapping[str, Digest]
) -> Digest | None:
    """The digest of what `gates` ask, `inputs` being their files (`gates.NAME.PARAMETER`); None for none."""
    asked = [
        {
            "name": gate.name,
            "adapter": engines[gate.engine].card.name,
            "adapter_version": engines[gate.engine].card.version,
            "parameters": dict(gate.parameters),
            "inputs": {name: inputs[f"gates.{gate.name}.{name}"] for name in gate.inputs},
        }
        for gate in gates
    ]
    return of_value({"artlock": SALT, "gates": asked}) if asked else None


def judgement_key(gates: Digest, picture: Digest) -> Digest:
    """Where the judgement of `gates` on a picture is kept, whatever recipe it came of."""
    return of_value({"artlock": SALT, "judge": {"gates": gates, "picture": picture}})


def rejection_key(recipe: Digest, gates: Digest) -> Digest:
    """Where it is kept that what `recipe` makes failed `gates`."""
    return of_value({"artlock": SALT, "rejected": {"gates": gates, "recipe": recipe}})


def way_on(step: Step, card: Card) -> str:
    """What to do once nothing that `step` makes passed its gates; `card` is its engine's.

    Asked again, an engine that takes a seed draws the same picture, or nearly: another seed is what helps.
    """
    if step.asset.seed is None and not card.constant:
        return f"run `artlock build --rebuild {step.name}`, which draws anew"
    if 0 < step.asset.candidates < MOST:
        return f"ask for more than {step.asset.candidates} `candidates`: each has a seed of its own"
    return "change the asset or its `gates`"


def passed_by(step: Step, picture: Digest | None = None) -> bool:
    """Whether the lock says that what this recipe makes, or just this picture, passed the gates of `step`.

    It is not judged again: so a checkout is built anew without what its gates need, as long as the same
    bytes come of it.
    """
    record = step.recorded
    if record is None or step.gates is None or record.gates != step.gates:
        return False
    return record.recipe == step.recipe if picture is None else record.picture.file == picture


def changed(step: Step) -> tuple[Reason, ...]:
    """Why the lock's picture of an unchanged recipe must be judged again; empty where it need not."""
    record = step.recorded
    if record is None or step.gates is None or record.recipe != step.recipe or record.gates == step.gates:
        return ()
    return (Reason(why=Why.GATES),)
