"""`artlock adopt`: outputs that were changed by hand become sources."""

from __future__ import annotations

import argparse

from buildsys import adoption, art, keeping
from buildsys.cli import options as shared
from buildsys.cli.build import as_json, summary
from buildsys.cli.console import print_json, say
from buildsys.cli.live import display
from buildsys.errors import Exit


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("names", nargs="+", metavar="NAME", help="assets whose files were changed by hand")
    parser.add_argument("--to", default=art.FOLDER, metavar="DIR", help=f"where the copies go ({art.FOLDER})")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what would be done, and stop")


def run(options: argparse.Namespace) -> int:
    """Adopt, build, and say where the sources are."""
    session = shared.session(options)
    keeping.refuse(session.lock, session.names(options.names) or (), "artlock adopt")
    items = adoption.plan(session, options.names, options.to.strip("/") or art.FOLDER)
    told = [f"{item.output} → {item.picture}, the source of {item.name}" for item in items]
    sources = {item.name: item.picture for item in items}
    if options.dry_run:
        if options.json:
            print_json({"sources": sources})
        else:
            print("\n".join(told))
        return Exit.FINE
    with display() as shown:
        outcome = adoption.carry_out(session, items, tell=shown.tell, planned=shown.planned)
    if options.json:
        print_json({**as_json(outcome), "sources": sources})
    else:
        print("\n".join(told))
    for line in summary(outcome, session, ()):
        say(line)
    return Exit.FAILED if outcome.blocked or outcome.failed else Exit.FINE
