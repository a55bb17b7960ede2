"""`artlock candidates NAME`: what was made to choose from, how it was measured, and which one was chosen."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from buildsys.cli import options as shared
from buildsys.cli.console import columns, paint, print_json, say, tame
from buildsys.cli.pages import check_target
from buildsys.comparison.choice import MARK, Choice, page
from buildsys.errors import ArtlockError, Exit
from buildsys.files import write_durably
from buildsys.journal.words import NOTHING
from buildsys.make.candidates import sheet_of
from buildsys.make.entrants import Entrants
from buildsys.manifest.candidates import measures
from buildsys.manifest.cards import MEASURE
from buildsys.plan import candidates
from buildsys.plan.candidates import Entrant
from buildsys.plan.step import Step
from buildsys.session import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page that needs nothing else, too")
    parser.add_argument("name", metavar="NAME", help="an asset with `candidates`")


def run(options: argparse.Namespace) -> int:
    """Show them; nothing is made."""
    session = shared.session(options)
    (name,) = session.names([options.name]) or ()
    step = session.plan((name,)).steps[name]
    many = _all_of(step)
    entrants = Entrants(session.store, session.manifest.engines[MEASURE].card.version).of(many)
    adopted = _adopted(step, many)
    place = sheet_of(name)
    sheet = place if (session.root / place).is_file() else None
    if options.html is not None:
        check_target(options.html, MARK, "candidates")
        choice = _choice(many, entrants, adopted)
        write_durably(options.html.absolute(), page(choice, session.store.read).encode())
    if options.json:
        print_json(
            {
                "name": name,
                "choose": many.asset.choose,
                "adopted": adopted or None,
                "sheet": sheet,
                "page": str(options.html) if options.html else None,
                "candidates": [_json(one, session) for one in entrants],
            }
        )
        return Exit.FINE
    print(columns([_heads(many), *(_row(one, many, adopted) for one in entrants)]))
    for path in (sheet, options.html):
        if path:
            print(path)
    if not any(one.record for one in entrants):
        say(f"hint: run `artlock build {name}` to make them")
    return Exit.FINE


def _choice(many: Step, entrants: tuple[Entrant, ...], adopted: int) -> Choice:
    parts = many.parts
    return Choice(
        name=many.name,
        prompt=parts.prompt if parts else "",
        text=parts.text if parts else "",
        choose=many.asset.choose,
        metrics=measures(many.asset),
        adopted=adopted,
        entrants=entrants,
    )


def _all_of(step: Step) -> Step:
    """`step` with all its candidates, whichever of them it is. Raises `ArtlockError`."""
    asset = step.asset.among or step.asset
    if not asset.candidates:
        raise ArtlockError(f"asset `{step.name}` has no candidates", "give it `candidates = 8`")
    if step.parts is None:
        fact = f"the recipe of `{step.name}` is not known before what it is made from is made"
        raise ArtlockError(fact, "run `artlock build`")
    parts = msgspec.structs.replace(step.parts, seed=asset.seed, candidate=None)
    return msgspec.structs.replace(step, asset=asset, parts=parts)


def _adopted(step: Step, many: Step) -> int:
    """The number of the candidate that the lock has; 0 where it has none of them."""
    record = step.recorded
    found = (one.candidate for one in candidates.each(many) if record and one.recipe == record.recipe)
    return next(found, 0)


def _json(one: Entrant, session: Session) -> dict[str, Any]:
    file = one.record.picture.file if one.record else None
    return {
        "number": one.number,
        "seed": one.seed,
        "recipe": one.record.recipe if one.record else None,
        "file": file,
        "kept": file is not None and session.store.has(file),
        "score": {**msgspec.to_builtins(one.score), **one.judged} if one.score else None,
        "faults": list(one.faults),
        "message": one.message or None,
    }


def _heads(many: Step) -> tuple[str, ...]:
    """The metric that counts is marked."""
    marked = (f"{metric}*" if metric == many.asset.choose else metric for metric in measures(many.asset))
    return "NUMBER", "SEED", *(metric.upper() for metric in marked), "VERDICT"


def _row(one: Entrant, many: Step, adopted: int) -> tuple[str, ...]:
    seed = NOTHING if one.seed is None else str(one.seed)
    scores = (candidates.measured(one, metric) for metric in measures(many.asset))
    told = (NOTHING if value is None else f"{value:.3f}" for value in scores)
    return str(one.number), seed, *told, _verdict(one, adopted)


def _verdict(one: Entrant, adopted: int) -> str:
    words = [paint("adopted", "green")] if one.number == adopted else []
    return "; ".join([*words, *map(tame, one.faults), *([tame(one.message)] if one.message else [])])
