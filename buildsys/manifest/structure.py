"""Manifest files held against the schema and joined into one: keys, kinds, names that come twice.

Knows nothing of what names refer to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from buildsys.errors import did_you_mean
from buildsys.manifest import kinds, template
from buildsys.manifest.kinds import written
from buildsys.manifest.schema import ROOT_ONLY, SECTIONS, Section
from buildsys.manifest.source import Fault, Problems, Source

Json: TypeAlias = Any
Names: TypeAlias = Callable[[], Collection[str]]
"""Names that only an error needs, so they are looked up only then."""


class Entry(msgspec.Struct, frozen=True):
    """A named value of a section, and the file that holds it."""

    source: Source
    value: Json


class Document(msgspec.Struct, frozen=True):
    """All manifest files as one: section to name to entry; every value is of the kind its key wants."""

    root: Source
    project: Mapping[str, Json]
    sections: Mapping[str, Mapping[str, Entry]]


def join(sources: Sequence[Source], parameters: Names, problems: Problems) -> Document:
    """Check `sources`, of which the first is the root, and join them. What is wrong goes to `problems`.

    `parameters`: those of every adapter, for keys that stand one table too high.
    """
    for source in sources:
        for fault in faults(source, parameters, root=source is sources[0]):
            problems.add(source, fault)
    problems.check()
    sections: dict[str, dict[str, Entry]] = {name: {} for name in SECTIONS}
    for source in sources:
        for name, table in source.table.items():
            _merge(sections[name], name, source, table, problems)
    problems.check()
    root = sources[0]
    return Document(root, root.table["project"], sections)


def _merge(
    into: dict[str, Entry], section: str, source: Source, table: Mapping[str, Json], problems: Problems
) -> None:
    for name, value in table.items():
        first = into.setdefault(name, Entry(source, value))
        if first.source is not source:
            there = first.source.file if problems.enough else first.source.locate((section, name))
            fact = f"`{name}` in `[{section}]` is declared a second time; the first is at {there}"
            problems.add(source, Fault(fact, "keep one of the two", (section, name), at_key=True))


def faults(source: Source, parameters: Names, *, root: bool) -> Iterator[Fault]:
    """What the schema has to say against `source`."""
    if root and "project" not in source.table:
        hint = 'add `[project]` with `name = "my-game"`, or run `artlock init`'
        yield Fault("`[project]` is missing", hint)
    for name, table in source.table.items():
        section = SECTIONS.get(name)
        if section is None:
            hint = did_you_mean(name, SECTIONS) or f"use one of {_listed(SECTIONS)}"
            yield Fault(f"unknown section `{name}`", hint, (name,), at_key=True)
        elif name in ROOT_ONLY and not root:
            hint = "move it to `assets.toml`"
            yield Fault(f"`[{name}]` stands in an included file", hint, (name,), at_key=True)
        elif not isinstance(table, dict):
            hint = f"write `[{name}]` on a line of its own"
            yield Fault(f"`{name}` must be a table, not {written(table)}", hint, (name,))
        else:
            for fault in _section(name, section, table, parameters):
                yield fault.under(name)


def _section(name: str, section: Section, table: Mapping[str, Json], parameters: Names) -> Iterator[Fault]:
    if section.names is not None:
        yield from _free(name, section.names, table)
    elif section.named:
        for inner, value in table.items():
            if name != "assets" and not kinds.is_word(inner):
                yield _bad_word(inner, name)
            elif not isinstance(value, dict):
                hint = f"write `[{name}.{inner}]` on a line of its own"
                yield Fault(f"`{inner}` must be a table, not {written(value)}", hint, (inner,))
            else:
                for fault in _keys(section, value, f"[{name}.{inner}]", parameters):
                    yield fault.under(inner)
    else:
        yield from _keys(section, table, f"[{name}]", parameters)


def _free(name: str, kind: kinds.Kind, table: Mapping[str, Json]) -> Iterator[Fault]:
    for inner, value in table.items():
        if name == "variables" and (inner == "prompt" or not template.NAME.fullmatch(inner)):
            fact = f"`{inner}` can't name a variable"
            hint = "use letters, digits, `_` and `-`; `prompt` is the styles' own"
            yield Fault(fact, hint, (inner,), at_key=True)
        elif not kinds.is_word(inner):
            yield _bad_word(inner, name)
        elif not kind.accepts(value):
            yield _wrong_kind(inner, kind, value)


def _keys(section: Section, table: Mapping[str, Json], where: str, parameters: Names) -> Iterator[Fault]:
    for name, value in table.items():
        key = section.keys.get(name)
        if key is None:
            if not section.open:
                hint = _hint(name, section, parameters)
                yield Fault(f"unknown key `{name}` in `{where}`", hint, (name,), at_key=True)
        elif not key.kind.accepts(value):
            yield _wrong_kind(name, key.kind, value)
        elif key.section is not None:
            for fault in _profiles(section, key.section, value, f"{where[:-1]}.{name}", parameters):
                yield fault.under(name)
    for name, key in section.keys.items():
        if key.required and name not in table:
            yield Fault(f"`{where}` lacks `{name}`", f"add `{name} = …`")


def _profiles(
    around: Section, section: Section, tables: Mapping[str, Json], where: str, parameters: Names
) -> Iterator[Fault]:
    """What `section` has to say against `tables`, one for each profile, within a table of `around`."""
    for profile, table in tables.items():
        if not kinds.is_word(profile):
            yield _bad_word(profile, where[1:])
            continue
        fixed = [name for name in table if name in around.keys and name not in section.keys]
        for name in fixed:
            fact = f"`{name}` is the same in every profile"
            hint = f"move it to `{where.rpartition('.')[0]}]`, or remove it"
            yield Fault(fact, hint, (profile, name), at_key=True)
        rest = {name: value for name, value in table.items() if name not in fixed}
        for fault in _keys(section, rest, f"{where}.{profile}]", parameters):
            yield fault.under(profile)


def _hint(name: str, section: Section, parameters: Names) -> str:
    """What to do about the unknown key `name` of `section`."""
    # First, because a parameter may be spelled much like a key: `font` like `format`.
    if "parameters" in section.keys and name in parameters():
        return f"put it under `parameters`: `parameters = {{ {name} = … }}`"
    return did_you_mean(name, section.keys) or f"use one of {_listed(section.keys)}"


def _wrong_kind(name: str, kind: kinds.Kind, value: Json) -> Fault:
    hint = f"write it like `{name} = {kind.example}`"
    return Fault(f"`{name}` must be {kind.words}, not {written(value)}", hint, (name,))


def _bad_word(name: str, section: str) -> Fault:
    hint = "use letters, digits, `_`, `-` and `.`"
    return Fault(f"`{name}` can't be a name in `[{section}]`", hint, (name,), at_key=True)


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(f"`{name}`" for name in names)
