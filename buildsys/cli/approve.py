"""`artlock approve NAME`: note in the lock that a picture was accepted, and by whom."""

from __future__ import annotations

import argparse
from pathlib import Path

from buildsys import approval
from buildsys.approval import Said
from buildsys.cli import options as shared
from buildsys.cli.console import paint, print_json, say, tame
from buildsys.errors import ArtlockError, Exit
from buildsys.session import LOCK, Session


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="assets, or patterns of their names: `items/*`"
    )
    parser.add_argument(
        "--from", dest="marks", type=Path, metavar="FILE", help="marks that the page of a review exported"
    )
    parser.add_argument("--by", default="", metavar="WHO", help="`Name <mail>`; git's identity otherwise")
    parser.add_argument("--revoke", action="store_true", help="take it back, whoever approved")


def run(options: argparse.Namespace) -> int:
    """Approve, or take it back."""
    _check(options)
    session = Session.of_lock(options.start, options.profile)
    by = ""
    if options.revoke:
        done = approval.revoke(session, options.names)
    else:
        by = approval.person(session, options.by)
        if options.marks is None:
            done = approval.approve(session, options.names, by)
        else:
            done = approval.follow(session, approval.read(options.marks), by)
    if options.json:
        print_json(_as_json(done, by))
    else:
        _tell(done, by)
    return Exit.FINE


def _check(options: argparse.Namespace) -> None:
    if options.names and options.marks:
        raise ArtlockError("assets are named, and `--from` is given", "leave one of the two away")
    if not options.names and (options.revoke or options.marks is None):
        raise ArtlockError("no asset is named", "name assets, or `'*'` for all")


def _tell(done: Said, by: str) -> None:
    for name in done.approved:
        print(f"{paint('approved', 'green')}  {name}")
    for name in done.already:
        print(f"approved before  {name}")
    for name in done.revoked:
        print(f"{paint('revoked', 'yellow')}  {name}")
    for mark in done.rejected:
        note = f": {tame(mark.note)}" if mark.note else ""
        print(f"{paint('rejected', 'red')}  {tame(mark.name)}{note}")
    for name, why in done.skipped:
        say(f"warning: the mark on `{tame(name)}` is skipped: {tame(why)}")
    if done.approved:
        say(f"\nby {tame(by)}\n\nhint: commit `{LOCK}`")
    elif done.revoked:
        say(f"\nhint: commit `{LOCK}`")
    elif not (done.already or done.rejected or done.skipped):
        say("nothing was approved before")


def _as_json(done: Said, by: str) -> dict[str, object]:
    return {
        "by": by,
        "approved": list(done.approved),
        "already": list(done.already),
        "revoked": list(done.revoked),
        "skipped": dict(done.skipped),
        "rejected": [{"name": mark.name, "note": mark.note} for mark in done.rejected],
    }
