"""`artlock plan`: what a build would do, and why. Starts no engine, writes only the stat index."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from buildsys.cli import options as shared
from buildsys.cli.console import COLOUR_OF, count, paint, print_json, tame
from buildsys.cli.money import costs_told
from buildsys.errors import Exit
from buildsys.plan.step import Plan, Step, Verdict


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="assets; everything if none is named")


def run(options: argparse.Namespace) -> int:
    """Print the plan."""
    session = shared.session(options)
    show(session.plan(session.outputs(options.names)), json=options.json)
    return Exit.FINE


def show(plan: Plan, *, json: bool) -> None:
    """Print `plan`, for a person or a program."""
    if json:
        print_json([as_json(step, plan) for step in plan.steps.values()])
    else:
        print(describe(plan))


def describe(plan: Plan) -> str:
    """The plan for a person: what is not fresh with its reasons, then the sums, then what it should cost."""
    lines = []
    for step in plan.steps.values():
        if step.verdict is not Verdict.FRESH or (step.frozen and step.reasons):
            lines += _lines(step)
    names = {step.renamed_from: step.name for step in plan.steps.values() if step.renamed_from}
    for name in plan.orphans:
        told = "the manifest no longer has it"
        if name in names:
            told = f"is `{names[name]}` now: its entry goes, and its file if nobody changed it"
        lines.append(f"orphan    {name}: {told}")
    return "\n".join([*lines, summary(plan.steps.values()), *costs_told(plan)])


def summary(steps: Iterable[Step]) -> str:
    """`12 to build, 28 fresh`."""
    found = [step.word for step in steps]
    words = {
        Verdict.BUILD: "to build",
        Verdict.RESTORE: "to restore",
        Verdict.EDITED: "edited by hand",
        Verdict.BLOCKED: "blocked",
        Verdict.FRESH: "fresh",
        "frozen": "frozen",
    }
    parts = [f"{found.count(verdict)} {word}" for verdict, word in words.items() if verdict in found]
    return ", ".join(parts) if parts else count(0, "asset")


def as_json(step: Step, plan: Plan) -> dict[str, Any]:
    """A step of `plan` for a program. What is not made costs nothing; None is a price that nobody knows."""
    return {
        "name": step.name,
        "verdict": step.verdict.value,
        "engine": step.asset.engine,
        "instead_of": step.instead_of or None,
        "output": step.output,
        "recipe": step.recipe,
        "frozen": step.frozen,
        "renamed_from": step.renamed_from or None,
        "cost": plan.costs.get(step.name, 0.0),
        "reasons": [
            {"why": reason.why.value, "field": reason.field, "old": reason.old, "new": reason.new}
            for reason in step.reasons
        ],
    }


def instead_told(step: Step) -> str:
    """That another engine made it than the one asked for; empty where none did."""
    if not step.instead_of:
        return ""
    return f"made by `{step.asset.engine}` instead of `{step.instead_of}`"


def _lines(step: Step) -> list[str]:
    first, *others = step.reasons
    word = paint(f"{step.word:<8}", COLOUR_OF[step.word])
    lines = [f"{word}  {paint(step.name, 'bold')}  {tame(first.text())}"]
    lines += [f"{'':<8}  {'':<{len(step.name)}}  {tame(reason.text())}" for reason in others]
    if step.verdict is Verdict.BLOCKED and first.hint:
        lines.append(f"{'':<8}  hint: {tame(first.hint)}")
    return lines
