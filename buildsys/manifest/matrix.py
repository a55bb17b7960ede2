"""Declarations into assets: one each, or with a matrix one per combination of its axes' values.

Knows nothing of what an asset holds.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest import names, profiles, template
from buildsys.manifest.combinations import EXCLUDE, INCLUDE, Combination, combine, entries
from buildsys.manifest.model import AssetName, Location
from buildsys.manifest.source import Fault, at
from buildsys.manifest.template import Value

Json: TypeAlias = Any

MOST: Final = 10_000
"""Assets of one matrix. A slip of one digit must not fill the memory."""


class Declared(msgspec.Struct, frozen=True):
    """One asset as written, under its own name: what its matrix put in is in `values`."""

    name: AssetName
    table: Mapping[str, Json]
    """Its keys, with those that its profile puts in their place."""
    values: Mapping[str, Value]
    """Variables, and the matrix's values, by name."""
    location: Location
    axes: Mapping[str, str] = {}
    """The values of the matrix's axes alone."""
    over: Mapping[str, Json] = {}
    """What its profile puts over its own keys; of these, `parameters` are not in `table`."""


def expand(
    name: str,
    table: Mapping[str, Json],
    variables: Mapping[str, Value],
    location: Location,
    profile: str,
) -> Iterator[Declared]:
    """The assets that the declaration `name` stands for in `profile`. Raises `Fault`."""
    own, over = profiles.overlaid(table, profile)
    if "matrix" not in table:
        yield Declared(_named(name, variables, whole=False), own, variables, location, {}, over)
        return
    for item in _combinations(name, table, variables):
        values = {**variables, **item.chosen, **item.added}
        yield Declared(_named(name, values, whole=True), own, values, location, item.chosen, over)


def _named(name: str, values: Mapping[str, Value], *, whole: bool) -> AssetName:
    """`whole`: the asset has a matrix, so that another name in braces is no axis that is still to come."""
    try:
        made = template.expand(name, values)
    except Fault as fault:
        strange = [used for used in template.names(name) if used not in values]
        lost = strange and not whole and not did_you_mean(strange[0], values)
        hint = "give the asset a `matrix` with this axis" if lost else fault.hint
        raise Fault(fault.fact, hint, at_key=True) from None
    names.check_name(made)
    return AssetName(made)


def _combinations(name: str, table: Mapping[str, Json], taken: Collection[str]) -> list[Combination]:
    """Each combination, as texts to put into the asset called `name`.

    `taken`: names of variables. Raises `Fault`.
    """
    matrix: Mapping[str, Json] = table["matrix"]
    axes = {axis: items for axis, items in matrix.items() if axis not in (EXCLUDE, INCLUDE)}
    used = template.names(name)
    for axis in axes:
        with at("matrix"):
            _check_word(axis, "axis", taken, (axis,))
        if axis not in used:
            hint = f"put `{{{axis}}}` into the name"
            raise Fault(f"the name `{name}` lacks the axis `{axis}`, so its assets would share it", hint)
    with at("matrix"):
        if not axes:
            raise Fault(f"the matrix of `{name}` has no axis", 'add one: `color = ["red", "green"]`')
        for axis, items in axes.items():
            _check_items(axis, items)
        count = math.prod(len(items) for items in axes.values())
        if count > MOST:
            raise Fault(f"the matrix of `{name}` makes {count} assets", f"make at most {MOST}")
        added = entries(matrix, INCLUDE)
        if added:
            _check_added(name, table, added, axes, taken)
        return combine(axes, entries(matrix, EXCLUDE), added)


def _check_word(word: str, what: str, taken: Collection[str], path: tuple[str | int, ...]) -> None:
    """Raise `Fault` unless `word` can stand in braces, and means nothing else there."""
    if not template.NAME.fullmatch(word) or word == "prompt":
        article = "an" if what == "axis" else "a"
        hint = "use letters, digits, `_` and `-`; `prompt` is the styles' own"
        raise Fault(f"`{word}` can't name {article} {what}", hint, path, at_key=True)
    if word in taken:
        raise Fault(
            f"the {what} `{word}` has the name of a variable", "rename one of them", path, at_key=True
        )


def _check_items(axis: str, items: Sequence[str | int]) -> None:
    seen: set[str] = set()
    for index, item in enumerate(map(str, items)):
        if item in seen:
            raise Fault(f"the axis `{axis}` has `{item}` twice", "remove one of them", (axis, index))
        seen.add(item)


def _check_added(
    name: str,
    table: Mapping[str, Json],
    added: Sequence[Mapping[str, str]],
    axes: Collection[str],
    taken: Collection[str],
) -> None:
    """Find the typo in `include`: a misspelled axis there would be a value that nobody reads."""
    used = {*template.names(name)}
    used.update(word for key, value in table.items() if key != "matrix" for word in _used(value))
    for number, entry in enumerate(added):
        for word in entry:
            if word in axes:
                continue
            path = (INCLUDE, number, word)
            _check_word(word, "value", taken, path)
            if word not in used:
                hint = did_you_mean(word, [*axes, *used]) or f"write `{{{word}}}` where it belongs"
                raise Fault(f"nothing in the asset uses `{word}`", hint, path, at_key=True)


def _used(value: Json) -> Iterator[str]:
    """The names in braces in every text of `value`."""
    if isinstance(value, str):
        yield from template.names(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _used(item)
    elif isinstance(value, list):
        for item in value:
            yield from _used(item)
