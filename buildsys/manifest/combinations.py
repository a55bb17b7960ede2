"""Combinations of a matrix's values: all there are, less those excluded, with what `include` adds.

Knows nothing of the assets that are made of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest.kinds import is_integer, written
from buildsys.manifest.source import Fault, at

Json: TypeAlias = Any
Values: TypeAlias = dict[str, str]

EXCLUDE: Final = "exclude"
INCLUDE: Final = "include"

_EXAMPLES: Final = {
    EXCLUDE: '[{ color = "red", size = "large" }]',
    INCLUDE: '[{ color = "red", light = "warm" }]',
}


class Combination(msgspec.Struct, frozen=True):
    """A value of each axis, and what `include` lays on beside them."""

    chosen: Values
    added: Values


def combine(
    axes: Mapping[str, Sequence[str | int]],
    exclude: Sequence[Values] = (),
    include: Sequence[Values] = (),
) -> list[Combination]:
    """The combinations of `axes`, the last axis fastest, then the new ones of `include`. Raises `Fault`."""
    values = {axis: [str(item) for item in items] for axis, items in axes.items()}
    made = [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]
    made = _without(made, values, exclude)
    return _with([Combination(chosen, {}) for chosen in made], values, include)


def entries(matrix: Mapping[str, Json], key: str) -> list[Values]:
    """The tables under `key` of `matrix`, if it is there, their values as texts. Raises `Fault`."""
    if key not in matrix:
        return []
    value = matrix[key]
    hint = f"write it like `{key} = {_EXAMPLES[key]}`"
    if not isinstance(value, list) or not value:
        raise Fault(f"`{key}` must be a non-empty array of tables, not {written(value)}", hint, (key,))
    for number, entry in enumerate(value):
        fine = isinstance(entry, dict) and entry
        if not fine or not all(isinstance(item, str) or is_integer(item) for item in entry.values()):
            fact = f"an entry of `{key}` must be a table of strings and integers, not {written(entry)}"
            raise Fault(fact, hint, (key, number))
    return [{name: str(item) for name, item in entry.items()} for entry in value]


def _without(
    made: list[Values], axes: Mapping[str, Sequence[str]], entries: Sequence[Values]
) -> list[Values]:
    """`made` without the combinations that fit one of `entries`; each of them must fit some."""
    for number, entry in enumerate(entries):
        with at(EXCLUDE, number):
            for axis, value in entry.items():
                if axis not in axes:
                    hint = did_you_mean(axis, axes) or f"use one of {_listed(axes)}"
                    raise Fault(f"`{axis}` is no axis of this matrix", hint, (axis,), at_key=True)
                _check_value(axis, value, axes)
            kept = [chosen for chosen in made if not _fits(chosen, entry)]
            if len(kept) == len(made):
                raise Fault("the entries before this one exclude all that it does", "remove it")
            made = kept
    if not made:
        raise Fault(f"`{EXCLUDE}` leaves no combination", "remove one of its entries", (EXCLUDE,))
    return made


def _with(
    made: list[Combination], axes: Mapping[str, Sequence[str]], entries: Sequence[Values]
) -> list[Combination]:
    """`made`, then the new combinations of `entries`; and on each of them what the entries that fit lay on.

    All new ones first, so that an entry for all reaches them too, wherever it stands.
    """
    split = [_split(entry, axes) for entry in entries]
    for number, (chosen, added) in enumerate(split):
        if len(chosen) == len(axes) and all(item.chosen != chosen for item in made):
            made.append(Combination({axis: chosen[axis] for axis in axes}, {}))
        elif not added:
            fact = "this entry adds nothing: its combinations are there already"
            raise Fault(fact, "remove it, or give it another value", (INCLUDE, number))
    for number, (chosen, added) in enumerate(split):
        fitting = [item for item in made if _fits(item.chosen, chosen)]
        if not fitting:
            raise _fits_none(chosen, axes, number)
        for item in fitting:
            item.added.update(added)
    _check_whole(made, split)
    return made


def _fits_none(chosen: Values, axes: Mapping[str, Sequence[str]], number: int) -> Fault:
    """The fault of an entry of `include` for combinations that are not there, and too short for a new one."""
    for axis, value in chosen.items():
        near = "" if value in axes[axis] else did_you_mean(value, axes[axis])
        if near:
            return Fault(f"the axis `{axis}` has no value `{value}`", near, (INCLUDE, number, axis))
    lacking = ", ".join(f"`{axis}`" for axis in axes if axis not in chosen)
    fact = f"no combination has {written(chosen)}, and a new one needs every axis"
    return Fault(fact, f"add {lacking} to make it a new combination", (INCLUDE, number))


def _check_whole(made: Iterable[Combination], split: Iterable[tuple[Values, Values]]) -> None:
    """Raise `Fault` where an entry gives something to some combinations, and none gives it to another."""
    names = list(dict.fromkeys(name for _, added in split for name in added))
    for item in made:
        for name in names:
            if name not in item.added:
                fact = f"the combination {written(item.chosen)} gets no `{name}`, which others do"
                hint = f"put `{{ {name} = … }}` before the other entries: it is for all"
                raise Fault(fact, hint, (INCLUDE,))


def _split(entry: Values, axes: Mapping[str, Sequence[str]]) -> tuple[Values, Values]:
    """The values of axes in `entry`, and the rest."""
    chosen = {name: value for name, value in entry.items() if name in axes}
    return chosen, {name: value for name, value in entry.items() if name not in axes}


def _fits(chosen: Values, entry: Values) -> bool:
    return all(chosen[axis] == value for axis, value in entry.items())


def _check_value(axis: str, value: str, axes: Mapping[str, Sequence[str]]) -> None:
    if value not in axes[axis]:
        hint = did_you_mean(value, axes[axis]) or f"use one of {_listed(axes[axis])}"
        raise Fault(f"the axis `{axis}` has no value `{value}`", hint, (axis,))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
