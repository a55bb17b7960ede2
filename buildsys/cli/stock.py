"""`artlock stock search WORDS`: the bundled icons nearest to some words."""

from __future__ import annotations

import argparse
import subprocess
import sys

from buildsys.errors import Exit, MakeError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=["search"], help="what to do with the library")
    parser.add_argument("words", nargs="+", metavar="WORD", help="what to look for")
    parser.add_argument("-n", "--limit", type=int, default=12, metavar="N", help="how many (12)")
    parser.add_argument("--json", action="store_true", help="print one JSON value on stdout")


def run(options: argparse.Namespace) -> int:
    """Ask the stock engine, in a process of its own: the builder loads no numpy."""
    command = [sys.executable, "-P", "-m", "engines.stock.search", "--limit", str(options.limit)]
    command += ["--json"] if options.json else []
    # Captured, so that a pipe that closes early ends here, where that is no error.
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, "--", *options.words], check=False, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    print(done.stdout, end="")
    if done.returncode == Exit.FAILED and not options.json:
        raise MakeError(f"nothing in the library is near `{' '.join(options.words)}`", "try other words")
    if done.returncode > Exit.FAILED or done.returncode < 0:
        raise MakeError(f"the search ended with {done.returncode}", "read the lines above, and report them")
    return done.returncode
