"""Adapters' cards, read from their `adapter.toml` and checked; no adapter's code is ever imported.

Knows nothing of which engines a manifest has.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import ManifestError, did_you_mean
from buildsys.manifest import devices, limits, needs, shapes, source, values
from buildsys.manifest.ability import ModelCard
from buildsys.manifest.allowance import Limits
from buildsys.manifest.bundle import Bundle
from buildsys.manifest.kinds import is_word
from buildsys.manifest.model import Card, Parameter, StepCard
from buildsys.manifest.names import check_path
from buildsys.manifest.schema import ENGINES
from buildsys.manifest.source import Fault, Problems, Source
from engines import protocol

Json: TypeAlias = Any

BUNDLED: Final = Path(protocol.__file__).parent
"""The folder of the bundled adapters; a file path, because nothing here may import them."""

FINISH: Final = "finish"
"""The engine of derived assets, and the adapter whose card declares the finish steps."""

PLACEHOLDER: Final = "placeholder"
"""The engine of the labelled stand-ins that a build may put where assets are blocked, and its adapter."""

MEASURE: Final = "measure"
"""The engine that holds pictures against each other and lays out contact sheets, and its adapter."""

GATE: Final = "gate"
"""The engine that says whether a finished picture is what was asked for, and its adapter."""

OCR: Final = "ocr"
"""The engine that reads lettering back, and its adapter; its extra is not in the base install."""

OWN: Final = (FINISH, PLACEHOLDER, MEASURE, GATE, OCR)
"""What artlock uses by itself: no asset, role or engine of a manifest names one."""

THROUGH: Final = "pass"
"""The setting that names environment variables which its engine may see besides its own."""

SOURCE_TYPES: Final = (
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "algorithmicMedia",
    "digitalCreation",
    "algorithmicallyEnhanced",
    "dataDrivenMedia",
    "virtualRecording",
    "screenCapture",
    "composite",
    "compositeCapture",
    "compositeSynthetic",
    "computationalCapture",
    "digitalCapture",
    "negativeFilm",
    "positiveFilm",
    "print",
    "humanEdits",
)
"""IPTC's digital source types (vocabulary of 2024-10-23), without those that it retired."""

_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")


class Cards:
    """The cards of bundled adapters and of a project's own, each read once."""

    def __init__(self, project: Path, bundled: Path = BUNDLED) -> None:
        self._project = project
        self._bundled = bundled
        self.bundle = Bundle(bundled)
        self._read: dict[str, Card] = {}

    def adapters(self) -> list[str]:
        """Names of the bundled adapters, sorted."""
        return sorted(path.parent.name for path in self._bundled.glob("*/adapter.toml"))

    def parameters(self, own: Iterable[str]) -> set[str]:
        """Names of every parameter of the bundled adapters and of the project's `own`, for hints.

        An adapter without a sound card has none here: that is told where the adapter is used.
        """
        found: set[str] = set()
        for adapter in (*self.adapters(), *own):
            with contextlib.suppress(Fault, ManifestError):
                found.update(self.load(adapter).parameters)
        return found

    def load(self, adapter: str) -> Card:
        """The card of `adapter`: a bundled one's name, or the path of a `.py` file in the project.

        Raises `Fault` where there is no such adapter, and `ManifestError` where its card is wrong.
        """
        if adapter not in self._read:
            self._read[adapter] = self._load(adapter)
        return self._read[adapter]

    def _load(self, adapter: str) -> Card:
        if not adapter.endswith(".py"):
            path = self._bundled / adapter / "adapter.toml"
            if not is_word(adapter) or not path.is_file():
                known = [name for name in self.adapters() if name not in OWN]
                hint = did_you_mean(adapter, known) or "use a bundled adapter, or the path of a `.py` file"
                raise Fault(f"unknown adapter `{adapter}`", hint)
            return read(path, f"engines/{adapter}/adapter.toml", adapter)
        check_path(adapter)
        path = (self._project / adapter).with_suffix(".toml")
        shown = adapter.removesuffix(".py") + ".toml"
        if not path.resolve().is_relative_to(self._project.resolve()):
            raise Fault(f"the adapter `{adapter}` lies outside the project", "copy it into the project")
        if not (self._project / adapter).is_file():
            raise Fault(f"the adapter `{adapter}` does not exist", f"create `{adapter}`")
        if not path.is_file():
            raise Fault(f"the adapter `{adapter}` has no card", f"write `{shown}` beside it")
        return read(path, shown, adapter)


