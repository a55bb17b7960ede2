"""`artlock build`: make what is stale, and write the lock."""

from __future__ import annotations

import argparse
import time
from collections.abc import Collection
from typing import Any

from buildsys import confirming, frozen, keeping, lfs, refresh
from buildsys.cli import options as shared
from buildsys.cli.console import count, paint, pointers_told, print_json, say, tame
from buildsys.cli.live import display
from buildsys.cli.plan import show
from buildsys.cli.reproduce import as_json as reproduction_json
from buildsys.cli.reproduce import lines as reproduction_told
from buildsys.errors import ArtlockError, Exit
from buildsys.make.build import Failed, Outcome
from buildsys.manifest.model import AssetName
from buildsys.plan.judge import Wishes
from buildsys.session import Session
from buildsys.workbench import build


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="assets; everything if none is named")
    parser.add_argument("-j", "--jobs", type=int, metavar="N", help="processes of one engine side by side")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show the plan and stop")
    parser.add_argument(
        "--keep-going", action="store_true", default=True, help="make the others when one fails (always so)"
    )
    parser.add_argument("--rebuild", action="store_true", help="make them again, whatever is known of them")
    parser.add_argument(
        "--refresh-environment",
        action="store_true",
        help="make those again that were made with other versions, and say how far they moved",
    )
    parser.add_argument("--force", action="store_true", help="overwrite files that were edited by hand")
    lock = parser.add_mutually_exclusive_group()
    lock.add_argument("--locked", action="store_true", help="fail if the lock would change")
    lock.add_argument(
        "--frozen", action="store_true", help="build what the lock says, whatever the manifest says"
    )
    parser.add_argument(
        "--placeholders", action="store_true", help="put labelled stand-ins where assets are blocked"
    )
    shared.add_no_remote(parser)
    shared.add_budget(parser)
    shared.add_retry(parser)


def run(options: argparse.Namespace) -> int:
    """Build, and say how it went."""
    _check(options)
    if options.refresh_environment:
        return _refresh(options)
    return _frozen(options) if options.frozen else _build(options)


def _check(options: argparse.Namespace) -> None:
    if options.jobs is not None and options.jobs < 1:
        raise ArtlockError(f"`-j {options.jobs}` is not a number of jobs", "give 1 or more")
    never = ("placeholders", "refresh_environment")
    excluded = {
        "locked": never,
        "frozen": ("rebuild", "retry_refused", *never),
        "refresh_environment": ("rebuild", "placeholders"),
    }
    for only, others in excluded.items():
        for other in others if getattr(options, only) else ():
            if getattr(options, other):
                pair = " and ".join(f"`--{name.replace('_', '-')}`" for name in (only, other))
                raise ArtlockError(f"{pair} exclude each other", "leave one of the two away")


def _frozen(options: argparse.Namespace) -> int:
    session = shared.presets(options)
    names = frozen.names(session, options.names)
    force = frozenset(names) if options.force else frozenset[AssetName]()
    if options.dry_run:
        show(frozen.plan(session, names, force=force), json=options.json)
        return Exit.FINE
    with display() as shown:
        outcome = frozen.build(
            session,
            names,
            force=force,
            jobs=options.jobs or 0,
            tell=shown.tell,
            planned=shown.planned,
            budget=shared.budget(options),
            remote=options.remote,
        )
    return _told(options, outcome, session, ())


def _refuse_frozen(session: Session, options: argparse.Namespace) -> None:
    """Of assets that are named; where none is, what is frozen is left as it is."""
    for option in ("rebuild", "force", "refresh_environment"):
        if getattr(options, option):
            named = session.outputs(options.names) or ()
            keeping.refuse(session.lock, named, f"--{option.replace('_', '-')}")


def _refresh(options: argparse.Namespace) -> int:
    session = shared.session(options)
    _refuse_frozen(session, options)
    names, moved = refresh.chosen(session, session.outputs(options.names))
    wishes = Wishes(
        rebuild=moved, force=moved if options.force else frozenset(), retry_refused=options.retry_refused
    )
    if options.dry_run:
        show(session.plan(names, wishes), json=options.json)
        return Exit.FINE
    with display() as shown:
        outcome, moves = refresh.build(
            session,
            names,
            moved,
            wishes=wishes,
            jobs=options.jobs or 0,
            tell=shown.tell,
            planned=shown.planned,
            budget=shared.budget(options),
            remote=options.remote,
        )
    if options.json:
        print_json({**as_json(outcome), "refreshed": [reproduction_json(move) for move in moves]})
    for move in moves:
        say("\n".join(reproduction_told(move)))
    for line in summary(outcome, session, ()):
        say(line)
    return Exit.FAILED if outcome.blocked or outcome.failed else Exit.FINE


