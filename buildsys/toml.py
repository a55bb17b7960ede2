"""Values as TOML, in one canonical form; and back. Knows nothing of locks and manifests.

Floats have their shortest form, strings escape what a reviewer could not see, and a text of several
lines is written on several. What TOML can't carry, JSON does: `{ json = "null" }`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any, Final, TypeAlias

Json: TypeAlias = Any

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_UNSEEN: Final = (
    "\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f"
)
"""Controls, and characters that turn or hide text. A list, not `str.isprintable`, whose answer changes
with Python's Unicode version: the same lock would be written in two ways."""
_ESCAPED: Final = re.compile(f'[{_UNSEEN}\ud800-\udfff"\\\\]')
_ESCAPED_IN_LINES: Final = re.compile(f"[{_UNSEEN}\ud800-\udfff\\\\]")
_MARKER: Final = re.compile(r"^([<=>|])(?=\1{6})", re.MULTILINE)
"""The start of a line that git, or our reader, would take for the mark of a conflict."""
_LAST_SPACE: Final = re.compile(r" $", re.MULTILINE)
_SHORT: Final = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_INTEGERS: Final = range(-(2**63), 2**63)
_WIDTH: Final = 100
_JSON: Final = "json"
_DEEPEST: Final = 16
"""Lists and tables within each other; what lies deeper is JSON. TOML's reader gives up at some 80."""


def key(name: str) -> str:
    """`name` as a TOML key: bare where it may be. Raises `ValueError` for a lone surrogate."""
    return name if _BARE.fullmatch(name) else _string(name)


def line(name: str, value: Json) -> str:
    """`name = value`, without an end of line. `name` is TOML already. Raises `ValueError`."""
    if isinstance(value, str) and "\n" in value:
        return f"{name} = {_lines(value)}"
    if isinstance(value, list | tuple):
        return f"{name} = {_array(value)}"
    return f"{name} = {inline(value)}"


def dotted(name: str, table: Mapping[str, Json], room: int = _DEEPEST) -> Iterator[str]:
    """A line for each value in `table`, inner tables included, sorted: `name.key = value`."""
    for word, value in sorted(table.items()):
        path = f"{name}.{key(word)}"
        if room and isinstance(value, Mapping) and value and not _needs_json(value):
            yield from dotted(path, value, room - 1)
        else:
            yield line(path, value)


def rows(name: str, tables: Iterable[Mapping[str, Json]]) -> str:
    """`name` as a list of tables, one a line, their keys in the order given. Raises `ValueError`."""
    items = (", ".join(f"{key(word)} = {inline(value)}" for word, value in table.items()) for table in tables)
    return f"{name} = {_one_a_line(f'{{ {item} }}' for item in items)}"


def plain(value: Json) -> Json:
    """A value as TOML gave it, with what is wrapped as JSON unwrapped. Raises `ValueError`."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        if not isinstance(value, str | int | float | None):
            detail = f"holds the date {value}, which is nothing that a recipe can hold"
            raise ValueError(detail)  # noqa: TRY004 - what is wrong with a text, as above
        return value
    if len(value) == 1 and isinstance(text := value.get(_JSON), str):
        return json.loads(text, parse_constant=_refuse)
    return {word: plain(item) for word, item in value.items()}


def _refuse(constant: str) -> Json:
    detail = f"{constant} is not a number that a recipe can hold"
    raise ValueError(detail)


def _needs_json(value: Json) -> bool:
    if isinstance(value, Mapping):
        # A table that looks like our wrapping is wrapped itself, so that unwrapping gives it back.
        return value.keys() == {_JSON}
    return value is None or (isinstance(value, int) and value not in _INTEGERS)


def inline(value: Json, room: int = _DEEPEST) -> str:  # noqa: PLR0911 - a line for each type is the clearest form
    """`value` on one line, with `room` for lists and tables within each other. Raises `ValueError`."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if _needs_json(value) or (not room and isinstance(value, list | tuple | Mapping)):
        return f"{{ json = {_string(_as_json(value))} }}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not isfinite(value):
            detail = f"{value} is not a number that a recipe can hold"
            raise ValueError(detail)
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(item, room - 1) for item in value) + "]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key(word)} = {inline(item, room - 1)}" for word, item in sorted(value.items()))
        return f"{{ {inner} }}" if inner else "{}"
    detail = f"{value!r} is nothing that TOML can hold"
    raise ValueError(detail)


def _as_json(value: Json) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    except TypeError as error:
        detail = f"{str(value)[:80]} holds what JSON can't carry"
        raise ValueError(detail) from error


def _array(values: list[Json] | tuple[Json, ...]) -> str:
    """On one line where it is short; one item a line where it is long, or its items are tables."""
    items = [inline(item) for item in values]
    short = ", ".join(items)
    if len(short) <= _WIDTH and not any(isinstance(item, Mapping) for item in values):
        return f"[{short}]"
    return _one_a_line(items)


def _one_a_line(items: Iterable[str]) -> str:
    return "[\n" + "".join(f"  {item},\n" for item in items) + "]"


def _string(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _lines(text: str) -> str:
    parts = (_ESCAPED_IN_LINES.sub(_escape, part) for part in text.removesuffix('"').split("\n"))
    body = "\n".join(parts).replace('""', '"\\"')
    body = _MARKER.sub(lambda match: f"\\u{ord(match[0]):04X}", body)
    body = _LAST_SPACE.sub(r"\\u0020", body)  # an editor would take it away
    last = '\\"' if text.endswith('"') else ""
    return f'"""\n{body}{last}"""'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code in range(0xD800, 0xE000):
        detail = f"a lone surrogate (U+{code:04X}) is not a character"
        raise ValueError(detail)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004 - TOML's two forms
