"""Engines: presets and the manifest's own tables, each merged and held against its adapter's card.

Knows nothing of assets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from buildsys.errors import did_you_mean
from buildsys.manifest import devices, kinds, limits, prices, source, values
from buildsys.manifest.bundle import Bundle
from buildsys.manifest.cards import FINISH, OWN, Cards
from buildsys.manifest.model import Card, Engine, Location, Parameter
from buildsys.manifest.needs import Unmet
from buildsys.manifest.schema import ENGINES
from buildsys.manifest.source import Fault, Problems, Source, at
from buildsys.manifest.structure import Entry
from buildsys.manifest.succession import faults

Json: TypeAlias = Any

PRESETS: Final = Path(__file__).with_name("presets.toml")


_OF_THE_MODEL: Final = ("price", "retired", "successor")
"""Of a preset, what is not true of another model than its own: a wrong price is worse than none."""


def presets() -> Source:
    """The engines that every project has, as a manifest file."""
    return source.parse(PRESETS.name, PRESETS.read_text(encoding="utf-8"))


def configure(own: Mapping[str, Entry], cards: Cards, problems: Problems) -> dict[str, Engine]:
    """Every engine: presets, changed by `own`, then `own`'s new ones. What is wrong goes to `problems`."""
    bundled = presets()
    tables: Mapping[str, Mapping[str, Json]] = bundled.table["engines"]
    engines: dict[str, Engine] = {}
    for name in dict.fromkeys([*tables, *own]):
        entry = own.get(name) or Entry(bundled, tables[name])
        try:
            engines[name] = _engine(name, entry, merged(tables.get(name, {}), entry.value), cards)
        except Fault as fault:
            problems.add(entry.source, fault.under("engines", name))
    for name, wrong in faults(engines, choosable(engines)):
        problems.add(own[name].source if name in own else bundled, wrong.under("engines", name))
    return engines


def choosable(engines: Iterable[str]) -> list[str]:
    """Those of `engines` that an asset or a role may name."""
    return [name for name in engines if name not in OWN]


def chosen(name: str, engines: Mapping[str, Engine]) -> Engine:
    """The engine `name` of `engines`, as an asset or a role names it. Raises `Fault`."""
    if name in OWN:
        tail = "; an asset with `from` needs none" if name == FINISH else ""
        raise Fault(f"`{name}` is artlock's own engine", f"name another one{tail}")
    if name not in engines:
        hint = did_you_mean(name, choosable(engines)) or f"declare it: `[engines.{name}]`"
        raise Fault(f"unknown engine `{name}`", hint)
    return engines[name]


def merged(preset: Mapping[str, Json], table: Mapping[str, Json]) -> dict[str, Json]:
    """A preset's table changed by the manifest's of the same name. Neither is checked yet."""
    # Another adapter understands none of the preset's parameters, so nothing of it is kept.
    if table.get("adapter", preset.get("adapter")) != preset.get("adapter"):
        return {**table}
    kept = preset
    if table.get("model", preset.get("model")) != preset.get("model"):
        kept = {key: value for key, value in preset.items() if key not in _OF_THE_MODEL}
    both = {**kept, **table}
    if "limits" in preset and "limits" in table:
        both["limits"] = limits.merged(preset["limits"], table["limits"])
    return both


def _engine(name: str, entry: Entry, table: dict[str, Json], cards: Cards) -> Engine:
    if "adapter" not in table:
        hint = did_you_mean(name, choosable(presets().table["engines"])) or "add `adapter = …`"
        raise Fault(f"engine `{name}` is no preset and lacks `adapter`", hint)
    with at("adapter"):
        if name in OWN and table["adapter"] != name:
            # Every picture passes `finish`, derived or not; another program there would undo every check.
            raise Fault(f"engine `{name}` can't have another adapter", "give your engine another name")
        if name not in OWN and table["adapter"] in OWN:
            fact = f"`{table['adapter']}` is artlock's own adapter"
            raise Fault(fact, "use another one, or the path of a `.py` file")
        card = cards.load(table["adapter"])
    for key in ("model", "revision"):
        if table.get(key) and card.model:
            fact = f"adapter `{card.name}` carries its own model, so `{name}` can't choose a `{key}`"
            raise Fault(fact, "remove it", (key,), at_key=True)
    given = {key: value for key, value in table.items() if key not in ENGINES.keys}
    for key in given:
        if key not in card.parameters and key not in card.settings:
            known = {**card.parameters, **card.settings}
            if hint := did_you_mean(key, [*known, *ENGINES.keys]):
                fact = f"adapter `{card.name}` has no parameter or setting `{key}`"
                raise Fault(fact, hint, (key,), at_key=True)
            raise values.unknown(key, known, f"adapter `{card.name}`")
    settings = _settled(card.settings, given, cards.bundle)
    places = devices.settle(card, table, settings)
    if places:
        settings[devices.SETTING] = places[0]
    with at("limits"):
        own = limits.settle(card.limits, table.get("limits", {}))
    with at("price"):
        price = prices.settle(card, table["price"], cards.bundle) if "price" in table else None
    return Engine(
        name=name,
        card=card,
        model=table.get("model") or card.model,
        revision=table.get("revision") or card.revision,
        parameters=_settled(card.parameters, given, cards.bundle),
        settings=settings,
        limits=own,
        devices=places,
        sandbox=table.get("sandbox", True),
        python=table.get("python", ""),
        retired=kinds.iso(table["retired"]) if "retired" in table else _end(card, table.get("model", "")),
        successor=table.get("successor", ""),
        fallback=tuple(table.get("fallback", ())),
        price=price,
        licence=table.get("licence", ""),
        location=Location(entry.source.file),
    )