def _build(options: argparse.Namespace) -> int:
    began = time.time_ns()
    session = shared.session(options)
    names = session.outputs(options.names)
    _refuse_frozen(session, options)
    budget = shared.budget(options)
    chosen = frozenset(names or session.manifest.assets)
    wishes = Wishes(
        rebuild=chosen if options.rebuild else frozenset(),
        force=chosen if options.force else frozenset(),
        retry_refused=options.retry_refused,
        locked=options.locked,
    )
    if options.dry_run:
        show(session.plan(names, wishes), json=options.json)
        return Exit.FINE
    with display() as shown:
        outcome, stood_in = build(
            session,
            names,
            wishes=wishes,
            jobs=options.jobs or 0,
            tell=shown.tell,
            planned=shown.planned,
            placeholders=options.placeholders,
            budget=budget,
            remote=options.remote,
        )
    code = _told(options, outcome, session, stood_in)
    if names is None:
        confirming.confirm(session, outcome, began, options.profile)
    return code


def _told(options: argparse.Namespace, outcome: Outcome, session: Session, stood_in: tuple[str, ...]) -> int:
    if options.json:
        print_json(as_json(outcome))
    for line in summary(outcome, session, stood_in):
        say(line)
    return Exit.FAILED if outcome.blocked or outcome.failed else Exit.FINE


def as_json(outcome: Outcome) -> dict[str, Any]:
    """What became of every asset, for a program: names by verdict, and why any was not made."""
    troubles = (*outcome.blocked, *outcome.failed)
    return {
        "built": list(outcome.built),
        "restored": list(outcome.restored),
        "fresh": list(outcome.fresh),
        "edited": list(outcome.edited),
        "blocked": [item.name for item in outcome.blocked],
        "failed": [item.name for item in outcome.failed],
        "standins": {
            item.name: {"engine": item.engine, "instead_of": item.instead_of} for item in outcome.standins
        },
        "remote": list(outcome.remote),
        "poisoned": [{"digest": digest, "place": place} for digest, place in outcome.poisoned.items()],
        "reasons": {item.name: item.message for item in troubles},
        "failures": {
            item.name: {
                "message": item.message,
                "hint": item.hint,
                "kind": item.kind,
                "log": item.log.splitlines(),
            }
            for item in troubles
        },
    }


def summary(
    outcome: Outcome, session: Session, stood_in: tuple[str, ...], said: Collection[str] = ()
) -> list[str]:
    """The last words of a build; of the assets `said`, a person knows already what is the matter."""
    records, pointer = session.lock.records, session.checkout.pointer
    edited = [name for name in outcome.edited if name not in said]
    lines = [
        f"{paint('edited', 'yellow')}  {name}: the file was changed by hand, and kept" for name in edited
    ]
    if edited:
        kept = edited[0] in session.lock.frozen
        adopt = f"`artlock adopt {edited[0]}` keeps it as a source"
        mend = f"{adopt}, `artlock build --force {edited[0]}` makes it anew"
        lines.append(f"\nhint: {keeping.edited(records[edited[0]].output) if kept else mend}\n")
    for made in outcome.standins:
        if made.name not in outcome.fresh:
            told = f"made by `{made.engine}` instead of `{made.instead_of}`"
            lines.append(f"{paint('instead', 'yellow')}  {made.name}: {told}")
    for word, items in (("blocked", outcome.blocked), ("failed", outcome.failed)):
        for item in items:
            if item.name not in said:
                lines += _trouble(word, item)
    if session.store.dropped:
        damaged = count(len(session.store.dropped), "damaged object")
        lines.append(f"store: {damaged} dropped, and made or brought back again where needed")
    if pointers := [name for name in outcome.fresh if name in records and pointer(records[name].output)]:
        lines.append(f"note: {pointers_told(len(pointers))}\n\nhint: {lfs.HINT}\n")
    if stood_in:
        lines.append(f"placeholders: {', '.join(stood_in)}")
    counts = {
        "built": len(outcome.built),
        "restored": len(outcome.restored),
        "fresh": len(outcome.fresh),
        "edited": len(outcome.edited),
        "blocked": len(outcome.blocked),
        "failed": len(outcome.failed),
    }
    told = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    lines.append(f"{told or 'nothing to do'} in {outcome.seconds:.1f} s (profile {session.manifest.profile})")
    return lines


def _trouble(word: str, item: Failed) -> list[str]:
    lines = [f"{paint(word, 'red')}  {item.name}: {tame(item.message)}"]
    lines += [f"    | {tame(line)}" for line in item.log.splitlines()]
    return [*lines, "", f"hint: {tame(item.hint)}", ""] if item.hint else [*lines, ""]
