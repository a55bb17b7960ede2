"""`artlock engines`: every engine: the roles it suits, ready or what is missing, determinism, retirement."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from buildsys.cli import options as shared
from buildsys.cli.console import columns, paint, print_json
from buildsys.errors import ArtlockError, Exit, did_you_mean
from buildsys.manifest.cards import OWN
from buildsys.manifest.model import Engine
from buildsys.session import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("names", nargs="*", metavar="ENGINE", help="show these whole")


def run(options: argparse.Namespace) -> int:
    """Print the table, or whole engines."""
    session = shared.presets(options)
    engines = {name: item for name, item in session.manifest.engines.items() if name not in OWN}
    for name in options.names:
        if name not in engines:
            hint = did_you_mean(name, engines) or "run `artlock engines` for the list"
            raise ArtlockError(f"there is no engine `{name}`", hint)
    chosen = {name: engines[name] for name in options.names or sorted(engines)}
    found = [facts(session, engine) for engine in chosen.values()]
    if options.json:
        print_json(found)
    elif options.names:
        print("\n\n".join(_whole(engine, item) for engine, item in zip(chosen.values(), found, strict=True)))
    else:
        print(columns([("ENGINE", "ADAPTER", "DETERMINISM", "ROLES", "STATE"), *map(_row, found)]))
    return Exit.FINE


def facts(session: Session, engine: Engine) -> dict[str, Any]:
    """What there is to know of an engine, for a program."""
    obstacle = session.checkout.blocked(engine)
    roles = [role for role, profiles in session.manifest.roles.items() if engine.name in profiles.values()]
    return {
        "name": engine.name,
        "adapter": engine.card.name,
        "version": engine.card.version,
        "roles": roles or list(engine.card.roles),
        "ready": obstacle is None,
        "missing": obstacle.new if obstacle else "",
        "hint": obstacle.hint if obstacle else "",
        "price": None,
        "determinism": engine.card.determinism.value,
        "retires": engine.retired or None,
        "model": engine.model or engine.card.model or None,
        "revision": engine.revision or engine.card.revision or None,
        "licence": engine.licence or None,
        "devices": list(engine.devices),
        "limits": msgspec.to_builtins(engine.limits),
    }


def _row(item: dict[str, Any]) -> tuple[str, ...]:
    state = paint("ready", "green") if item["ready"] else item["missing"]
    return item["name"], item["adapter"], item["determinism"], ", ".join(item["roles"]), state


def _whole(engine: Engine, item: dict[str, Any]) -> str:
    rows = [
        (key, _plain(value))
        for key, value in item.items()
        if value not in (None, "", []) and key not in ("name", "limits")
    ]
    rows += [(f"limit {key}", _plain(value)) for key, value in item["limits"].items() if value]
    card = engine.card
    for word, chosen, declared in (
        ("parameter", engine.parameters, card.parameters),
        ("setting", engine.settings, card.settings),
    ):
        rows += [
            (f"{word} {key}", _plain(value))
            for key, value in sorted(chosen.items())
            if value != declared[key].default
        ]
    lines = [paint(engine.name, "bold"), f"  {engine.card.summary}", columns(rows, "  "), "", "  parameters:"]
    known = [
        (name, item.type, "" if item.default is None else f"default {item.default}", item.doc)
        for name, item in engine.card.parameters.items()
    ]
    return "\n".join([*lines, columns(known, "    ")])


def _plain(value: Any) -> str:  # noqa: ANN401 - whatever JSON can carry
    """A value for a person: lists without brackets, yes and no in words, no `.0`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, float):
        return f"{value:,.15g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
