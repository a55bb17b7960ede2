"""`{name}` and `{one of: a|b}` in the manifest's texts.

Knows nothing of where the names come from, and of how a wildcard is drawn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest.source import Fault, at
from buildsys.manifest.syntax import NAME, OPENING, Name, Part, Wildcard, names, parse, shown
from buildsys.manifest.wildcards import Draw

__all__ = ["NAME", "OPENING", "Value", "Variable", "check", "expand", "expand_all", "names", "surely"]

Json: TypeAlias = Any


class Variable(msgspec.Struct, frozen=True):
    """A variable with a wildcard in it, which is another text for another asset."""

    text: str


Value: TypeAlias = str | Variable
"""What a name stands for. A string is put in as it is and not looked at again."""


def expand(text: str, values: Mapping[str, Value], draw: Draw | None = None) -> str:
    """`text` with each `{name}` replaced, each wildcard drawn, `{{` and `}}` made single.

    Raises `Fault` for what `check` finds, and for a wildcard where there is no `draw`.
    """
    if "{" not in text and "}" not in text:
        return text
    parts = _check(text, values)
    return _filled(parts, values, draw)


def expand_all(value: Json, values: Mapping[str, Value]) -> Json:
    """`value` with every string in it expanded, in arrays and tables too. Raises `Fault`."""
    return _expanded(value, values) if _has_braces(value) else value


def check(value: Json, known: Collection[str]) -> None:
    """Whether every string in `value` is well-formed and uses `known` names only, in each choice.

    Raises `Fault` for a name that `known` lacks and for a brace that has no partner.
    """
    if isinstance(value, str):
        _check(value, known)
    elif isinstance(value, dict):
        for key, item in value.items():
            with at(key):
                check(item, known)


def surely(text: str, name: str) -> bool:
    """Whether the well-formed `text` uses `name`, whatever is drawn."""
    return _surely(parse(text), name)


def escape(text: str) -> str:
    """The text that `expand` turns into `text`."""
    return text.replace("{", "{{").replace("}", "}}")


def _check(text: str, known: Collection[str]) -> tuple[Part, ...]:
    parts = parse(text)
    for name in names(text):
        if name in known:
            continue
        if "|" in name or name.strip().lower().startswith("one of"):
            raise Fault(f"`{{{name}}}` is no wildcard in {shown(text)}", "write it `{one of: red|green}`")
        hint = did_you_mean(name, known) or f"declare `{name}` under `[variables]`, or double the braces"
        raise Fault(f"unknown name `{{{name}}}` in {shown(text)}", hint)
    return parts


def _filled(parts: tuple[Part, ...], values: Mapping[str, Value], draw: Draw | None) -> str:
    made = []
    for part in parts:
        if isinstance(part, Name):
            value = values[part.name]
            if isinstance(value, Variable):
                inner = draw.within(part.name) if draw else None
                value = _filled(parse(value.text), values, inner)
            made.append(value)
        elif isinstance(part, Wildcard):
            if draw is None:
                hint = "use wildcards in `prompt`, `negative` and `text`, and in their variables"
                raise Fault(f"a wildcard can't stand here: `{part.text}`", hint)
            chosen = part.choices[draw.choose([choice.text for choice in part.choices])]
            made.append(_filled(chosen.parts, values, draw))
        else:
            made.append(part)
    return "".join(made)


def _surely(parts: tuple[Part, ...], name: str) -> bool:
    return any(
        part.name == name
        if isinstance(part, Name)
        else isinstance(part, Wildcard) and all(_surely(choice.parts, name) for choice in part.choices)
        for part in parts
    )


def _has_braces(value: Json) -> bool:
    """Whether there is anything to do: of ten thousand assets, nearly all say no here."""
    if isinstance(value, str):
        return "{" in value or "}" in value
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return any(map(_has_braces, value))


def _expanded(value: Json, values: Mapping[str, Value]) -> Json:
    if isinstance(value, str):
        return expand(value, values)
    if isinstance(value, list):
        return [_expanded_at(index, item, values) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: _expanded_at(key, item, values) for key, item in value.items()}
    return value


def _expanded_at(key: str | int, item: Json, values: Mapping[str, Value]) -> Json:
    with at(key):
        return _expanded(item, values)
