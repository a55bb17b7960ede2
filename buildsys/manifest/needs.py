"""What an asset needs of its engine, held against what the engine's card says it can do.

Knows nothing of how an asset is written, but for its `needs`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from buildsys.errors import did_you_mean
from buildsys.manifest.ability import Capability, Lettering
from buildsys.manifest.finish import Finisher
from buildsys.manifest.kinds import written
from buildsys.manifest.model import Asset, Card, Engine, Need
from buildsys.manifest.process import determinism
from buildsys.manifest.source import Fault
from engines.protocol import Determinism

Json: TypeAlias = Any

SHOWN: Final = 4
"""Engines that a hint names; `artlock engines` shows them all."""

_KNOWN: Final = tuple(Capability)


class Unmet(Fault):
    """A fault that another engine would not have: its hint is to name those that could."""

    def naming(self, able: Sequence[str]) -> Fault:
        """The same fault, with the engines `able` in its hint, of which the first are shown."""
        could = f"engines that could: {', '.join(f'`{name}`' for name in able[:SHOWN])}"
        if not able:
            hint = self.hint or "no engine here could: declare one under `[engines]`"
        else:
            hint = f"{self.hint}; {could}" if self.hint else could
        return Fault(self.fact, hint, self.path, at_key=self.at_key)


def wanted(table: Mapping[str, Json]) -> tuple[Capability, ...]:
    """The `needs` of an asset's `table`. Raises `Fault` for one that there is not."""
    found: list[Capability] = []
    for number, word in enumerate(table.get("needs", ())):
        if word not in _KNOWN:
            hint = did_you_mean(word, _KNOWN) or f"use one of {', '.join(f'`{item}`' for item in _KNOWN)}"
            raise Fault(f"unknown need `{word}`", hint, ("needs", number))
        if word in found:
            raise Fault(f"`{word}` stands in `needs` twice", "keep one of the two", ("needs", number))
        found.append(Capability(word))
    return tuple(found)


def can(card: Card, need: Capability) -> bool:
    """Whether the adapter has what is needed, with the right parameters."""
    return {
        Capability.ALPHA: card.alpha,
        Capability.SEED: card.seed is not Need.NONE,
        Capability.TILING: card.tiling,
        Capability.LETTERING: card.lettering.reaches(Lettering.GOOD),
    }[need]


def left(needs: Iterable[Capability], steps: Iterable[str], finisher: Finisher) -> tuple[Capability, ...]:
    """Those of `needs` that the finish `steps` leave to the engine."""
    names = tuple(steps)
    return tuple(need for need in needs if not finisher.meets(need, names))


def is_told(card: Card, text: str, prompt: str) -> bool:
    """Whether the adapter gets to know the `text` to be seen: by itself, or in the `prompt`."""
    if not text:
        return card.text is not Need.REQUIRED
    return card.text is not Need.NONE or (letters(card) and text in prompt)


def letters(card: Card) -> bool:
    """Whether the adapter writes into the picture what stands in the prompt."""
    return card.prompt is not Need.NONE and card.lettering is not Lettering.NONE


def check(asset: Asset, engine: Engine, written: Sequence[str], finisher: Finisher) -> None:
    """Raise `Fault` where `engine` does not give `asset` what it needs, as the list `written` says."""
    for need in asset.needs:
        path = ("needs", written.index(need))
        if not can(engine.card, need):
            step = finisher.step_for(need)
            raise Unmet(_lack(asset, engine, need), f"add the finish step `{step}`" if step else "", path)
        if need is Capability.ALPHA:
            _check_conditions(asset, engine, path)
        if need is Capability.SEED and asset.seed is None:
            fact = f"asset `{asset.name}` needs `seed`, but gives none"
            raise Fault(fact, "add `seed = …`", path)


def _lack(asset: Asset, engine: Engine, need: Capability) -> str:
    fact = f"asset `{asset.name}` needs `{need}`, which engine `{engine.name}` does not offer"
    if need is Capability.LETTERING and engine.card.lettering is not Lettering.NONE:
        fact += f": its lettering is `{engine.card.lettering}`"
    return fact


def _check_conditions(asset: Asset, engine: Engine, path: tuple[str | int, ...]) -> None:
    for name, value in engine.card.alpha_when.items():
        if asset.parameters.get(name) != value:
            term = f"{name} = {written(value).strip('`')}"
            fact = (
                f"asset `{asset.name}` needs `alpha`, which engine `{engine.name}` gives only with `{term}`"
            )
            raise Unmet(fact, f"set `parameters.{term}`", path)


def ranked(engines: Iterable[Engine], role: str = "", mapped: Iterable[str] = ()) -> list[str]:
    """The names of `engines` in the order to try them for `role`.

    First those that are `mapped` to it, then those that suit it, what repeats itself before what does not,
    and then the cheapest. Whether one can run here and now is nothing that a manifest knows.
    """
    known = {*mapped}
    grades = list(Determinism)

    def merit(engine: Engine) -> tuple[bool, float, int, float, str]:
        roles = engine.card.roles
        place = roles.index(role) if role in roles else math.inf
        grade = grades.index(determinism(engine))
        return engine.name not in known, place, grade, _least(engine), engine.name

    return [engine.name for engine in sorted(engines, key=merit)]


def _least(engine: Engine) -> float:
    """US dollars of its cheapest picture; infinite where nobody knows."""
    if engine.price is None:
        return math.inf if engine.card.network else 0
    return min((item.usd for item in engine.price.pictures), default=math.inf)
