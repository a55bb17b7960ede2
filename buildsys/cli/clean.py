"""`artlock clean`: removes outputs that no asset owns any more, and nothing that a person made."""

from __future__ import annotations

import argparse
import sys

from buildsys import leftovers
from buildsys.cli import options as shared
from buildsys.cli.console import count, print_json, say
from buildsys.errors import ArtlockError, Exit
from buildsys.leftovers import Kind, Leftover


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what would be removed, and stop")
    parser.add_argument("-y", "--yes", action="store_true", help="remove without asking")


def run(options: argparse.Namespace) -> int:
    """List, ask, remove."""
    session = shared.session(options)
    found = leftovers.find(session, session.plan())
    removable = [item for item in found if item.kind is Kind.MADE]
    kept = [item for item in found if item.kind is not Kind.MADE]
    if not options.json:
        print("\n".join(_lines(removable, kept)))
    if removable and not options.dry_run:
        _ask(removable, sure=options.yes)
    removed: tuple[Leftover, ...] = ()
    if not options.dry_run:
        removed, stayed = leftovers.clean(session)
        kept = list(stayed)
    if options.json:
        print_json(
            {
                "removable": [item.path for item in removable],
                "removed": [item.path for item in removed],
                "kept": {item.path: item.kind.value for item in kept},
            }
        )
    elif removed:
        say(f"{count(len(removed), 'file')} removed")
    edited = [item.path for item in kept if item.kind is Kind.EDITED]
    if edited and not removable and not options.json:
        # The lock keeps their entries as long, so that `check` is not content either.
        say(f"\nhint: {leftovers.by_hand(edited)}")
    return Exit.FINE


def _lines(removable: list[Leftover], kept: list[Leftover]) -> list[str]:
    lines = [f"remove  {item.path}" for item in removable]
    lines += [f"keep    {line}" for line in leftovers.told(kept)]
    return lines or ["nothing to clean"]


def _ask(removable: list[Leftover], *, sure: bool) -> None:
    """Raise `ArtlockError` unless a person agrees, now or by `--yes`."""
    if sure:
        return
    files = count(len(removable), "file")
    if not sys.stdin.isatty():
        raise ArtlockError(f"{files} would be removed, and nobody is there to ask", "add `--yes`")
    say(f"Remove {files}? [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ArtlockError("nothing was removed", "answer `y`, or add `--yes`")
