"""`{name}` in the manifest's texts.

Knows nothing of where the names come from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from buildsys.errors import did_you_mean
from buildsys.manifest.source import Fault, at

Json: TypeAlias = Any

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
"""What may stand in braces: the names of variables and of a matrix's axes."""

_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def expand(text: str, values: Mapping[str, str]) -> str:
    """`text` with each `{name}` replaced, `{{` and `}}` made single; what is put in is not looked at again.

    Raises `Fault` for a name that `values` lacks and for a brace that has no partner.
    """
    if "{" not in text and "}" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        token, name = match.group(), match.group(1)
        if name is None:
            if len(token) == 1:
                raise Fault(f"a single `{token}` in {_shown(text)}", f"write `{token}{token}` for the brace")
            return token[0]
        if name not in values:
            hint = did_you_mean(name, values) or f"declare `{name}` under `[variables]`, or double the braces"
            raise Fault(f"unknown name `{token}` in {_shown(text)}", hint)
        return values[name]

    return _TOKEN.sub(replace, text)


def expand_all(value: Json, values: Mapping[str, str]) -> Json:
    """`value` with every string in it expanded, in arrays and tables too. Raises `Fault`."""
    return _expanded(value, values) if _has_braces(value) else value


def _has_braces(value: Json) -> bool:
    """Whether there is anything to do: of ten thousand assets, nearly all say no here."""
    if isinstance(value, str):
        return "{" in value or "}" in value
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return any(map(_has_braces, value))


def _expanded(value: Json, values: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        return expand(value, values)
    if isinstance(value, list):
        return [_expanded_at(index, item, values) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: _expanded_at(key, item, values) for key, item in value.items()}
    return value


def _expanded_at(key: str | int, item: Json, values: Mapping[str, str]) -> Json:
    with at(key):
        return _expanded(item, values)


def escape(text: str) -> str:
    """The text that `expand` turns into `text`."""
    return text.replace("{", "{{").replace("}", "}}")


def names(text: str) -> list[str]:
    """The names that `text` uses, in order, well-formed or not."""
    return [match.group(1) for match in _TOKEN.finditer(text) if match.group(1) is not None]


def _shown(text: str) -> str:
    limit = 60
    return f"`{text}`" if len(text) <= limit else f"`{text[:limit]}…`"
