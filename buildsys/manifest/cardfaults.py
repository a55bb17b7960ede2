"""What is wrong with an adapter's card: words it does not know, and values that can't be true together.

Knows nothing of files: `cards` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest import devices, shapes, values
from buildsys.manifest.ability import ModelCard
from buildsys.manifest.model import Card, Parameter, StepCard
from buildsys.manifest.schema import ENGINES
from buildsys.manifest.source import Fault
from buildsys.manifest.sourcetypes import SOURCE_TYPES

Json: TypeAlias = Any

THROUGH: Final = "pass"
"""The setting that names environment variables which its engine may see besides its own."""

_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")


def unknown_keys(table: Json, kind: type[msgspec.Struct]) -> Iterator[Fault]:
    """Every key of a card's `table`, and of the tables in it, that a `kind` does not have."""
    if not isinstance(table, Mapping):
        return
    known = kind.__struct_fields__
    inner: dict[str, type[msgspec.Struct]] = {
        "parameters": Parameter,
        "settings": Parameter,
        "steps": StepCard,
    }
    for key, value in table.items():
        if key not in known:
            hint = did_you_mean(key, known) or "remove it"
            yield Fault(f"unknown key `{key}` in a card", hint, (key,), at_key=True)
        elif key in inner and isinstance(value, Mapping):
            for name, item in value.items():
                for fault in unknown_keys(item, inner[key]):
                    yield fault.under(key, name)
        elif key == "shapes" and isinstance(value, list):
            for number, item in enumerate(value):
                for fault in unknown_keys(item, ModelCard):
                    yield fault.under(key, number)


def of(card: Card, adapter: str) -> Iterator[Fault]:
    """Every fault of the card that `adapter` has."""
    if not adapter.endswith(".py") and card.name != adapter:
        yield Fault(f"the card of `{adapter}` says it is `{card.name}`", "correct `name`", ("name",))
    if not _VERSION.fullmatch(card.version):
        yield Fault(f"`{card.version}` is not a version", 'write three numbers: "1.0.0"', ("version",))
    if not 1 <= card.minimum <= card.maximum or card.multiple < 1:
        fact = f"no size fits `minimum` {card.minimum}, `maximum` {card.maximum}, `multiple` {card.multiple}"
        yield Fault(fact, "correct these bounds", ("minimum",))
    if card.source_type not in ("", *SOURCE_TYPES):
        hint = did_you_mean(card.source_type, SOURCE_TYPES) or "use a word of IPTC's digital source types"
        yield Fault(f"unknown source type `{card.source_type}`", hint, ("source_type",))
    yield from _name_faults(card)
    yield from _relief_faults(card)
    yield from _alpha_faults(card)
    yield from _process_faults(card)
    yield from shapes.card_faults(card)
    for group, parameters in (("parameters", card.parameters), ("settings", card.settings)):
        for fault in _parameter_faults(parameters):
            yield fault.under(group)
    for name, step in card.steps.items():
        for fault in _parameter_faults(step.parameters):
            yield fault.under("steps", name, "parameters")
        if step.main and step.main not in step.parameters:
            fact = f"the step `{name}` has no parameter `{step.main}` to be its `main`"
            yield Fault(fact, "name one of its parameters", ("steps", name, "main"))


def _name_faults(card: Card) -> Iterator[Fault]:
    for name in [*card.parameters, *card.settings]:
        if name in ENGINES.keys:
            group = "parameters" if name in card.parameters else "settings"
            fact = f"`{name}` is a key of every engine and can't be a parameter"
            yield Fault(fact, "rename it", (group, name), at_key=True)
    if card.prompt_rest and card.prompt_rest not in card.parameters:
        hint = did_you_mean(card.prompt_rest, card.parameters) or "name one of its parameters"
        yield Fault(
            f"`prompt_rest` names `{card.prompt_rest}`, which is no parameter", hint, ("prompt_rest",)
        )
    device = card.settings.get(devices.SETTING)
    if device is not None and device.type != "string":
        path = ("settings", devices.SETTING, "type")
        yield Fault("the setting `device` must be a string", 'write `type = "string"`', path)
    yield from _variable_faults(card)
    for name, parameter in card.parameters.items():
        for number, other in enumerate(parameter.needs):
            if other not in card.parameters:
                hint = did_you_mean(other, card.parameters) or "name one of its parameters"
                where = ("parameters", name, "needs", number)
                yield Fault(f"`{name}` needs `{other}`, which is no parameter", hint, where)
    for name in card.settings:
        if name in card.parameters:
            hint = "keep one of the two"
            yield Fault(f"`{name}` is a parameter and a setting", hint, ("settings", name), at_key=True)


