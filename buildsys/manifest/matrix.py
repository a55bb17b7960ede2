"""Declarations into assets: one each, or with a matrix one per combination of its axes' values.

Knows nothing of what an asset holds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.manifest import names, template
from buildsys.manifest.model import AssetName, Location
from buildsys.manifest.source import Fault
from buildsys.manifest.template import Value

Json: TypeAlias = Any

MOST: Final = 10_000
"""Assets of one matrix. A slip of one digit must not fill the memory."""


class Declared(msgspec.Struct, frozen=True):
    """One asset as written, under its own name: what its matrix put in is in `values`."""

    name: AssetName
    table: Mapping[str, Json]
    values: Mapping[str, Value]
    """Variables, and the matrix's values, by name."""
    location: Location
    axes: Mapping[str, str] = {}
    """The matrix's values alone."""


def expand(
    name: str, table: Mapping[str, Json], variables: Mapping[str, Value], location: Location
) -> Iterator[Declared]:
    """The assets that the declaration `name` stands for. Raises `Fault`."""
    axes = table.get("matrix")
    if axes is None:
        yield Declared(_named(name, {}), table, variables, location)
        return
    for chosen in _combinations(name, axes, variables):
        yield Declared(_named(name, chosen), table, {**variables, **chosen}, location, chosen)


def _named(name: str, chosen: Mapping[str, str]) -> AssetName:
    try:
        made = template.expand(name, chosen)
    except Fault as fault:
        hint = (
            fault.hint if chosen or template.OPENING in name else "give the asset a `matrix` with this axis"
        )
        raise Fault(fault.fact, hint, at_key=True) from None
    names.check_name(made)
    return AssetName(made)


def _combinations(
    name: str, axes: Mapping[str, Sequence[str | int]], taken: Collection[str]
) -> Iterator[dict[str, str]]:
    """Each combination of `axes`, the last axis fastest, as texts to put into the asset called `name`.

    `taken`: names of variables. Raises `Fault`.
    """
    used = template.names(name)
    for axis, items in axes.items():
        _check(name, axis, items, used=axis in used, taken=axis in taken)
    count = math.prod(len(items) for items in axes.values())
    if count > MOST:
        raise Fault(f"the matrix of `{name}` makes {count} assets", f"make at most {MOST}", ("matrix",))
    for values in itertools.product(*axes.values()):
        yield dict(zip(axes, map(str, values), strict=True))


def _check(name: str, axis: str, items: Sequence[str | int], *, used: bool, taken: bool) -> None:
    path = ("matrix", axis)
    if not template.NAME.fullmatch(axis) or axis == "prompt":
        hint = "use letters, digits, `_` and `-`; `prompt` is the styles' own"
        raise Fault(f"`{axis}` can't name an axis", hint, path, at_key=True)
    if taken:
        raise Fault(f"the axis `{axis}` has the name of a variable", "rename one of them", path, at_key=True)
    if not used:
        hint = f"put `{{{axis}}}` into the name"
        raise Fault(f"the name `{name}` lacks the axis `{axis}`, so its assets would share it", hint)
    seen: set[str] = set()
    for index, item in enumerate(map(str, items)):
        if item in seen:
            raise Fault(f"the axis `{axis}` has `{item}` twice", "remove one of them", (*path, index))
        seen.add(item)