def _end(card: Card, model: str) -> str:
    """ISO date on which the provider ended `model`, or will, as far as the card knows."""
    return card.ends[model].isoformat() if model in card.ends else ""


def _settled(declared: Mapping[str, Parameter], given: Mapping[str, Json], bundle: Bundle) -> dict[str, Json]:
    """The defaults of `declared`, changed by what is `given`."""
    settled: dict[str, Json] = {}
    for name, parameter in declared.items():
        value = given.get(name, parameter.default)
        if value is not None:
            with at(name):
                settled[name] = values.settle(parameter, value, bundle)
            if parameter.process and not settled[name]:
                del settled[name]
    return settled


class Scopes:
    """The names that a value for one engine alone may stand under: engines and their adapters."""

    def __init__(self, engines: Mapping[str, Engine], bundle: Bundle) -> None:
        self._bundle = bundle
        self._engines = engines
        self._cards: dict[str, Card] = {engine.card.name: engine.card for engine in engines.values()}
        self._cards.update({name: engine.card for name, engine in engines.items()})

    def pick(self, value: Json, engine: Engine | None) -> Json:
        """`value`, or where it is a table, what it has for `engine` (or its adapter); None for nothing.

        Raises `Fault` for a name that is neither an engine nor an adapter.
        """
        if not isinstance(value, dict):
            return value
        for name in value:
            if name not in self._cards:
                hint = did_you_mean(name, choosable(self._cards)) or "name an engine or an adapter"
                raise Fault(f"`{name}` is neither an engine nor an adapter", hint, (name,), at_key=True)
        if engine is None:
            return None
        return value.get(engine.name, value.get(engine.card.name))

    def offered(self) -> list[Engine]:
        """The engines that a hint may name: an asset may choose them, and no provider ends them."""
        return [self._engines[name] for name in choosable(self._engines) if not self._engines[name].retired]

    def files(self, table: Mapping[str, Json], engine: Engine) -> set[str]:
        """The keys of `table` for any engine that are files: to `engine`, or if unknown to it, to another."""
        cards = (engine.card, *self._cards.values())
        found = set()
        for name in table:
            types = [card.parameters[name].type for card in cards if name in card.parameters]
            if not {*values.FILES}.isdisjoint(types[:1] if name in engine.card.parameters else types):
                found.add(name)
        return found

    def parameters(self, table: Mapping[str, Json], engine: Engine) -> dict[str, Json]:
        """What `table` says to `engine`: keys for any engine, then its adapter's, then its own.

        Tables for other engines are checked too, so a typo in them shows in every profile. Raises `Fault`.
        """
        plain: dict[str, Json] = {}
        scoped: dict[str, dict[str, Json]] = {}
        for name, value in table.items():
            card = self._cards.get(name)
            if isinstance(value, dict) and card is not None:
                card = engine.card if name in (engine.name, engine.card.name) else card
                with at(name):
                    scoped[name] = self._checked(value, card)
            else:
                plain[name] = value
        made = self._checked(plain, engine.card)
        return {**made, **scoped.get(engine.card.name, {}), **scoped.get(engine.name, {})}

    def _checked(self, table: Mapping[str, Json], card: Card) -> dict[str, Json]:
        settled: dict[str, Json] = {}
        for name, value in table.items():
            parameter = card.parameters.get(name)
            if parameter is None:
                raise self._unknown(name, card)
            if parameter.process:
                fact = f"`{name}` holds for a whole process of adapter `{card.name}`"
                raise Fault(fact, "set it in `[engines.NAME]`", (name,), at_key=True)
            with at(name):
                settled[name] = values.settle(parameter, value, self._bundle)
        return settled

    def _unknown(self, name: str, card: Card) -> Fault:
        fault = values.unknown(name, card.parameters, f"adapter `{card.name}`")
        other = next((other for other in self._cards.values() if name in other.parameters), None)
        if other is not None and not fault.hint.startswith("did you mean"):
            hint = f"put it under `parameters.{other.name}`: adapter `{other.name}` takes it"
            # A picture to start from is a need; a parameter of another adapter is a slip.
            kind = Unmet if other.parameters[name].type in values.FILES else Fault
            return kind(fault.fact, hint, fault.path, at_key=True)
        return fault
