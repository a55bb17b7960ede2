"""`artlock explain NAME`: the verdict on one asset, what changed part by part, and its whole recipe."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import msgspec

from buildsys.cli import options as shared
from buildsys.cli.console import COLOUR_OF, columns, paint, print_json, tame
from buildsys.cli.plan import as_json, instead_told
from buildsys.errors import Exit
from buildsys.make.candidates import sheet_of
from buildsys.make.gatekeeper import shown_at
from buildsys.plan import recipe
from buildsys.plan.step import Plan, Step, Verdict, Why
from buildsys.session import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("names", nargs="+", metavar="NAME", help="assets to explain")


def run(options: argparse.Namespace) -> int:
    """Print what is known of each."""
    session = shared.session(options)
    names = session.names(options.names) or ()
    plan = session.plan(names)
    steps = plan.steps
    if options.json:
        print_json([_json(steps[name], plan) for name in names])
    else:
        print("\n\n".join(_describe(steps[name], session) for name in names))
    return Exit.FINE


def _json(step: Step, plan: Plan) -> dict[str, object]:
    return {**as_json(step, plan), "parts": recipe.tree(step.parts) if step.parts else None}


def _describe(step: Step, session: Session) -> str:
    root = session.root
    lines = [f"{paint(step.name, 'bold')} is {paint(step.word, COLOUR_OF[step.word])}"]
    for reason in step.reasons:
        # It needs no mention of the command that tells more: this is it.
        joint = "although" if step.word == "frozen" else "because"
        lines.append(f"  {joint} {tame(msgspec.structs.replace(reason, more='').text())}")
        if reason.why is Why.REJECTED:
            lines += [f"    {tame(line.strip())}" for line in (*reason.old.splitlines(), *_seen(step, root))]
    lines += [f"  hint: {tame(reason.hint)}" for reason in step.reasons[:1] if reason.hint]
    if step.instead_of and step.verdict is Verdict.FRESH:
        lines.append(f"  {instead_told(step)}")
    if session.lock.is_approved(step.name):
        lines.append(f"  approved by {tame(session.lock.approvals[step.name].by)}")
    lines.append(f"  defined at {step.asset.location}")
    if step.parts is not None:
        lines += [f"\nrecipe {step.recipe}", columns(_rows(step), "  ")]
    return "\n".join(lines)


def _seen(step: Step, root: Path) -> list[str]:
    """Where to look at what its gates turned down, if it was this checkout that made it."""
    place = root / sheet_of(step.name) if step.asset.candidates else shown_at(root, step)
    return [f"see `{place.relative_to(root).as_posix()}`"] if place.is_file() else []


def _rows(step: Step) -> list[tuple[str, str]]:
    assert step.parts is not None  # noqa: S101 - the caller looked
    return [(field, _plain(value)) for field, value in recipe.leaves(step.parts).items()]


def _plain(value: str) -> str:
    return tame(str(json.loads(value)) if value.startswith('"') else value)