def _variable_faults(card: Card) -> Iterator[Fault]:
    passed = card.settings.get(THROUGH)
    if passed is not None and passed.type != "strings":
        yield Fault(
            f"the setting `{THROUGH}` must be strings",
            'write `type = "strings"`',
            ("settings", THROUGH, "type"),
        )
    for name, parameter in card.parameters.items():
        if parameter.variable:
            # It enters the recipe, which is the same on every machine.
            fact = f"`{name}` is a parameter, which no environment variable can change"
            yield Fault(fact, "make it a setting", ("parameters", name, "variable"), at_key=True)
    for name, setting in card.settings.items():
        if setting.variable and setting.type != "string":
            fact = f"the setting `{name}` has a `variable`, so it must be a string"
            yield Fault(fact, 'write `type = "string"`', ("settings", name, "type"))


def _relief_faults(card: Card) -> Iterator[Fault]:
    for number, step in enumerate(card.relief):
        if not step:
            yield Fault("this step of `relief` changes nothing", "remove it", ("relief", number))
        for fault in _value_faults("relief", step, "setting", card.settings):
            yield fault.under("relief", number)


def _alpha_faults(card: Card) -> Iterator[Fault]:
    for fault in _value_faults("alpha_when", card.alpha_when, "parameter", card.parameters):
        yield fault.under("alpha_when")
    if card.alpha_when and not card.alpha:
        fact = "`alpha_when` says when there is alpha, and `alpha` that there is none"
        yield Fault(fact, "set `alpha = true`", ("alpha_when",), at_key=True)


def _process_faults(card: Card) -> Iterator[Fault]:
    for group, declared in (("parameters", card.parameters), ("settings", card.settings)):
        for name, item in declared.items():
            if item.process and (item.type != "boolean" or group == "settings" or item.required):
                fact = f"`{name}` has `process`, which is for parameters that are an optional boolean"
                yield Fault(fact, "remove `process`", (group, name, "process"), at_key=True)
    for fault in _value_faults("bitwise_when", card.bitwise_when, "parameter", card.parameters):
        yield fault.under("bitwise_when")
    for name in card.bitwise_when:
        if name in card.parameters and not card.parameters[name].process:
            fact = f"`bitwise_when` names `{name}`, which does not hold for a whole process"
            yield Fault(fact, "set `process = true` for it", ("bitwise_when", name), at_key=True)


def _value_faults(
    key: str, given: Mapping[str, Json], noun: str, declared: Mapping[str, Parameter]
) -> Iterator[Fault]:
    """What is wrong with the values that `key` of a card gives to what the card itself declares."""
    for name, value in given.items():
        if name not in declared:
            hint = did_you_mean(name, declared) or f"name one of its {noun}s"
            yield Fault(f"`{key}` names `{name}`, which is no {noun}", hint, (name,), at_key=True)
        elif declared[name].type in values.TYPES:
            try:
                values.settle(declared[name], value)
            except Fault as fault:
                yield fault.under(name)


def _parameter_faults(parameters: Mapping[str, Parameter]) -> Iterator[Fault]:
    for name, parameter in parameters.items():
        if parameter.type not in values.TYPES:
            hint = did_you_mean(parameter.type, values.TYPES) or f"use one of {', '.join(values.TYPES)}"
            yield Fault(f"unknown type `{parameter.type}` of `{name}`", hint, (name, "type"))
        elif parameter.default is not None:
            try:
                values.settle(parameter, parameter.default)
            except Fault as fault:
                yield Fault(f"the default of {fault.fact}", fault.hint, (name, "default"))
