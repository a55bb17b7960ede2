"""The kinds of value that a manifest holds: how each is checked, named in a message, and put in a schema.

Knows nothing of which key wants which kind.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.manifest.formats import ATLASES, PICTURES
from buildsys.manifest.names import WORD

Json: TypeAlias = Any

_BEYOND: Final = 2**63
"""TOML promises to carry the integers below."""

BIGGEST_SEED: Final = _BEYOND - 1

BIGGEST_SIDE: Final = 16384

BIGGEST_SCALE: Final = 16


class Kind(msgspec.Struct, frozen=True):
    """A kind of value."""

    words: str
    """As a message says it: `an integer`."""
    example: str
    """As a hint shows it, in TOML."""
    accepts: Callable[[Json], bool]
    schema: Mapping[str, Json]
    """As JSON Schema says it."""


def written(value: Json) -> str:
    """`value` as a message shows it: in backticks, much as the manifest has it, cut where it is long."""
    limit = 60
    text = _toml(value)
    return f"`{text}`" if len(text) <= limit else f"`{text[:limit]}…`"


def _toml(value: Json) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return str(value)


def is_integer(value: Json) -> bool:
    """Whether `value` is an integer of 64 bits; a boolean is one to Python, but not to TOML."""
    return isinstance(value, int) and not isinstance(value, bool) and -_BEYOND <= value < _BEYOND


def is_number(value: Json) -> bool:
    """Whether `value` is a finite number; a recipe has no word for `nan` and `inf`."""
    return is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def is_word(value: Json) -> bool:
    """Whether `value` can name an engine, a style, a role or a profile."""
    return isinstance(value, str) and WORD.fullmatch(value) is not None


def is_size(value: Json) -> bool:
    """Whether `value` is a width and a height in pixels."""
    return (
        isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004 - width and height
        and all(is_integer(side) and 1 <= side <= BIGGEST_SIDE for side in value)
    )


def _is_string(value: Json) -> bool:
    return isinstance(value, str)


def _is_line(value: Json) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _is_date(value: Json) -> bool:
    if isinstance(value, str):
        try:
            dt.date.fromisoformat(value)
        except ValueError:
            return False
        return True
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def iso(value: Json) -> str:
    """A `DATE` in the one spelling that sorts; TOML has dates of its own, and people quote them as well."""
    return (value if isinstance(value, dt.date) else dt.date.fromisoformat(value)).isoformat()


def _list_of(accepts: Callable[[Json], bool]) -> Callable[[Json], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(accepts(item) for item in value)


def _table_of(accepts: Callable[[Json], bool]) -> Callable[[Json], bool]:
    return lambda value: isinstance(value, dict) and bool(value) and all(map(accepts, value.values()))


def _each_once(accepts: Callable[[Json], bool]) -> Callable[[Json], bool]:
    listed = _list_of(accepts)
    return lambda value: listed(value) and len(set(value)) == len(value)


def is_scales(value: Json) -> bool:
    """Whether `value` is a list of scales."""
    return _each_once(lambda item: is_integer(item) and 1 <= item <= BIGGEST_SCALE)(value)


def _is_matrix(value: Json) -> bool:
    # `exclude` and `include` hold combinations of the axes, and are judged with these.
    axis = _list_of(lambda item: is_integer(item) or _is_string(item))
    return (
        isinstance(value, dict)
        and bool(value)
        and all(name in ("exclude", "include") or axis(items) for name, items in value.items())
    )


def _is_steps(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and len(item) == 1 for item in value)


def _table_schema(values: Mapping[str, Json]) -> dict[str, Json]:
    return {"type": "object", "additionalProperties": values, "minProperties": 1}


_WORD_SCHEMA: Final = {"type": "string", "pattern": f"^{WORD.pattern}$"}
_SIDE: Final = {"type": "integer", "minimum": 1, "maximum": BIGGEST_SIDE}
_SIZE_SCHEMA: Final = {"type": "array", "items": _SIDE, "minItems": 2, "maxItems": 2}
_SCALES_SCHEMA: Final = {
    "type": "array",
    "items": {"type": "integer", "minimum": 1, "maximum": BIGGEST_SCALE},
    "minItems": 1,
    "uniqueItems": True,
}
_SCALES_TABLE: Final = {
    "type": "object",
    "properties": {"of": _SCALES_SCHEMA, "filter": {"enum": ["area", "nearest"]}},
    "required": ["of"],
    "additionalProperties": False,
}
_AXIS_VALUE: Final = {"type": ["string", "integer"]}
_COMBINATIONS_SCHEMA: Final = {
    "type": "array",
    "items": {"type": "object", "additionalProperties": _AXIS_VALUE, "minProperties": 1},
    "minItems": 1,
}

STRING: Final = Kind("a string", '"cold rim light"', _is_string, {"type": "string"})
LINE: Final = Kind("a line of text", '"moonlit-keep"', _is_line, {"type": "string", "pattern": "\\S"})
WORD_KIND: Final = Kind("a name of letters, digits, `_`, `-` and `.`", '"final"', is_word, _WORD_SCHEMA)
WORDS: Final = Kind(
    "a non-empty array of names",
    '["final"]',
    _list_of(is_word),
    {"type": "array", "items": _WORD_SCHEMA, "minItems": 1},
)
WORD_OR_WORDS: Final = Kind(
    "a name, or an array of names",
    '"keep"',
    lambda value: is_word(value) or WORDS.accepts(value),
    {"anyOf": [WORD_KIND.schema, WORDS.schema]},
)
STRINGS: Final = Kind(
    "a non-empty array of strings",
    '["assets/*.toml"]',
    _list_of(_is_string),
    {"type": "array", "items": STRING.schema, "minItems": 1},
)
DEVICES: Final = Kind(
    "a non-empty array of devices",
    '["cuda:0", "cuda:1"]',
    _list_of(_is_line),
    {"type": "array", "items": {"type": "string", "pattern": "\\S"}, "minItems": 1, "uniqueItems": True},
)
DATE: Final = Kind("a date", '"2026-08-31"', _is_date, {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"})
SEED: Final = Kind(
    f"an integer from 0 to {BIGGEST_SEED}",
    "12345",
    lambda value: is_integer(value) and 0 <= value <= BIGGEST_SEED,
    {"type": "integer", "minimum": 0, "maximum": BIGGEST_SEED},
)
BOOLEAN: Final = Kind(
    "`true` or `false`", "false", lambda value: isinstance(value, bool), {"type": "boolean"}
)
TABLE: Final = Kind("a table", "{}", lambda value: isinstance(value, dict), {"type": "object"})
TABLES: Final = Kind(
    "a table of tables, each under a name",
    "{ final = { size = [1024, 1024] } }",
    _table_of(lambda value: isinstance(value, dict)),
    {"type": "object", "propertyNames": _WORD_SCHEMA, "minProperties": 1},
)
TEXT: Final = Kind(
    "a string, or a table from engine to string",
    '"moon knight"',
    lambda value: _is_string(value) or _table_of(_is_string)(value),
    {"anyOf": [STRING.schema, _table_schema(STRING.schema)]},
)
SIZE: Final = Kind(
    f"a width and a height from 1 to {BIGGEST_SIDE}, or a table from engine to such a pair",
    "[512, 512]",
    lambda value: is_size(value) or _table_of(is_size)(value),
    {"anyOf": [_SIZE_SCHEMA, _table_schema(_SIZE_SCHEMA)]},
)
ROLE: Final = Kind(
    "the name of an engine, or a table from profile to engine",
    '"stock"',
    lambda value: is_word(value) or (_table_of(is_word)(value) and all(map(is_word, value))),
    {"anyOf": [_WORD_SCHEMA, {**_table_schema(_WORD_SCHEMA), "propertyNames": _WORD_SCHEMA}]},
)
STEPS: Final = Kind(
    "an array of tables with one key each",
    "[{ trim = {} }]",
    _is_steps,
    {"type": "array", "items": {"type": "object", "minProperties": 1, "maxProperties": 1}},
)
FORMATS: Final = Kind(
    "a non-empty array of `png` and `webp`, or of an atlas of `texturepacker`, `godot`, `unity` and `css`, "
    "each once",
    '["png", "webp"]',
    lambda value: any(_each_once((*known,).__contains__)(value) for known in (PICTURES, ATLASES)),
    {
        "type": "array",
        "anyOf": [{"items": {"enum": [*known]}} for known in (PICTURES, ATLASES)],
        "minItems": 1,
        "uniqueItems": True,
    },
)
SCALES: Final = Kind(
    f"an array of different integers from 1 to {BIGGEST_SCALE}, or a table that has it as `of`",
    "[1, 2, 4]",
    # What stands in the table is judged with the asset, key by key.
    lambda value: isinstance(value, dict) or is_scales(value),
    {"anyOf": [_SCALES_SCHEMA, _SCALES_TABLE]},
)
MATRIX: Final = Kind(
    "a table from axis to a non-empty array of strings or integers",
    '{ color = ["red", "green"] }',
    _is_matrix,
    {
        "type": "object",
        "minProperties": 1,
        "properties": dict.fromkeys(("exclude", "include"), _COMBINATIONS_SCHEMA),
        "additionalProperties": {"type": "array", "minItems": 1, "items": _AXIS_VALUE},
    },
)


def choice(*words: str) -> Kind:
    """One of `words`."""
    shown = " or ".join(f"`{word}`" for word in words)
    known: Sequence[str] = words
    return Kind(
        shown, f'"{words[0]}"', lambda value: isinstance(value, str) and value in known, {"enum": list(words)}
    )


def integer(low: int, high: int, example: int) -> Kind:
    """An integer within bounds."""
    return Kind(
        f"an integer from {low} to {high}",
        str(example),
        lambda value: is_integer(value) and low <= value <= high,
        {"type": "integer", "minimum": low, "maximum": high},
    )


def number(low: float, high: float, example: float) -> Kind:
    """A number within bounds."""
    return Kind(
        f"a number from {low:g} to {high:g}",
        f"{example:g}",
        lambda value: is_number(value) and low <= value <= high,
        {"type": "number", "minimum": low, "maximum": high},
    )
