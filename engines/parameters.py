"""An adapter's own check of what it is asked: the values of a request against its card.

The builder checked them already; an adapter checks again, because what it is told may come from a lock,
from another version, or from a test. Knows nothing of any one adapter.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from engines.protocol import EngineError, ErrorKind, Json

Color: TypeAlias = tuple[int, int, int, int]
"""Red, green, blue, alpha: 0 to 255."""

BUNDLED: Final = "bundled:"
_HOME: Final = Path(__file__).resolve().parent
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter as the card declares it."""

    name: str
    type: str
    doc: str = ""
    default: Json = None
    required: bool = False
    choices: tuple[Json, ...] = ()
    minimum: float = -math.inf
    maximum: float = math.inf
    """Of `files`, how many there may be at most."""
    needs: tuple[str, ...] = ()
    """Other parameters that it says nothing without."""


def declared(table: Mapping[str, Mapping[str, Json]]) -> dict[str, Parameter]:
    """The parameters in a card's `[parameters]` table."""
    return {
        name: Parameter(
            name=name, **{**body, **{key: tuple(body.get(key, ())) for key in ("choices", "needs")}}
        )
        for name, body in table.items()
    }


def card(folder: Path) -> dict[str, Json]:
    """The `adapter.toml` in `folder`."""
    return tomllib.loads((folder / "adapter.toml").read_text(encoding="utf-8"))


def bad(message: str, hint: str = "") -> EngineError:
    """The error of a request that can't work as it stands."""
    return EngineError(ErrorKind.BAD_REQUEST, message, hint=hint)


def unknown(what: str, name: str, known: Iterable[str]) -> EngineError:
    """The error for a name that is none of `known`; the hint is the nearest one."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"use one of {listed(names)}"
    return bad(f"{what} `{name}` is unknown", hint)


def listed(names: Iterable[Json]) -> str:
    """`a`, `b`, `c`."""
    return ", ".join(f"`{name}`" for name in names)


def checked(
    parameters: Mapping[str, Parameter], values: Mapping[str, Json], files: Mapping[str, str], where: str = ""
) -> dict[str, Any]:
    """A value for every declared parameter, None where it has none; colours as `Color`, lists as tuples.

    `files` holds the paths of those of type `file`, and under `PARAMETER.NAME` those of type `files`;
    `bundled:PATH` is a file of this package. Raises `EngineError` (`bad_request`) with `where` in front of
    the first thing wrong.
    """
    single, tables = _apart(parameters, files)
    for name in [*values, *single]:
        if name not in parameters or (name in single and parameters[name].type != "file"):
            raise unknown(f"{where}parameter", name, parameters)
    sources: dict[str, Mapping[str, Json]] = {"file": single, "files": tables}
    result: dict[str, Any] = {}
    for name, parameter in parameters.items():
        given = sources.get(parameter.type, values).get(name, parameter.default)
        if given is None and parameter.required:
            raise bad(f"{where}`{name}` is missing")
        result[name] = None if given is None else _value(parameter, given, where)
    for name, value in result.items():
        for other in parameters[name].needs:
            if value is not None and result.get(other) is None:
                hint = f"set `{other}` too, or leave `{name}` out"
                raise bad(f"{where}`{name}` is given without `{other}`", hint)
    return result


def _apart(
    parameters: Mapping[str, Parameter], files: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """`files` without those in tables, and the tables, by the parameters of type `files`."""
    single: dict[str, str] = {}
    tables: dict[str, dict[str, str]] = {}
    for key, path in files.items():
        name, dot, inner = key.partition(".")
        if dot and name in parameters and parameters[name].type == "files":
            tables.setdefault(name, {})[inner] = path
        else:
            single[key] = path
    return single, tables


def _value(parameter: Parameter, given: Json, where: str) -> Any:  # noqa: ANN401 - what the type says
    check, expected = _TYPES[parameter.type]
    try:
        value = check(given)
    except (TypeError, ValueError) as error:
        raise bad(f"{where}`{parameter.name}` is `{given}`, not {expected}") from error
    if parameter.choices and value not in parameter.choices:
        known = [str(choice) for choice in parameter.choices]
        raise unknown(f"{where}`{parameter.name}`", str(value), known)
    for number in _numbers_in(value, parameter.type):
        if not parameter.minimum <= number <= parameter.maximum:
            low, high = f"{parameter.minimum:g}", f"{parameter.maximum:g}"
            if parameter.type == "files":
                raise bad(f"{where}`{parameter.name}` has {number} files, more than {high}", "leave some out")
            raise bad(f"{where}`{parameter.name}` is `{given}`, not within {low} to {high}")
    return value


def _numbers_in(value: Any, kind: str) -> tuple[float, ...]:  # noqa: ANN401 - any checked value
    if kind in {"integer", "number", "bytes"}:
        return (value,)
    if kind == "files":
        return (len(value),)
    return tuple(value) if kind in {"size", "numbers"} else ()


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _boolean(value: Json) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError
    return value


def _integer(value: Json) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError
    return int(number)


def color(value: Json) -> Color:
    """`#rrggbb` or `#rrggbbaa`. Raises `TypeError` or `ValueError` for anything else."""
    if not _COLOR.fullmatch(_text(value)):
        raise ValueError
    red, green, blue, alpha = bytes.fromhex(value[1:].ljust(8, "f"))
    return red, green, blue, alpha


def _size(value: Json) -> tuple[int, int]:
    width, height = (_integer(item) for item in value)
    return width, height


def _numbers(value: Json) -> tuple[float, ...]:
    return tuple(_number(item) for item in value)


def _strings(value: Json) -> tuple[str, ...]:
    if isinstance(value, str):
        raise TypeError
    return tuple(_text(item) for item in value)


def _file(value: Json) -> str:
    path = _text(value)
    return str(_HOME / path.removeprefix(BUNDLED)) if path.startswith(BUNDLED) else path


def _files(value: Json) -> dict[str, str]:
    return {name: _file(path) for name, path in _table(value).items()}


def _table(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError
    return value


_TYPES: Final[dict[str, tuple[Callable[[Json], Any], str]]] = {
    "string": (_text, "a string"),
    "integer": (_integer, "a whole number"),
    "number": (_number, "a number"),
    "bytes": (_integer, "a number of bytes"),
    "boolean": (_boolean, "true or false"),
    "color": (color, "a colour such as `#20304f` or `#20304f80`"),
    "file": (_file, "a file"),
    "files": (_files, "a table of files"),
    "size": (_size, "a width and a height"),
    "numbers": (_numbers, "a list of numbers"),
    "strings": (_strings, "a list of strings"),
    "table": (_table, "a table"),
}
