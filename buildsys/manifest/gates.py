"""Gates: what a finished picture must be before it is adopted, held against the cards of those who judge.

Knows nothing of how a gate measures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from buildsys.errors import did_you_mean
from buildsys.manifest import template, values
from buildsys.manifest.bundle import Bundle
from buildsys.manifest.cards import GATE, OCR
from buildsys.manifest.finish import as_input
from buildsys.manifest.kinds import written
from buildsys.manifest.matrix import Declared
from buildsys.manifest.model import Engine, Gate, Input, StepCard
from buildsys.manifest.source import COMMAND_LINE, Fault, at

Json: TypeAlias = Any

JUDGES: Final = (GATE, OCR)
"""Engines that judge; a gate is a step of its card."""

LETTERING: Final = "lettering"
"""The one gate with a rule of its own: without a text it reads the asset's."""

SEAM: Final = "seam"
"""What `tile = true` asks for."""


class Gates:
    """Resolves tables of gates by the cards of the engines that judge.

    Args:
        engines: those that judge among them.
        bundle: what a bundled file must be in.
        asked: the gates of every asset, as the manifest has them.
    """

    def __init__(self, engines: Mapping[str, Engine], bundle: Bundle, asked: Mapping[str, Json]) -> None:
        self._bundle = bundle
        self._asked = asked
        self._cards: dict[str, tuple[str, StepCard]] = {
            name: (judge, step) for judge in JUDGES for name, step in engines[judge].card.steps.items()
        }

    def check(self, table: Mapping[str, Json]) -> None:
        """Raise `Fault`, with its path from `table`, where a gate is unknown or asks what can't be."""
        for name, value in table.items():
            with at(name):
                self._gate(name, value, "·")

    def of(self, asset: Declared, styled: Mapping[str, Json], text: str) -> tuple[Gate, ...]:
        """What is asked of every picture, of those of the asset's style, and of this one by itself.

        None of one that the command line asks for: it is looked at, not adopted. Raises `Fault`.
        """
        if asset.location.file == COMMAND_LINE:
            return ()
        own = template.expand_all(asset.table.get("gates", {}), asset.values)
        tiling: dict[str, Json] = {SEAM: {}} if asset.table.get("tile") else {}
        asked = merged(self._asked, styled, tiling, own)
        if not asked:
            return ()
        with at("gates"):
            return self._resolved(asked, text)

    def _resolved(self, table: Mapping[str, Json], text: str) -> tuple[Gate, ...]:
        """The gates of `table`, in the order of the cards; without those that are `false`.

        `text`: what lettering is read for where its gate names none. Raises `Fault`.
        """
        found = []
        for name, value in table.items():
            with at(name):
                gate = self._gate(name, value, text)
            if gate is not None:
                found.append(gate)
        order = list(self._cards)
        return tuple(sorted(found, key=lambda gate: order.index(gate.name)))

    def _gate(self, name: str, value: Json, text: str) -> Gate | None:
        if name not in self._cards:
            hint = did_you_mean(name, self._cards) or f"use one of {_listed(self._cards)}"
            raise Fault(f"unknown gate `{name}`", hint, at_key=True)
        if value is False:
            return None
        judge, card = self._cards[name]
        given = _given(card, value)
        if name == LETTERING and not given.get("text"):
            if not text:
                fact = f"the gate `{LETTERING}` has no text to look for"
                raise Fault(fact, f'write `{LETTERING} = "…"`, or give the asset a `text`')
            given = {**given, "text": text}
        return self._settled(card, judge, given, inside=given is value)

    def _settled(self, card: StepCard, judge: str, given: Mapping[str, Json], *, inside: bool) -> Gate:
        for name in given:
            if name not in card.parameters:
                raise values.unknown(name, card.parameters, f"the gate `{card.name}`")
        parameters: dict[str, Json] = {}
        inputs: dict[str, Input] = {}
        for name, parameter in card.parameters.items():
            found = given.get(name, parameter.default)
            if found is None:
                if parameter.required:
                    raise Fault(f"the gate `{card.name}` lacks `{name}`", f"add `{name} = …`")
                continue
            with at(name) if inside else at():
                settled = values.settle(parameter, found, self._bundle)
            if parameter.type == "file":
                inputs[name] = as_input(settled)
            else:
                parameters[name] = settled
        return Gate(name=card.name, engine=judge, parameters=parameters, inputs=inputs)


def merged(*tables: Mapping[str, Json]) -> dict[str, Json]:
    """Tables of gates as one: of the same gate, a later one wins as a whole."""
    return {name: value for table in tables for name, value in table.items()}


def _given(card: StepCard, value: Json) -> Mapping[str, Json]:
    if isinstance(value, dict) and "asset" not in value:
        return value
    if value is True:
        return {}
    if not card.main:
        raise Fault(
            f"the gate `{card.name}` takes a table, not {written(value)}", f"write `{card.name} = {{}}`"
        )
    return {card.main: value}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
