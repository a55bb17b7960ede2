"""Profiles: which there are, and what one puts over an asset's or a style's own keys.

Knows nothing of what the keys mean, but that parameters are laid over one another key by key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from buildsys.errors import did_you_mean
from buildsys.manifest.project import Project
from buildsys.manifest.source import Fault, Path, Problems
from buildsys.manifest.structure import Document, Entry

Json: TypeAlias = Any

KEY: Final = "profile"
_BY_KEY: Final = "parameters"
_SECTIONS: Final = ("styles", "assets")


def overlaid(table: Mapping[str, Json], profile: str) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
    """The keys of an asset or a style in `profile`, and those of them that the profile puts there.

    `parameters` stay as they are: those of the profile are laid over them once the engine is known.
    """
    if KEY not in table:
        return table, {}
    over: Mapping[str, Json] = table[KEY].get(profile, {})
    own = {key: value for key, value in table.items() if key != KEY}
    if "role" in over and "engine" not in over:
        # An engine wins over a role, and this role was written to choose another one.
        own.pop("engine", None)
    return {**own, **{key: value for key, value in over.items() if key != _BY_KEY}}, over


def parameters(
    table: Mapping[str, Json], over: Mapping[str, Json], profile: str
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Json]]]:
    """The tables of parameters to lay on, the later one over the earlier, and where each is written."""
    if _BY_KEY in table:
        yield (_BY_KEY,), table[_BY_KEY]
    if _BY_KEY in over:
        yield (KEY, profile, _BY_KEY), over[_BY_KEY]


def placed(fault: Fault, over: Mapping[str, Json], profile: str) -> Fault:
    """`fault`, found in an overlaid table, at the place where the value is written."""
    if fault.path and fault.path[0] in over and fault.path[0] != _BY_KEY:
        return fault.under(KEY, profile)
    return fault


def overridden(document: Document) -> list[str]:
    """Every profile that an asset or a style has a table for, sorted."""
    return sorted({profile for _, _, entry in _holders(document) for profile in entry.value[KEY]})


def mentioned(document: Document, roles: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Every profile that a role, an asset or a style mentions, sorted."""
    known = {profile for role in roles.values() for profile in role}
    for entry in document.sections["assets"].values():
        known.update(entry.value.get("profiles", ()))
    known.update(overridden(document))
    return sorted(known - {"*"})


def listed(known: Sequence[str], project: Project) -> str:
    """Every profile that can be chosen, for a hint."""
    return ", ".join(f"`{profile}`" for profile in sorted({*known, project.profile}))


def check(
    document: Document, roles: Mapping[str, Mapping[str, str]], project: Project, problems: Problems
) -> None:
    """Find the typo in a profile's name, which would be a profile that nobody ever builds.

    Where no role tells profiles apart, there is nothing to hold them against: assets may then make any up.
    """
    for entry, wrong in _absent(document):
        problems.add(entry.source, wrong)
    known = {profile for role in roles.values() for profile in role} - {"*"}
    if not known:
        return
    known.add(project.profile)
    for entry, path, profile in _mentions(document):
        if profile not in known:
            hint = did_you_mean(profile, sorted(known)) or f"use one of {listed(sorted(known), project)}"
            problems.add(entry.source, Fault(f"unknown profile `{profile}`", hint, path))


def _absent(document: Document) -> Iterator[tuple[Entry, Fault]]:
    """Tables for a profile that does not have the asset."""
    for name, entry in document.sections["assets"].items():
        wanted = entry.value.get("profiles")
        for profile in entry.value.get(KEY, ()):
            if wanted is not None and profile not in wanted:
                fact = f"profile `{profile}` does not have asset `{name}`"
                hint = f"add `{profile}` to its `profiles`, or remove this table"
                yield entry, Fault(fact, hint, ("assets", name, KEY, profile), at_key=True)


def _mentions(document: Document) -> Iterator[tuple[Entry, Path, str]]:
    """Every profile that an asset or a style names, and where."""
    for name, entry in document.sections["assets"].items():
        for index, profile in enumerate(entry.value.get("profiles", ())):
            yield entry, ("assets", name, "profiles", index), profile
    for section, name, entry in _holders(document):
        for profile in entry.value[KEY]:
            yield entry, (section, name, KEY, profile), profile


def _holders(document: Document) -> Iterator[tuple[str, str, Entry]]:
    """The assets and styles that have a table for some profile."""
    for section in _SECTIONS:
        for name, entry in document.sections[section].items():
            if KEY in entry.value:
                yield section, name, entry
