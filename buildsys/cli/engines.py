"""`artlock engines`: every engine: the roles it suits, ready or what is missing, determinism, retirement."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import msgspec

from buildsys.cli import options as shared
from buildsys.cli.console import columns, paint, print_json
from buildsys.cli.money import price_json, price_told
from buildsys.errors import ArtlockError, Exit, did_you_mean
from buildsys.manifest import needs, shapes
from buildsys.manifest.ability import Capability
from buildsys.manifest.cards import BUNDLED, OWN, Cards
from buildsys.manifest.model import Engine, Need
from buildsys.manifest.process import determinism
from buildsys.plan import pick
from buildsys.plan.step import Reason
from buildsys.session import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("names", nargs="*", metavar="ENGINE", help="show these whole")
    parser.add_argument("--role", metavar="ROLE", help="only engines for this role, best first")


def run(options: argparse.Namespace) -> int:
    """Print the table, or whole engines."""
    session = shared.presets(options)
    if options.role is not None:
        if options.names:
            raise ArtlockError("`--role` ranks every engine that suits it", "leave the names away")
        return _ranked(session, options.role, json=options.json)
    engines = {name: item for name, item in session.manifest.engines.items() if name not in OWN}
    for name in options.names:
        if name not in engines:
            hint = did_you_mean(name, engines) or "run `artlock engines` for the list"
            raise ArtlockError(f"there is no engine `{name}`", hint)
    chosen = {name: engines[name] for name in options.names or sorted(engines)}
    found = [facts(session, engine, session.checkout.blocked(engine)) for engine in chosen.values()]
    if options.json:
        print_json(found)
    elif options.names:
        print("\n\n".join(_whole(engine, item) for engine, item in zip(chosen.values(), found, strict=True)))
    else:
        heads = ("ENGINE", "ADAPTER", "DETERMINISM", "PRICE", "RETIRES", "ROLES", "STATE")
        print(columns([heads, *map(_row, chosen.values(), found)]))
        print(_configurable(engines))
    return Exit.FINE


def _configurable(engines: Mapping[str, Engine]) -> str:
    """The adapters that no engine has yet: what they run is the project's to say."""
    used = {engine.card.name for engine in engines.values()}
    free = [f"`{name}`" for name in Cards(BUNDLED).adapters() if name not in used and name not in OWN]
    return f"\nTo configure, as `adapter` of `[engines.NAME]`: {', '.join(free)}" if free else ""


def _ranked(session: Session, role: str, *, json: bool) -> int:
    found = pick.rank(session.manifest, role, session.checkout.blocked)
    if json:
        print_json([facts(session, item.engine, item.obstacle) for item in found])
        return Exit.FINE
    rows = [
        (
            item.engine.name,
            _for(item),
            _can(item.engine),
            determinism(item.engine).value,
            price_told(item.engine),
            item.engine.retired,
            _state(item.obstacle),
        )
        for item in found
    ]
    print(columns([("ENGINE", "FOR", "CAN", "DETERMINISM", "PRICE", "RETIRES", "STATE"), *rows]))
    return Exit.FINE


def _for(item: pick.Candidate) -> str:
    """Why an engine is there: the profiles whose role maps to it, or that it suits."""
    if not item.profiles:
        return "suits it"
    return "every profile" if "*" in item.profiles else ", ".join(item.profiles)


def _can(engine: Engine) -> str:
    """What an asset may put under `needs`, and a negative prompt."""
    found = [need.value for need in Capability if needs.can(engine.card, need)]
    return ", ".join([*found, "negative"] if shapes.takes_negative(engine) else found) or "—"


def _state(obstacle: Reason | None) -> str:
    return obstacle.new if obstacle else paint("ready", "green")


def facts(session: Session, engine: Engine, obstacle: Reason | None) -> dict[str, Any]:
    """What there is to know of an engine, for a program.

    `obstacle`: why it can't run here and now.
    """
    roles = [role for role, profiles in session.manifest.roles.items() if engine.name in profiles.values()]
    return {
        "name": engine.name,
        "adapter": engine.card.name,
        "version": engine.card.version,
        "roles": roles or list(engine.card.roles),
        "ready": obstacle is None,
        "missing": obstacle.new if obstacle else "",
        "hint": obstacle.hint if obstacle else "",
        "price": price_json(engine),
        "determinism": determinism(engine).value,
        "retires": engine.retired or None,
        "successor": engine.successor or None,
        "model": engine.model or engine.card.model or None,
        "revision": engine.revision or engine.card.revision or None,
        "licence": engine.licence or None,
        "devices": list(engine.devices),
        "limits": msgspec.to_builtins(engine.limits),
        "capabilities": capabilities(engine),
    }


def capabilities(engine: Engine) -> dict[str, Any]:
    """What its assets may ask for. `alpha_when` are the parameters with which alone it makes alpha."""
    card = engine.card
    return {
        "alpha": card.alpha,
        "alpha_when": dict(card.alpha_when),
        "seed": card.seed.value,
        "tiling": card.tiling,
        "lettering": card.lettering.value,
        "prompt": card.prompt.value,
        "negative": (card.negative if shapes.takes_negative(engine) else Need.NONE).value,
        "text": card.text.value,
        "sizes": "its own" if card.size is Need.NONE else shapes.told(card, engine.model),
        "files": [name for name in card.parameters if shapes.takes_files(engine, name)],
    }


def _row(engine: Engine, item: dict[str, Any]) -> tuple[str, ...]:
    state = paint("ready", "green") if item["ready"] else item["missing"]
    roles = ", ".join(item["roles"])
    return (
        engine.name,
        item["adapter"],
        item["determinism"],
        price_told(engine),
        engine.retired,
        roles,
        state,
    )


def _whole(engine: Engine, item: dict[str, Any]) -> str:
    rows = [
        (key, price_told(engine) if key == "price" else _plain(value))
        for key, value in item.items()
        if key == "price" or (value not in (None, "", []) and key not in ("name", "limits", "capabilities"))
    ]
    rows += [
        (f"can {key}", _plain(value)) for key, value in item["capabilities"].items() if value not in ({}, [])
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
