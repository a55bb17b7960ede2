"""`artlock resolve NAME --ours`: say which side of a merge holds, asset by asset."""

from __future__ import annotations

import argparse

from buildsys import git, resolution
from buildsys.cli import options as shared
from buildsys.cli.console import count, paint, print_json, say, tame
from buildsys.errors import ArtlockError, Exit, GitError
from buildsys.lock.model import Conflict
from buildsys.plan.record import Record
from buildsys.plan.stale import differences
from buildsys.resolution import Choice, Resolved
from buildsys.session import LOCK, Session

_MOST: int = 4
"""Differences of a recipe that are listed."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="assets; without any, the conflicts are listed"
    )
    parser.add_argument("--all", action="store_true", help="every asset that is in conflict")
    choices = parser.add_mutually_exclusive_group()
    said = {
        Choice.OURS: "keep what the checkout had; in a rebase, the branch below",
        Choice.THEIRS: "take what was merged in; in a rebase, your own commit",
        Choice.REBUILD: "take neither: the next build makes it",
    }
    for choice, told in said.items():
        choices.add_argument(f"--{choice}", dest="choice", action="store_const", const=choice, help=told)


def run(options: argparse.Namespace) -> int:
    """Resolve, or list what there is to resolve."""
    session = Session.of_lock(options.start, options.profile)
    _check(options)
    if options.choice is None:
        return _list(session, json=options.json)
    names = tuple(session.lock.conflicts) if options.all else resolution.chosen(session, options.names)
    marked = session.lock.marked
    done = resolution.resolve(session, names, options.choice)
    left = list(session.lock.conflicts)
    if options.json:
        print_json({"resolved": [_as_json(item) for item in done], "left": left})
        return Exit.FINE
    for item in done:
        print(f"{paint(item.choice.value, 'green')}  {item.name}")
        print("".join(f"  {tame(note)}\n" for note in item.notes), end="")
    if not marked:
        say(f"`{LOCK}` holds no marks of a merge")
    elif left:
        say(f"\n{count(len(left), 'conflict')} left: {', '.join(left)}")
    else:
        project = session.manifest.project
        # Where neither side holds, `check` could only say that a build is due.
        first = "build" if options.choice is Choice.REBUILD else "check"
        staged = LOCK if project.outputs == "store" else f"{LOCK} {project.out}"
        say(f"\n`{LOCK}` is whole again\n\nhint: run `artlock {first}`, then `git add {staged}`")
    return Exit.FINE


def _check(options: argparse.Namespace) -> None:
    if options.names and options.all:
        raise ArtlockError("assets are named, and `--all` is given", "leave one of the two away")
    if options.choice is not None and not (options.names or options.all):
        raise ArtlockError("no asset is named", "name assets, or give `--all`")
    if options.choice is None and (options.names or options.all):
        raise ArtlockError("it is not said which side holds", "add `--ours`, `--theirs` or `--rebuild`")


def _list(session: Session, *, json: bool) -> int:
    conflicts = session.lock.conflicts
    if json:
        print_json({"conflicts": {name: _sides(conflict) for name, conflict in conflicts.items()}})
        return Exit.FAILED if conflicts else Exit.FINE
    for name, conflict in conflicts.items():
        print(f"{paint('conflict', 'yellow')}  {name}")
        print("".join(f"  {tame(line)}\n" for line in _differences(conflict)), end="")
    if conflicts:
        say(
            f"\n{_meaning(session)}\n\n"
            "hint: run `artlock resolve NAME` with `--ours`, `--theirs` or `--rebuild`"
        )
        return Exit.FAILED
    if session.lock.marked:
        say(f"nothing is in conflict in `{LOCK}`\n\nhint: run `artlock build`, which writes it without marks")
    else:
        say(f"nothing is in conflict in `{LOCK}`")
    return Exit.FINE


def _meaning(session: Session) -> str:
    try:
        rebasing = git.rebasing(session.root)
    except GitError:
        rebasing = False
    if rebasing:
        return "a rebase is under way: `ours` is the branch that you rebase onto, `theirs` your own commit"
    return "`ours` is what this checkout had, `theirs` what was merged into it"


def _differences(conflict: Conflict) -> list[str]:
    """What the sides have, ours before theirs."""
    ours, theirs = conflict.ours, conflict.theirs
    if ours is None or theirs is None:
        return [f"{'ours' if ours is None else 'theirs'} has it no more; the other side changed it"]
    told = [f"{item.text()}" for item in differences(ours.parts, theirs.parts)]
    if ours.engine != theirs.engine:
        told.append(f"engine: {ours.engine} → {theirs.engine}")
    if ours.picture.file != theirs.picture.file:
        told.append(f"picture: {ours.picture.file[:12]} → {theirs.picture.file[:12]}")
    if len(told) > _MOST:
        told[_MOST:] = [f"and {count(len(told) - _MOST, 'difference')} more"]
    return told or ["what is told of it beside recipe and picture"]


def _sides(conflict: Conflict) -> dict[str, dict[str, str] | None]:
    sides = {"base": conflict.base, "ours": conflict.ours, "theirs": conflict.theirs}
    return {word: _as_side(record) for word, record in sides.items()}


def _as_side(record: Record | None) -> dict[str, str] | None:
    if record is None:
        return None
    return {"engine": record.engine, "recipe": record.recipe, "file": record.picture.file}


def _as_json(item: Resolved) -> dict[str, object]:
    return {
        "name": item.name,
        "choice": item.choice.value,
        "files": list(item.files),
        "notes": list(item.notes),
    }
