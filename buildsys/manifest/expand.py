"""Sources into the manifest's values, for one profile.

Knows nothing of the disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.errors import ManifestError, did_you_mean
from buildsys.manifest import (
    engines,
    matrix,
    names,
    outputs,
    packing,
    profiles,
    references,
    rehearsal,
    remotes,
    standins,
)
from buildsys.manifest import variables as texts
from buildsys.manifest.assets import Rules
from buildsys.manifest.cards import FINISH, Cards
from buildsys.manifest.engines import Scopes
from buildsys.manifest.finish import Finisher
from buildsys.manifest.gates import Gates
from buildsys.manifest.model import Asset, AssetName, Engine, Location, Manifest
from buildsys.manifest.names import Outputs
from buildsys.manifest.project import Project
from buildsys.manifest.sharing import Remote
from buildsys.manifest.source import Fault, Problems, Source
from buildsys.manifest.structure import Document, Entry, join
from buildsys.manifest.styles import Styles

Json: TypeAlias = Any

_HEADER: Final = re.compile(
    r"""^[ \t]*\[[ \t]*assets[ \t]*\.[ \t]*(?:([A-Za-z0-9_-]+)|"([^"\\\n]*)"|'([^'\n]*)')[ \t]*\]""",
    re.MULTILINE,
)


def expand(sources: Sequence[Source], cards: Cards, profile: str | None = None) -> Manifest:
    """The manifest in `sources`, of which the first is the root. Raises `ManifestError`."""
    problems = Problems()
    document = join(sources, lambda: cards.parameters(_adapters(sources)), problems)
    project = _project(document, problems)
    remote = _remote(document, problems)
    roles = {
        name: {"*": entry.value} if isinstance(entry.value, str) else dict(entry.value)
        for name, entry in document.sections["roles"].items()
    }
    chosen = profile or project.profile
    known = profiles.mentioned(document, roles)
    if chosen not in known and chosen != project.profile:
        hint = (
            did_you_mean(chosen, [*known, project.profile]) or f"use one of {profiles.listed(known, project)}"
        )
        raise ManifestError(f"{document.root.file}: unknown profile `{chosen}`", hint)
    configured = engines.configure(document.sections["engines"], cards, problems)
    _check_roles(document, roles, configured, problems)
    profiles.check(document, roles, project, problems)
    variables = texts.resolve(document.sections["variables"], problems)
    problems.check()
    scopes = Scopes(configured, cards.bundle)
    finisher = Finisher(configured[FINISH].card, cards.bundle)
    gates = _gates(document, configured, cards, problems)
    styles = Styles(document.sections["styles"], variables, scopes, finisher, gates, problems, chosen)
    rules = Rules(
        profile=chosen,
        variables=variables,
        roles=roles,
        engines=configured,
        scopes=scopes,
        styles=styles,
        finisher=finisher,
        gates=gates,
        out=project.out,
    )
    made, elsewhere = _assets(document, rules, problems)
    rehearsal.rehearse(document, rules, {*made, *elsewhere}, problems)
    problems.check()
    if project.metadata != "strip":
        made = {name: _telling(asset, project.metadata) for name, asset in made.items()}
    return Manifest(
        project=project,
        profile=chosen,
        profiles=tuple(known),
        roles=roles,
        engines=configured,
        assets=made,
        elsewhere=tuple(elsewhere),
        files=tuple(item.file for item in sources),
        variables={name: entry.value for name, entry in document.sections["variables"].items()},
        remote=remote,
    )


def _telling(asset: Asset, policy: str) -> Asset:
    """`asset`, and whatever may stand in for it, with what its picture is to tell of itself."""
    others = tuple(_telling(other, policy) for other in asset.standins)
    return msgspec.structs.replace(asset, metadata=policy, standins=others)


def _gates(document: Document, configured: Mapping[str, Engine], cards: Cards, problems: Problems) -> Gates:
    """What resolves gates, and those of every asset; what is wrong with these goes to `problems`."""
    section = document.sections["gates"]
    gates = Gates(configured, cards.bundle, {name: entry.value for name, entry in section.items()})
    for name, entry in section.items():
        try:
            gates.check({name: entry.value})
        except Fault as fault:
            problems.add(entry.source, fault.under("gates"))
    problems.check()
    return gates


