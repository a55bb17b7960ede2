"""What a provider asks for its pictures: how a price is written, and what it comes to.

Knows nothing of which picture is asked for. A price says what is paid, never what is made, so none
enters a recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from buildsys.errors import did_you_mean
from buildsys.manifest import kinds, values
from buildsys.manifest.bundle import Bundle
from buildsys.manifest.kinds import Kind, written
from buildsys.manifest.model import Card
from buildsys.manifest.pricing import PicturePrice, Price
from buildsys.manifest.source import Fault, at

Json: TypeAlias = Any

TOKENS: Final[Mapping[str, str]] = {
    "text_in": "Prompts.",
    "image_in": "Pictures that are sent.",
    "text_out": "Words that come back, thoughts included.",
    "image_out": "Pictures that come back.",
}
"""The kinds of token that a provider may count, and what each is spent on."""

_USD: Final = kinds.number(0, 1000, 0.02)
_PER_MILLION: Final = kinds.number(0, 10_000, 30)
_PAIR: Final = Kind(
    "a width and a height in pixels",
    "[1024, 1024]",
    kinds.is_size,
    {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {"type": "integer", "minimum": 1, "maximum": kinds.BIGGEST_SIDE},
    },
)
_TABLES: Final = Kind(
    "a non-empty array of tables",
    "[{ usd = 0.02 }]",
    lambda value: (
        isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
    ),
    {"type": "array", "minItems": 1},
)
KEYS: Final[Mapping[str, tuple[Kind, str]]] = {
    "dated": (kinds.DATE, "Day on which somebody looked it up."),
    "picture": (_USD, "US dollars for a picture, whatever it is."),
    "pictures": (_TABLES, "US dollars by parameters and size: the first entry that fits a picture counts."),
    "tokens": (kinds.TABLE, "US dollars per million tokens, where the provider bills by these."),
}
"""Each key of a price: its kind, and what it says."""

CONDITIONS: Final[Mapping[str, tuple[Kind, str]]] = {
    "usd": (_USD, "US dollars for a picture that fits."),
    "size": (_PAIR, "The asset's size is this."),
    "over": (_PAIR, "The asset's size has more pixels than this one."),
    "inputs": (kinds.BOOLEAN, "Whether the engine gets files beside the words."),
}
"""What an entry of `pictures` may hold beside parameters of the adapter."""


def _described(table: Mapping[str, tuple[Kind, str]]) -> dict[str, Json]:
    return {name: {"description": doc, **kind.schema} for name, (kind, doc) in table.items()}


def _schema() -> dict[str, Json]:
    properties = _described(KEYS)
    properties["pictures"]["items"] = {
        "type": "object",
        "required": ["usd"],
        "properties": _described(CONDITIONS),
    }
    properties["tokens"].update(
        additionalProperties=False,
        minProperties=1,
        properties={name: {"description": doc, **_PER_MILLION.schema} for name, doc in TOKENS.items()},
    )
    table = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "anyOf": [{"required": [name]} for name in ("picture", "pictures", "tokens")],
        "not": {"required": ["picture", "pictures"]},
    }
    return {"anyOf": [_USD.schema, table]}


KIND: Final = Kind(
    "a number of US dollars from 0 to 1000, or a table",
    "0.02",
    lambda value: isinstance(value, Mapping) or _USD.accepts(value),
    _schema(),
)
"""What stands in a table is judged with its engine, key by key."""


def settle(card: Card, value: Json, bundle: Bundle) -> Price:
    """The price that `value` says of an engine with the adapter `card`. Raises `Fault`."""
    if not isinstance(value, Mapping):
        return Price(pictures=(PicturePrice(usd=float(value)),))
    for name, item in value.items():
        if name not in KEYS:
            raise _unknown("key of a price", name, KEYS)
        _check(name, KEYS[name][0], item)
    if "picture" in value and "pictures" in value:
        hint = "put it at the end of `pictures`, as `{ usd = … }`"
        raise Fault("`picture` and `pictures` both say what a picture costs", hint, ("picture",), at_key=True)
    if not {"picture", "pictures", "tokens"} & {*value}:
        raise Fault("this price says nothing of what is paid", "add `picture = 0.02`")
    entries = [{"usd": value["picture"]}] if "picture" in value else value.get("pictures", [])
    return Price(
        dated=kinds.iso(value["dated"]) if "dated" in value else "",
        pictures=_pictures(card, entries, bundle),
        tokens=_tokens(value["tokens"]) if "tokens" in value else {},
    )


def _pictures(card: Card, entries: Json, bundle: Bundle) -> tuple[PicturePrice, ...]:
    made: list[PicturePrice] = []
    for number, entry in enumerate(entries):
        with at("pictures", number):
            if made and made[-1] == PicturePrice(usd=made[-1].usd):
                raise Fault("the entry before this one fits every picture", "move that one to the end")
            made.append(_entry(card, entry, bundle))
    return tuple(made)


def _entry(card: Card, entry: Mapping[str, Json], bundle: Bundle) -> PicturePrice:
    if "usd" not in entry:
        raise Fault("this entry does not say what a picture costs", "add `usd = 0.02`")
    # A file is known by its bytes, which no price could name.
    known = {name: item for name, item in card.parameters.items() if item.type not in values.FILES}
    parameters = {}
    for name, value in entry.items():
        if name in CONDITIONS:
            _check(name, CONDITIONS[name][0], value)
        elif name not in known:
            if hint := did_you_mean(name, [*known, *CONDITIONS]):
                raise Fault(f"adapter `{card.name}` has no parameter `{name}`", hint, (name,), at_key=True)
            raise values.unknown(name, known, f"adapter `{card.name}`")
        else:
            with at(name):
                parameters[name] = values.settle(known[name], value, bundle)
    sides = {name: (entry[name][0], entry[name][1]) for name in ("size", "over") if name in entry}
    return PicturePrice(usd=float(entry["usd"]), parameters=parameters, inputs=entry.get("inputs"), **sides)


def _tokens(table: Mapping[str, Json]) -> dict[str, float]:
    with at("tokens"):
        if not table:
            raise Fault("`tokens` is empty", "add `image_out = 30`")
        for name, value in table.items():
            if name not in TOKENS:
                raise _unknown("kind of token", name, TOKENS)
            _check(name, _PER_MILLION, value)
    return {name: float(value) for name, value in table.items()}


def _check(name: str, kind: Kind, value: Json) -> None:
    if not kind.accepts(value):
        hint = f"write it like `{name} = {kind.example}`"
        raise Fault(f"`{name}` must be {kind.words}, not {written(value)}", hint, (name,))


def _unknown(what: str, name: str, known: Mapping[str, object]) -> Fault:
    hint = did_you_mean(name, known) or f"use one of {', '.join(f'`{key}`' for key in known)}"
    return Fault(f"unknown {what} `{name}`", hint, (name,), at_key=True)
