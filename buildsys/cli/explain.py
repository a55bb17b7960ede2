"""`artlock explain NAME`: the verdict on one asset, what changed part by part, and its whole recipe."""

from __future__ import annotations

import argparse
import json

from buildsys.cli import options as shared
from buildsys.cli.console import COLOUR_OF, columns, paint, print_json, tame
from buildsys.cli.plan import as_json, instead_told
from buildsys.errors import Exit
from buildsys.plan import recipe
from buildsys.plan.step import Plan, Step, Verdict


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
        print("\n\n".join(_describe(steps[name]) for name in names))
    return Exit.FINE


def _json(step: Step, plan: Plan) -> dict[str, object]:
    return {**as_json(step, plan), "parts": recipe.tree(step.parts) if step.parts else None}


def _describe(step: Step) -> str:
    lines = [f"{paint(step.name, 'bold')} is {paint(step.verdict.value, COLOUR_OF[step.verdict])}"]
    lines += [f"  because {tame(reason.text())}" for reason in step.reasons]
    lines += [f"  hint: {tame(reason.hint)}" for reason in step.reasons[:1] if reason.hint]
    if step.instead_of and step.verdict is Verdict.FRESH:
        lines.append(f"  {instead_told(step)}")
    lines.append(f"  defined at {step.asset.location}")
    if step.parts is not None:
        lines += [f"\nrecipe {step.recipe}", columns(_rows(step), "  ")]
    return "\n".join(lines)


def _rows(step: Step) -> list[tuple[str, str]]:
    assert step.parts is not None  # noqa: S101 - the caller looked
    return [(field, _plain(value)) for field, value in recipe.leaves(step.parts).items()]


def _plain(value: str) -> str:
    return tame(str(json.loads(value)) if value.startswith('"') else value)
