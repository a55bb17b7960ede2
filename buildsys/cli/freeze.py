"""`artlock freeze NAME`: let a picture stay as it is, whatever becomes of its recipe."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

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
    done = keeping.freeze(Session.of_lock(options.start, options.profile), options.names)
    return tell(
        options, "frozen", done, f"\nhint: commit `{LOCK}`; `artlock thaw` ends it", "they were frozen before"
    )


def tell(options: argparse.Namespace, word: str, done: Iterable[str], then: str, otherwise: str) -> int:
    """Say which assets are now `word`; `then` what to do next, or `otherwise` where none is."""
    names = list(done)
    if options.json:
        print_json({word: names})
        return Exit.FINE
    for name in names:
        print(f"{paint(word, 'cyan')}  {name}")
    say(then if names else otherwise)
    return Exit.FINE
