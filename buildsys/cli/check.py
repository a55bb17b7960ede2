"""`artlock check`: do manifest, lock and files agree? No engine, key or GPU; for hooks and CI.

Where they did the last time, and nothing changed since, neither manifest nor lock is read: so what reads
them is loaded only where that is not so.
"""

from __future__ import annotations

import argparse
import gc

from buildsys import agreement
from buildsys.cli import options as shared
from buildsys.cli.console import count, print_json
from buildsys.errors import ArtlockError, Exit
from buildsys.places import find_root


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("--full", action="store_true", help="hash every byte; trust no index")
    parser.add_argument("--approved", action="store_true", help="and has a person accepted every picture?")
    parser.add_argument("names", nargs="*", metavar="NAME", help="with `--approved`: only these need to be")


def run(options: argparse.Namespace) -> int:
    """Say what differs; a program is told by the exit code as well, of which kind it is."""
    if options.names and not options.approved:
        raise ArtlockError("`check` takes no names: it looks at everything", "add `--approved`, or name none")
    whole = options.full or options.approved
    known = None if whole else agreement.recall(find_root(options.start), options.profile)
    if known is None:
        from buildsys.cli import differences  # noqa: PLC0415 - half of the time where nothing changed

        # A tenth of the time went into looking for cycles among a million values, all of which are kept.
        gc.disable()
        try:
            return differences.tell(options)
        finally:
            gc.enable()
    if options.json:
        nothing: list[str] = []
        print_json(
            {
                "agree": True,
                "kind": "",
                "code": Exit.FINE,
                "checked": known,
                "differences": nothing,
                "orphans": nothing,
                "placeholders": nothing,
            }
        )
    else:
        print(f"{count(known, 'asset')} checked: manifest, lock and files agree")
    return Exit.FINE
