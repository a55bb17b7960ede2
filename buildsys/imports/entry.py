"""A picture's table in the manifest, of what the picture says of itself.

Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from buildsys import toml
from buildsys.errors import ManifestError, did_you_mean
from buildsys.imports.found import Found
from buildsys.manifest import template
from buildsys.manifest.model import Engine, Manifest, Need

Json: TypeAlias = Any

COMFYUI: Final = "comfyui"
"""The adapter that runs a graph of ComfyUI."""

_SHOWN: Final = 200
"""Characters of what a picture says beside its recipe; some tools write pages."""


class Entry(msgspec.Struct, frozen=True):
    """An asset's table, and what stands below it as comments."""

    table: Mapping[str, Json]
    remarks: tuple[str, ...] = ()


def kept(picture: str, suffix: str, found: Found | None, role: str) -> Entry:
    """The entry of a picture that stays as it is: its own bytes are the source, its recipe a comment."""
    table: dict[str, Json] = {"source": picture}
    if suffix == ".webp":
        table["format"] = "webp"
    if found is None:
        return Entry(table)
    values = _recipe(found) | _numbers(found)
    remarks = [f"{found.tool} made it, {f'but {found.unread}' if found.unread else 'as the picture says:'}"]
    remarks += [toml.line(toml.key(key), value) for key, value in ({"role": role} if role else {}).items()]
    remarks += [toml.line(toml.key(key), value) for key, value in values.items()]
    return Entry(table, (*remarks, *_rest(found.others)))


def recipe(found: Found, role: str, manifest: Manifest, workflow: str) -> Entry:
    """The entry of a picture that an engine of `role` is to make anew, with what these engines take.

    `workflow`: where ComfyUI's graph lies, if there is one. Raises `ManifestError`.
    """
    engines = _engines(role, manifest)
    table: dict[str, Json] = {"role": role, **_recipe(found)}
    left: dict[str, str] = {}
    able = [engine for engine in engines if engine.card.negative is not Need.NONE]
    if "negative" in table and len(able) < len(engines):
        table["negative"] = {engine.name: table["negative"] for engine in able}
        if not able:
            left["negative"] = found.negative
            del table["negative"]
    table.setdefault("seed", 1)  # where it does not tell its own, any will do as well
    parameters: dict[str, Json] = {}
    for key, value in _numbers(found).items():
        able = [engine for engine in engines if key in engine.card.parameters]
        if len(able) == len(engines):
            parameters[key] = value
            continue
        for engine in able:
            parameters.setdefault(engine.name, {})[key] = value
        if not able:
            left[key] = str(value)
    for engine in engines:
        if workflow and engine.card.name == COMFYUI:
            parameters.setdefault(engine.name, {}).update(workflow=workflow, slots=dict(found.slots))
    if parameters:
        table["parameters"] = parameters
    return Entry(table, _rest({**left, **found.others}))


def runs_graphs(role: str, manifest: Manifest) -> bool:
    """Whether an engine of `role` can run a graph of ComfyUI. Raises `ManifestError`."""
    return any(engine.card.name == COMFYUI for engine in _engines(role, manifest))


def _engines(role: str, manifest: Manifest) -> Sequence[Engine]:
    if role not in manifest.roles:
        hint = did_you_mean(role, manifest.roles) or f'add `{role} = "ENGINE"` under `[roles]`'
        raise ManifestError(f"unknown role `{role}`", hint)
    names = dict.fromkeys(manifest.roles[role].values())
    return [manifest.engines[name] for name in names]


def _recipe(found: Found) -> dict[str, Json]:
    """What every engine is asked, in the manifest's words; braces of a prompt are doubled."""
    values = {
        "prompt": template.escape(found.prompt),
        "negative": template.escape(found.negative),
        "seed": found.seed,
        "size": list(found.size) if found.size else None,
    }
    return {key: value for key, value in values.items() if value not in (None, "")}


def _numbers(found: Found) -> dict[str, Json]:
    values = {"steps": found.steps, "guidance": found.guidance}
    return {key: value for key, value in values.items() if value is not None}


def _rest(others: Mapping[str, str]) -> tuple[str, ...]:
    """What else a picture says, a comment each; on one line, for a stranger wrote it."""
    return tuple(
        f"{key}: {toml.inline(value[:_SHOWN])}" for key, value in sorted(others.items()) if _plain(key)
    )


def _plain(key: str) -> bool:
    return key.isprintable() and len(key) <= _SHOWN