def read(path: Path, shown: str, adapter: str) -> Card:
    """The card in the file `path`, called `shown` in messages. Raises `ManifestError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{shown}: can't be read: {error}", "mend the adapter's card") from error
    return parse(source.parse(shown, text), adapter)


def parse(card: Source, adapter: str) -> Card:
    """The card in `card`. Raises `ManifestError` with what is wrong, at its place."""
    problems = Problems()
    for fault in _unknown_keys(card.table, Card):
        problems.add(card, fault)
    problems.check()
    own = Limits()
    try:
        with source.at("limits"):
            own = limits.settle(own, card.table.get("limits", {}))
    except Fault as wrong:
        problems.add(card, wrong)
    try:
        made = msgspec.convert(_with_names(card.table), Card)
    except msgspec.ValidationError as error:
        fact = f"{card.file}: the card of `{adapter}` is malformed: {error}"
        raise ManifestError(fact, 'see "Writing an engine" in the documentation') from error
    for fault in _faults(made, adapter):
        problems.add(card, fault)
    problems.check()
    return msgspec.structs.replace(made, name=adapter, limits=own)


def _with_names(table: Mapping[str, Json]) -> dict[str, Json]:
    """`table` with each parameter and step told its name, which TOML has as a key."""
    steps = {
        name: {"doc": "", "main": "", **step, "name": name, "parameters": _named(step, f"steps.{name}.")}
        for name, step in _tables(table, "steps", "").items()
    }
    settings = _named(table, "", "settings")
    # Limits are written for people (`"6 GB"`) and read by `limits`.
    rest = {key: value for key, value in table.items() if key != "limits"}
    return {**rest, "parameters": _named(table, ""), "settings": settings, "steps": steps}


def _named(table: Mapping[str, Json], where: str, key: str = "parameters") -> dict[str, Json]:
    return {name: {**item, "name": name} for name, item in _tables(table, key, where).items()}


def _tables(table: Mapping[str, Json], key: str, where: str) -> Mapping[str, Mapping[str, Json]]:
    """The tables in `table[key]`; `where` leads to `table`. Raises `msgspec.ValidationError`."""
    found = table.get(key, {})
    if not isinstance(found, Mapping):
        raise msgspec.ValidationError(f"`{where}{key}` is not a table")
    for name, item in found.items():
        if not isinstance(item, Mapping):
            raise msgspec.ValidationError(f"`{where}{key}.{name}` is not a table")
    return found


def _unknown_keys(table: Json, kind: type[msgspec.Struct]) -> Iterator[Fault]:
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
                for fault in _unknown_keys(item, inner[key]):
                    yield fault.under(key, name)
        elif key == "shapes" and isinstance(value, list):
            for number, item in enumerate(value):
                for fault in _unknown_keys(item, ModelCard):
                    yield fault.under(key, number)


def _faults(card: Card, adapter: str) -> Iterator[Fault]:
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
    yield from needs.card_faults(card)
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
        for name, value in step.items():
            path = ("relief", number, name)
            declared = card.settings.get(name)
            if declared is None:
                hint = did_you_mean(name, card.settings) or "name one of its settings"
                yield Fault(f"`relief` names `{name}`, which is no setting", hint, path, at_key=True)
            elif declared.type in values.TYPES:
                try:
                    values.settle(declared, value)
                except Fault as fault:
                    yield fault.under(*path)


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
