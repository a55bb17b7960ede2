"""The limits of an engine: which there are, how each is written, and how a table of them changes others.

Knows nothing of who keeps to them. A limit says how much an engine may use, never what it makes, so none
enters a recipe.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest import kinds
from buildsys.manifest.allowance import Limits
from buildsys.manifest.kinds import Kind, written
from buildsys.manifest.source import Fault, at
from engines.protocol import ErrorKind

Json: TypeAlias = Any

TRIED_AGAIN: Final = (
    ErrorKind.TRANSIENT,
    ErrorKind.RATE_LIMITED,
    ErrorKind.OUT_OF_MEMORY,
    ErrorKind.INTERNAL,
)
"""Kinds of error that may go well the next time; a number of tries for any other would be a lie."""

LEAST_MEMORY: Final = 64 * 10**6
"""Bytes. An interpreter alone takes most of it; less is a slip of the unit."""

LEAST_SHARE: Final = 0.01
"""Of the device's memory. Less holds no model: a percent of 6 GB is less than an interpreter alone takes."""

_UNITS: Final = {
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SIZE: Final = re.compile(rf"([0-9]{{1,9}}(?:\.[0-9]{{1,3}})?) ?({'|'.join(_UNITS)})")


def _bytes(value: str) -> float:
    """How many bytes `value` says; 0 where it is no size."""
    found = _SIZE.fullmatch(value)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def _is_memory(value: Json) -> bool:
    if isinstance(value, str):
        return _bytes(value) >= LEAST_MEMORY
    return kinds.is_number(value) and (value == 0 or LEAST_SHARE <= value <= 1)


_TRIES: Final = kinds.integer(1, 20, 3)
_SECONDS: Final = kinds.number(0.1, 86_400, 120)
_MEMORY: Final = Kind(
    "a size of 64 MB or more, a share from 0.01 to 1, or 0",
    '"6 GB"',
    _is_memory,
    {
        "anyOf": [
            {"type": "string", "pattern": f"^{_SIZE.pattern}$"},
            {"type": "number", "minimum": LEAST_SHARE, "maximum": 1},
            {"const": 0},
        ]
    },
)
KEYS: Final[Mapping[str, tuple[Kind, str]]] = {
    "concurrent": (
        kinds.integer(0, 1000, 4),
        "Requests under way at once, each in a process of its own; 0: as many as jobs.",
    ),
    "per_minute": (kinds.integer(0, 100_000, 30), "Requests begun in any 60 seconds; 0: no limit."),
    "load_seconds": (_SECONDS, "How long it may take to load."),
    "render_seconds": (_SECONDS, "How long a request may go without a sign of progress."),
    "memory": (
        _MEMORY,
        "What a process may take of main memory, on a GPU of the device's: a size, or a share; 0: no limit.",
    ),
    "tries": (
        Kind("a table", "{ transient = 3 }", kinds.TABLE.accepts, kinds.TABLE.schema),
        "How often a request is tried in all, by the kind of its error.",
    ),
}
"""Each limit: its kind, and what it says."""


def schema() -> dict[str, Json]:
    """A table of limits as JSON Schema says it."""
    tries = {
        "type": "object",
        "additionalProperties": False,
        "properties": {kind.value: dict(_TRIES.schema) for kind in TRIED_AGAIN},
    }
    properties = {name: {"description": doc, **kind.schema} for name, (kind, doc) in KEYS.items()}
    properties["tries"].update(tries)
    return {"type": "object", "additionalProperties": False, "properties": properties}


def merged(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """Two tables of limits as one, `new` before `old`; `tries` kind by kind. Neither is checked yet."""
    both = {**old, **new}
    if isinstance(old.get("tries"), Mapping) and isinstance(new.get("tries"), Mapping):
        both["tries"] = {**old["tries"], **new["tries"]}
    return both


def settle(limits: Limits, table: Json) -> Limits:
    """`limits` changed by what `table` says. Raises `Fault`, with its path from `table`."""
    if not isinstance(table, Mapping):
        raise Fault(
            f"`limits` must be a table, not {written(table)}", "write `[limits]` on a line of its own"
        )
    changed: dict[str, Json] = {}
    for name, value in table.items():
        if name not in KEYS:
            listed = ", ".join(f"`{key}`" for key in KEYS)
            hint = did_you_mean(name, KEYS) or f"use one of {listed}"
            raise Fault(f"unknown limit `{name}`", hint, (name,), at_key=True)
        _check(name, KEYS[name][0], value)
        if name == "tries":
            with at("tries"):
                changed[name] = {**limits.tries, **_tries(value)}
        else:
            changed[name] = _settled(name, value)
    return msgspec.structs.replace(limits, **changed)


def _check(name: str, kind: Kind, value: Json) -> None:
    if not kind.accepts(value):
        hint = f"write it like `{name} = {kind.example}`"
        raise Fault(f"`{name}` must be {kind.words}, not {written(value)}", hint, (name,))


def _settled(name: str, value: Json) -> int | float:
    if name == "memory":
        return _bytes(value) if isinstance(value, str) else float(value)
    return float(value) if name.endswith("_seconds") else int(value)


def _tries(table: Mapping[str, Json]) -> dict[ErrorKind, int]:
    for name, value in table.items():
        if name not in TRIED_AGAIN:
            hint = did_you_mean(name, TRIED_AGAIN)
            hint = hint or f"use one of {', '.join(f'`{kind}`' for kind in TRIED_AGAIN)}"
            fact = f"unknown kind of error `{name}`"
            if name in [kind.value for kind in ErrorKind]:
                fact = f"a request that failed as `{name}` is never tried again"
            raise Fault(fact, hint, (name,), at_key=True)
        _check(name, _TRIES, value)
    return {ErrorKind(name): value for name, value in table.items()}
