"""Finish steps, held against the finish adapter's card.

Knows nothing of what a step does to a picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest import values
from buildsys.manifest.ability import Capability
from buildsys.manifest.bundle import Bundle
from buildsys.manifest.kinds import written
from buildsys.manifest.model import AssetName, Card, FinishStep, Input, Parameter, StepCard
from buildsys.manifest.source import Fault, Path, at

Json: TypeAlias = Any


ENCODE: Final = "encode"
"""The one step with a rule of its own: it says how the file is written, so nothing follows it."""


class Finish(msgspec.Struct, frozen=True):
    """The steps of one asset or style, and the files that they read."""

    steps: tuple[FinishStep, ...] = ()
    inputs: Mapping[str, Input] = {}


class Finisher:
    """Resolves steps by the finish adapter's card; equal lists of steps only once."""

    def __init__(self, card: Card, bundle: Bundle) -> None:
        self._card = card
        self._bundle = bundle
        self._known: dict[str, Finish] = {}

    def resolve(self, steps: Sequence[Mapping[str, Json]]) -> Finish:
        """The steps as written, settled. Raises `Fault` whose path starts at the step's index."""
        key = repr(steps)  # tells 1 from 1.0 and from true, which are equal as keys
        if key not in self._known:
            self._known[key] = _resolve(steps, self._card, self._bundle)
        return self._known[key]

    def meets(self, need: Capability, steps: Iterable[str]) -> bool:
        """Whether one of the `steps`, by name, does what is needed."""
        return any(_meets(self._card.steps[name], need) for name in steps if name in self._card.steps)

    def step_for(self, need: Capability) -> str:
        """The first step that does; empty where there is none."""
        return next((name for name in self._card.steps if self.meets(need, [name])), "")


def _meets(step: StepCard, need: Capability) -> bool:
    return (need is Capability.ALPHA and step.alpha) or (need is Capability.TILING and step.tiling)


def _resolve(steps: Sequence[Mapping[str, Json]], card: Card, bundle: Bundle) -> Finish:
    made: list[FinishStep] = []
    inputs: dict[str, Input] = {}
    for index, step in enumerate(steps):
        [(name, value)] = step.items()
        declared = card.steps.get(name)
        if declared is None:
            hint = (
                did_you_mean(name, card.steps) or f"use one of {', '.join(f'`{key}`' for key in card.steps)}"
            )
            raise Fault(f"unknown finish step `{name}`", hint, (index, name), at_key=True)
        if name == ENCODE and index < len(steps) - 1:
            fact = f"the finish step `{ENCODE}` is not the last"
            raise Fault(fact, "move it to the end of `finish`", (index, name), at_key=True)
        with at(index, name):
            settled = _settled(declared, value, bundle)
        for parameter in declared.parameters.values():
            if parameter.type == "file" and parameter.name in settled:
                inputs[f"finish.{index}.{parameter.name}"] = as_input(settled.pop(parameter.name))
        made.append(FinishStep(name=name, version=declared.version, parameters=settled))
    return Finish(tuple(made), inputs)


def check_format(finish: Finish, suffix: str, path: Path) -> None:
    """Raise `Fault` where `finish`, written at `path`, encodes an asset of the format `suffix` as another."""
    last = finish.steps[-1] if finish.steps else None
    if last is None or last.name != ENCODE:
        return
    wanted = last.parameters.get("format", suffix)
    if wanted != suffix:
        fact = f"the finish step `{ENCODE}` writes `{wanted}`, but the asset's `format` is `{suffix}`"
        raise Fault(fact, f'set `format = "{wanted}"`', path)


def as_input(value: Json) -> Input:
    """A settled value of type `file` as an input."""
    if isinstance(value, dict):
        return Input(asset=AssetName(value["asset"]))
    return Input(path=value)


def inputs_of(parameter: Parameter, value: Json) -> dict[str, Input]:
    """A settled value of a `parameter` of type `file` or `files`, by the names that a recipe has for it."""
    if parameter.type == "files":
        return {f"{parameter.name}.{name}": as_input(item) for name, item in value.items()}
    return {parameter.name: as_input(value)}


def _settled(step: StepCard, value: Json, bundle: Bundle) -> dict[str, Json]:
    given = _given(step, value)
    for name in given:
        if name not in step.parameters:
            raise values.unknown(name, step.parameters, f"the finish step `{step.name}`")
    settled: dict[str, Json] = {}
    for name, parameter in step.parameters.items():
        found = given.get(name, parameter.default)
        if found is None:
            if parameter.required:
                raise Fault(f"the finish step `{step.name}` lacks `{name}`", f"add `{name} = …`")
            continue
        with at(name) if given is value else at():
            settled[name] = values.settle(parameter, found, bundle)
    return settled


def _given(step: StepCard, value: Json) -> Mapping[str, Json]:
    if isinstance(value, dict):
        return value
    if not step.main:
        fact = f"the finish step `{step.name}` takes a table, not {written(value)}"
        raise Fault(fact, f"write `{{ {step.name} = {{}} }}`")
    return {step.main: value}