def _adapters(sources: Sequence[Source]) -> Iterator[str]:
    """The project's own adapters; the tables are not checked yet."""
    for item in sources:
        tables = item.table.get("engines")
        for table in tables.values() if isinstance(tables, dict) else ():
            adapter = table.get("adapter") if isinstance(table, dict) else None
            if isinstance(adapter, str) and adapter.endswith(".py"):
                yield adapter


def _project(document: Document, problems: Problems) -> Project:
    table = document.project
    project = Project(
        name=table["name"],
        out=table.get("out", "out"),
        profile=table.get("profile", "draft"),
        metadata=table.get("metadata", "strip"),
        include=tuple(table.get("include", ())),
        outputs=table.get("outputs", "git"),
    )
    try:
        names.check_name(project.out, "the output folder")
    except Fault as fault:
        problems.add(document.root, Fault(fault.fact, fault.hint, ("project", "out")))
    return project


def _remote(document: Document, problems: Problems) -> Remote | None:
    try:
        return remotes.read({name: entry.value for name, entry in document.sections["remote"].items()})
    except Fault as fault:
        problems.add(document.root, fault)
        return None


def _check_roles(
    document: Document,
    roles: Mapping[str, Mapping[str, str]],
    configured: Mapping[str, Engine],
    problems: Problems,
) -> None:
    for role, choices in roles.items():
        entry = document.sections["roles"][role]
        for profile, engine in choices.items():
            if engine not in configured and engine in document.sections["engines"]:
                continue  # it is wrong itself, which is told
            try:
                engines.chosen(engine, configured)
            except Fault as fault:
                path = (role,) if profile == "*" else (role, profile)
                problems.add(entry.source, fault.under("roles", *path))


def _assets(
    document: Document, rules: Rules, problems: Problems
) -> tuple[dict[AssetName, Asset], list[AssetName]]:
    """The profile's assets by name, and the names of those that only other profiles have."""
    made: dict[AssetName, Asset] = {}
    elsewhere: list[AssetName] = []
    origins: dict[AssetName, tuple[Entry, str, Mapping[str, Json]]] = {}
    files = Outputs()
    lines: dict[str, dict[str, int]] = {}
    for key, entry in document.sections["assets"].items():
        file = entry.source.file
        if file not in lines:
            lines[file] = _header_lines(entry.source.text)
        location = Location(file, lines[file].get(key, 0))
        over: Mapping[str, Json] = {}
        try:
            for declared in matrix.expand(key, entry.value, rules.variables, location, rules.profile):
                over = declared.over
                planned = outputs.planned(declared.name, entry.value)
                for item in planned:
                    files.add(item.name, item.format, location, item.file)
                    origins[item.name] = (entry, key, over)
                files.beside(declared.name, packing.suffixes(declared.table), location)
                if rules.profile not in entry.value.get("profiles", (rules.profile,)):
                    elsewhere += [item.name for item in planned]
                elif asset := standins.resolve(declared, rules):
                    made.update(
                        (one.name, one) for one in outputs.spread(asset, entry.value, planned, rules.finisher)
                    )
        except Fault as fault:
            problems.add(entry.source, profiles.placed(fault, over, rules.profile).under("assets", key))
    problems.check()
    packed = packing.fill(made, elsewhere, rules.profile)
    problems_of = chain(packed, references.faults(made, set(elsewhere), rules.profile))
    for name, wrong in problems_of:
        entry, key, over = origins[name]
        problems.add(entry.source, profiles.placed(wrong, over, rules.profile).under("assets", key))
    problems.check()
    return made, elsewhere


def _header_lines(text: str) -> dict[str, int]:
    """Asset name to the line of its header. Good enough for messages: a name with escapes has none."""
    lines: dict[str, int] = {}
    line, end = 1, 0
    for match in _HEADER.finditer(text):
        start = match.start(match.lastindex or 0)
        line += text.count("\n", end, start)
        end = start
        lines.setdefault(match[match.lastindex or 0], line)
    return lines
