"""One value held against the parameter that a card declares.

Knows nothing of engines, styles or assets. What comes back is the one spelling of a value that enters
a recipe: a whole number for a `number` is a float, a colour is in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest.bundle import Bundle
from buildsys.manifest.kinds import is_integer, is_number, is_size, written
from buildsys.manifest.model import Parameter
from buildsys.manifest.names import check_path
from buildsys.manifest.source import Fault, at

Json: TypeAlias = Any

_COLOR: Final = re.compile(r"#(?:[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})")
_INPUT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
"""Names in a table of files: without a dot, which stands between the parameter and the name."""

FILES: Final = ("file", "files")
"""Types whose values are inputs: not they enter a recipe, but the digests of their bytes."""

_UNITS: Final = {"kB": 10**3, "MB": 10**6, "KiB": 2**10, "MiB": 2**20}
_LENGTH: Final = re.compile(rf"([0-9]{{1,9}}) ?({'|'.join(_UNITS)})")


class _Type(NamedTuple):
    words: str
    example: str
    accepts: Callable[[Json], bool]
    settle: Callable[[Json], Json]
    """The value in its one spelling."""


def _same(value: Json) -> Json:
    return value


def _is_file(value: Json) -> bool:
    if isinstance(value, dict):
        return list(value) == ["asset"] and isinstance(value["asset"], str)
    return isinstance(value, str)


def _is_files(value: Json) -> bool:
    return isinstance(value, dict) and all(map(_is_file, value.values()))


def _is_json(value: Json) -> bool:
    """Whether JSON can carry `value`: TOML's dates and its `nan` have no word there."""
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return isinstance(value, str | bool) or is_integer(value) or is_number(value)


def _is_list(accepts: Callable[[Json], bool]) -> Callable[[Json], bool]:
    return lambda value: isinstance(value, list) and all(map(accepts, value))


def _is_string(value: Json) -> bool:
    return isinstance(value, str)


def _is_color(value: Json) -> bool:
    return isinstance(value, str) and _COLOR.fullmatch(value) is not None


def _is_length(value: Json) -> bool:
    return is_integer(value) or (isinstance(value, str) and _LENGTH.fullmatch(value) is not None)


def _length(value: Json) -> Json:
    found = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) * _UNITS[found[2]] if found else value


TYPES: Final[Mapping[str, _Type]] = {
    "string": _Type("a string", '"…"', _is_string, _same),
    "integer": _Type("an integer", "1", is_integer, _same),
    "number": _Type("a number", "0.5", is_number, float),
    "bytes": _Type("a number of bytes, or a size such as `200 kB`", '"200 kB"', _is_length, _length),
    "boolean": _Type("`true` or `false`", "true", lambda value: isinstance(value, bool), _same),
    "color": _Type("a colour, `#rrggbb` or `#rrggbbaa`", '"#ffcc00"', _is_color, str.lower),
    "file": _Type('a path, or `{ asset = "NAME" }`', '"fonts/title.ttf"', _is_file, _same),
    "files": _Type(
        'a table from names to paths, or to `{ asset = "NAME" }`',
        '{ pose = "art/pose.png" }',
        _is_files,
        _same,
    ),
    "size": _Type("a width and a height in pixels", "[64, 64]", is_size, _same),
    "numbers": _Type(
        "an array of numbers",
        "[0.0, 1.0]",
        _is_list(is_number),
        lambda value: [float(item) for item in value],
    ),
    "strings": _Type("an array of strings", '["…"]', _is_list(_is_string), _same),
    "table": _Type(
        "a table of strings, numbers, booleans, arrays and tables",
        "{}",
        lambda value: isinstance(value, dict) and _is_json(value),
        _same,
    ),
}
"""The types that a card may name."""


def fits(parameter: Parameter, value: Json) -> bool:
    """Whether `value` is of the type that `parameter` has."""
    return TYPES[parameter.type].accepts(value)


def settle(parameter: Parameter, value: Json, bundle: Bundle | None = None) -> Json:
    """`value` in the spelling that enters a recipe. Raises `Fault` where the card does not allow it.

    `bundle`: what a bundled file must be in; None where a card is read, before there are engines.
    """
    kind = TYPES[parameter.type]
    if not kind.accepts(value):
        fact = f"`{parameter.name}` must be {kind.words}, not {written(value)}"
        raise Fault(fact, f"write it like `{parameter.name} = {kind.example}`")
    settled = kind.settle(value)
    if parameter.choices and settled not in parameter.choices:
        listed = _listed(parameter.choices)
        hint = did_you_mean(str(settled), parameter.choices) or f"use one of {listed}"
        raise Fault(f"`{parameter.name}` can't be {written(value)}", hint)
    for item in settled if isinstance(settled, list) else [settled]:
        _check_bounds(parameter, item)
    if parameter.type == "file":
        _check_file(parameter, settled, bundle)
    elif parameter.type == "files":
        _check_number(parameter, len(settled))
        _check_files(parameter, settled, bundle)
    return settled


def _check_file(parameter: Parameter, value: Json, bundle: Bundle | None) -> None:
    if not isinstance(value, str):
        return
    check_path(value)
    if bundle is not None:
        bundle.check(parameter, value)


def _check_files(parameter: Parameter, table: Mapping[str, Json], bundle: Bundle | None) -> None:
    for name, value in table.items():
        if not _INPUT.fullmatch(name):
            hint = "use letters, digits, `_` and `-`, and a letter first"
            raise Fault(f"`{name}` can't name an input", hint, (name,), at_key=True)
        with at(name):
            _check_file(msgspec.structs.replace(parameter, name=f"{parameter.name}.{name}"), value, bundle)


def _check_number(parameter: Parameter, files: int) -> None:
    if parameter.maximum is not None and files > parameter.maximum:
        fact = f"`{parameter.name}` has {files} files, more than {parameter.maximum:g}"
        raise Fault(fact, "leave some out")


def _check_bounds(parameter: Parameter, value: Json) -> None:
    if isinstance(value, str | bool | dict):
        return
    low, high = parameter.minimum, parameter.maximum
    if low is not None and value < low:
        raise Fault(f"`{parameter.name}` is {value:g}, less than {low:g}", f"use {low:g} or more")
    if high is not None and value > high:
        raise Fault(f"`{parameter.name}` is {value:g}, more than {high:g}", f"use {high:g} or less")


def unknown(name: str, known: Mapping[str, Parameter], whose: str) -> Fault:
    """The fault of a parameter that `whose` card does not declare."""
    hint = did_you_mean(name, known)
    if not hint:
        hint = f"{whose} takes {_listed(known)}" if known else f"remove it: {whose} takes no parameters"
    return Fault(f"{whose} has no parameter `{name}`", hint, (name,), at_key=True)


def _listed(items: Iterable[Json]) -> str:
    return ", ".join(f"`{item}`" for item in items)
