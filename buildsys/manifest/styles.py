"""Styles: checked once, then laid over each engine that they are used with.

Knows nothing of single assets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest import needs, profiles, shapes, template
from buildsys.manifest.circles import untangled
from buildsys.manifest.engines import Scopes
from buildsys.manifest.finish import Finish, Finisher
from buildsys.manifest.gates import Gates, merged
from buildsys.manifest.model import Engine
from buildsys.manifest.needs import Unmet
from buildsys.manifest.source import Fault, Problems, at
from buildsys.manifest.structure import Entry
from buildsys.manifest.template import Value

Json: TypeAlias = Any


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """All that an engine and some styles say to an asset."""

    prompts: tuple[str, ...] = ()
    """Templates to apply in this order; variables and `{prompt}` are still to be put in."""
    negatives: tuple[str, ...] = ()
    """Templates, in the order to join them."""
    parameters: Mapping[str, Json] = {}
    size: list[int] | None = None
    finish: Finish = Finish()
    gates: Mapping[str, Json] = {}
    """Tables as written, variables put in, as one."""


class Styles:
    """The manifest's styles. What is wrong with one goes to `problems`, once, at the style's own place."""

    def __init__(
        self,
        entries: Mapping[str, Entry],
        variables: Mapping[str, Value],
        scopes: Scopes,
        finisher: Finisher,
        gates: Gates,
        problems: Problems,
        profile: str,
    ) -> None:
        self._gates = gates
        self._profile = profile
        self._entries: dict[str, Entry] = {}
        self._profiled: dict[str, Mapping[str, Json]] = {}
        for name, entry in entries.items():
            table, self._profiled[name] = profiles.overlaid(entry.value, profile)
            self._entries[name] = Entry(entry.source, table)
        self._variables = variables
        self._scopes = scopes
        self._problems = problems
        self._finishes: dict[str, Finish] = {}
        self._lines: dict[str, tuple[str, ...]] = {}
        self._layers: dict[tuple[str, tuple[str, ...]], Layer | None] = {}
        for name, entry in self._entries.items():
            try:
                self._finishes[name] = self._checked(name, entry.value, finisher)
            except Fault as fault:
                self._tell(name, fault, problems)
        self._inherit()

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def names(self) -> list[str]:
        """Every style's name."""
        return list(self._entries)

    def changes(self, names: tuple[str, ...]) -> bool:
        """Whether the profile puts something over one of the styles `names`, or over a base of them."""
        return any(self._profiled.get(line) for name in names for line in self._lines.get(name, ()))

    def layer(self, names: tuple[str, ...], engine: Engine | None) -> Layer | None:
        """What `engine` and the styles `names` say together; None where a style is wrong, which is told."""
        key = (engine.name if engine else "", names)
        if key not in self._layers:
            self._layers[key] = self._layer(names, engine, self._problems)
        return self._layers[key]

    def tried(self, names: tuple[str, ...], engine: Engine) -> Layer | None:
        """As `layer`, of an engine that nobody has asked for: what is wrong is told nowhere."""
        return self._layer(names, engine, Problems())

    def _checked(self, name: str, table: Mapping[str, Json], finisher: Finisher) -> Finish:
        """The finish of a style whose texts and names are all right. Raises `Fault`."""
        for number, base in enumerate(_bases(table)):
            if base not in self:
                hint = did_you_mean(base, self.names()) or f"declare it: `[styles.{base}]`"
                path = ("inherits",) if isinstance(table["inherits"], str) else ("inherits", number)
                raise Fault(f"unknown style `{base}`", hint, path)
        for key in ("prompt", "negative", "size"):
            with at(key):
                self._scopes.pick(table.get(key), None)
        with at("negative"):
            template.check(table.get("negative", ""), self._variables)
        with at("prompt"):
            prompt = table.get("prompt", "{prompt}")
            template.check(prompt, {*self._variables, "prompt"})
            for text in prompt.values() if isinstance(prompt, dict) else [prompt]:
                if not template.surely(text, "prompt"):
                    hint = "add it to every choice" if template.OPENING in text else "add it"
                    raise Fault(f"the prompt of style `{name}` lacks `{{prompt}}`", hint)
        with at("gates"):
            self._gates.check(template.expand_all(table.get("gates", {}), self._variables))
        with at("finish"):
            return finisher.resolve(template.expand_all(table.get("finish", []), self._variables))

    def _inherit(self) -> None:
        """Note with each style those that it adds to, each once and before its heirs."""
        order, circles = untangled({name: _bases(entry.value) for name, entry in self._entries.items()})
        for circle in circles:
            fact = f"styles inherit from one another in a circle: `{' → '.join([*circle, circle[0]])}`"
            wrong = Fault(fact, "take one of them out of the circle", ("styles", circle[0], "inherits"))
            self._problems.add(self._entries[circle[0]].source, wrong)
            for name in circle:
                self._finishes.pop(name, None)
        for name in order:
            bases = (
                line for base in _bases(self._entries[name].value) for line in self._lines.get(base, (base,))
            )
            self._lines[name] = (*dict.fromkeys(bases), name)

    def _layer(self, names: tuple[str, ...], engine: Engine | None, problems: Problems) -> Layer | None:
        layer = Layer(parameters=engine.parameters if engine else {})
        for name in dict.fromkeys(line for style in names for line in self._lines.get(style, (style,))):
            if name not in self._finishes:
                return None
            entry = self._entries[name]
            try:
                layer = self._over(layer, name, entry.value, engine)
            except Fault as fault:
                self._tell(name, fault, problems)
                return None
        return layer

    def _tell(self, name: str, fault: Fault, problems: Problems) -> None:
        wrong = profiles.placed(fault, self._profiled[name], self._profile)
        problems.add(self._entries[name].source, wrong.under("styles", name))

    def _over(self, layer: Layer, name: str, table: Mapping[str, Json], engine: Engine | None) -> Layer:
        prompt = self._scopes.pick(table.get("prompt"), engine)
        negative = self._scopes.pick(table.get("negative"), engine)
        if negative and engine and not shapes.takes_negative(engine):
            others = [other for other in self._scopes.offered() if shapes.takes_negative(other)]
            raise takes_no("negative", engine, f"style `{name}`").naming(needs.ranked(others))
        size = self._scopes.pick(table.get("size"), engine)
        parameters = layer.parameters
        for path, given in profiles.parameters(table, self._profiled[name], self._profile):
            with at(*path):
                filled = template.expand_all(given, self._variables)
                own = self._scopes.parameters(filled, engine) if engine else {}
            parameters = {**parameters, **own}
        return Layer(
            prompts=(*layer.prompts, prompt) if prompt else layer.prompts,
            negatives=(*layer.negatives, negative) if negative else layer.negatives,
            parameters=parameters,
            size=size or layer.size,
            finish=self._finishes[name] if "finish" in table else layer.finish,
            gates=merged(layer.gates, template.expand_all(table.get("gates", {}), self._variables)),
        )


def _bases(table: Mapping[str, Json]) -> tuple[str, ...]:
    """The styles that the style `table` inherits from, as they are written."""
    inherits = table.get("inherits", ())
    return (inherits,) if isinstance(inherits, str) else tuple(inherits)


def takes_no(key: str, engine: Engine, who: str) -> Unmet:
    """The fault of a `key` meant for an engine that has no use for it."""
    fact = f"{who} gives a `{key}`, which engine `{engine.name}` does not take"
    hint = f"remove it, or give it to the engines that do: `{key} = {{ ENGINE = … }}`"
    return Unmet(fact, hint, (key,))
