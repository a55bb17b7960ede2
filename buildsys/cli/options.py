"""Options that several commands share."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path
from typing import TYPE_CHECKING, Final

from buildsys.cli.console import say, tame
from buildsys.errors import ArtlockError
from buildsys.places import LOCK

if TYPE_CHECKING:
    from buildsys.session import Session

MOST_NAMED: Final = 5
"""Assets that a line names."""


def add_project(parser: argparse.ArgumentParser) -> None:
    """`-C DIR` and `--profile NAME`."""
    parser.add_argument(
        "-C", dest="start", metavar="DIR", type=Path, default=Path(), help="work in this folder"
    )
    parser.add_argument("--profile", metavar="NAME", help="role map to use; the manifest's default otherwise")


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print one JSON value on stdout")


def add_budget(parser: argparse.ArgumentParser) -> None:
    """`--budget USD`."""
    parser.add_argument(
        "--budget", type=float, metavar="USD", help="ask for no picture that would pass this sum"
    )


def budget(options: argparse.Namespace) -> float | None:
    """The sum of money that the options allow; None for any. Raises `ArtlockError`."""
    found: float | None = options.budget
    if found is not None and not 0 <= found < float("inf"):
        raise ArtlockError(f"`--budget {found:g}` is no sum of money", "give US dollars: `--budget 2.00`")
    return found


def add_no_remote(parser: argparse.ArgumentParser) -> None:
    """Declare the option that leaves the remote alone."""
    parser.add_argument(
        "--no-remote", dest="remote", action="store_false", help="ask no remote for what is missing here"
    )


def add_retry(parser: argparse.ArgumentParser) -> None:
    """`--retry-refused`."""
    parser.add_argument(
        "--retry-refused", action="store_true", help="ask again for what an engine refused before"
    )


def presets(options: argparse.Namespace) -> Session:
    """The session that the options ask for, where presets do if there is no manifest."""
    from buildsys.session import Session  # noqa: PLC0415 - `check` shares these options, and mostly opens none

    return _warned(Session.of_lock(options.start, options.profile))


def session(options: argparse.Namespace) -> Session:
    """The session that the options ask for."""
    from buildsys.session import Session  # noqa: PLC0415 - as above

    looking = gc.isenabled()
    gc.disable()
    try:
        return _warned(Session.open(options.start, options.profile))
    finally:
        # What was read is kept: to look for cycles in it, now and at each turn from now on, took a tenth of
        # a build of ten thousand assets that found nothing to do.
        gc.freeze()
        if looking:
            gc.enable()


def _warned(session: Session) -> Session:
    """`session`; that its lock is in conflict is said by every command, whatever else it has to say."""
    if session.lock.conflicts:
        say(tame(f"warning: {_conflicts(session)}; run `artlock resolve`"))
    return session


def _conflicts(session: Session) -> str:
    names = list(session.lock.conflicts)
    listed = ", ".join(f"`{name}`" for name in names[:MOST_NAMED])
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"both sides of a merge changed {listed}{more} in `{LOCK}`"
