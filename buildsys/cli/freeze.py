"""`artlock freeze NAME`: let a picture stay as it is, whatever becomes of its recipe."""

from __future__ import annotations

import argparse

from buildsys import keeping
from buildsys.cli import options as shared
from buildsys.cli.console import paint, print_json, say
from buildsys.errors import Exit
from buildsys.session import LOCK, Session


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument(
        "names", nargs="+", metavar="NAME", help="assets, or patterns of their names: `items/*`"
    )


def run(options: argparse.Namespace) -> int:
    """Freeze, and say what to do next."""
    session = Session.of_lock(options.start, options.profile)
    done = keeping.freeze(session, options.names)
    if options.json:
        print_json({"frozen": list(done)})
        return Exit.FINE
    for name in done:
        print(f"{paint('frozen', 'cyan')}  {name}")
    say(f"\nhint: commit `{LOCK}`; `artlock thaw` ends it" if done else "they were frozen before")
    return Exit.FINE
