"""`artlock thaw NAME`: let a frozen picture change again with its recipe."""

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
    """Thaw, and say what to do next."""
    session = Session.of_lock(options.start, options.profile)
    done = keeping.thaw(session, options.names)
    if options.json:
        print_json({"thawed": list(done)})
        return Exit.FINE
    for name in done:
        print(f"{paint('thawed', 'cyan')}  {name}")
    say(f"\nhint: run `artlock build`, and commit `{LOCK}`" if done else "none of them was frozen")
    return Exit.FINE
