"""`artlock check`: do manifest, lock and files agree? No engine, key or GPU; for hooks and CI.

Where they did the last time, and nothing changed since, neither manifest nor lock is read: so what reads
them is loaded only where that is not so. Where only files of some assets changed, only these are judged.
"""

from __future__ import annotations

import argparse
import gc

from buildsys import agreement
from buildsys.cli import options as shared
from buildsys.cli.console import count, print_json
from buildsys.errors import (
    ArtlockError,
    DiskError,
    Exit,
    GitError,
    NewerLockError,
    NoProjectError,
    StoreError,
)
from buildsys.places import find_root


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument(
        "--staged",
        action="store_true",
        help="look at what is staged for the next commit, and at nothing else",
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="say nothing where all agrees, as a hook should"
    )
    parser.add_argument("--full", action="store_true", help="hash every byte; trust no index")
    parser.add_argument("--approved", action="store_true", help="and has a person accepted every picture?")
    parser.add_argument("names", nargs="*", metavar="NAME", help="with `--approved`: only these need to be")


def run(options: argparse.Namespace) -> int:
    """Say what differs; a program is told by the exit code as well, of which kind it is.

    A broken manifest or lock is a difference like any other to `git bisect`; but where nothing could be
    judged, no commit is to blame.
    """
    try:
        return _check(options)
    except (NoProjectError, NewerLockError, GitError, StoreError, DiskError) as error:
        error.exit_code = Exit.UNJUDGED
        raise


def _check(options: argparse.Namespace) -> int:
    if options.names and not options.approved:
        raise ArtlockError("`check` takes no names: it looks at everything", "add `--approved`, or name none")
    if options.staged and options.approved:
        raise ArtlockError("`--staged` and `--approved` exclude each other", "run them one after the other")
    if options.staged:
        from buildsys.cli import staged  # noqa: PLC0415 - only a hook needs it

        return staged.tell(options)
    # A tenth of the time went into looking for cycles among a million values, all of which are kept.
    gc.disable()
    try:
        return _tell(options)
    finally:
        gc.enable()


def _tell(options: argparse.Namespace) -> int:
    whole = options.full or options.approved
    known = None if whole else agreement.recall(find_root(options.start), options.profile)
    if known is None or known.changed:
        from buildsys.cli import differences  # noqa: PLC0415 - half of the time where nothing changed

        return differences.tell(options, known)
    if options.json:
        nothing: list[str] = []
        print_json(
            {
                "agree": True,
                "kind": "",
                "code": Exit.FINE,
                "checked": known.assets,
                "differences": nothing,
                "orphans": nothing,
                "placeholders": nothing,
            }
        )
    elif not options.quiet:
        print(f"{count(known.assets, 'asset')} checked: manifest, lock and files agree")
    return Exit.FINE
