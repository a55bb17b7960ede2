"""`artlock push`: send to the remote what it lacks."""

from __future__ import annotations

import argparse

import msgspec

from buildsys import exchange
from buildsys.cli import options as shared
from buildsys.cli.console import count, print_json, say
from buildsys.cli.moving import Moving, moved_told, refused_told
from buildsys.errors import Exit
from buildsys.remote import Pushed


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument(
        "--verify",
        action="store_true",
        help="read back what the remote has, and overwrite what is wrong there",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="assets; the whole lock if none is named")


def run(options: argparse.Namespace) -> int:
    """Send what is missing; exit 1 where the remote has wrong bytes, and this machine not the right ones."""
    session = shared.session(options)
    with Moving("read back or sent" if options.verify else "sent") as moving:
        done = exchange.push(session, options.names, moving.tell, verify=options.verify)
    if options.json:
        print_json(
            {
                "objects": done.objects,
                "actions": done.actions,
                "bytes": done.bytes,
                "present": done.present,
                "absent": sorted(done.absent),
                "withheld": sorted(done.withheld),
                "verified": done.verified,
                "mended": done.mended,
                "poisoned": msgspec.to_builtins(done.poisoned),
            }
        )
    else:
        print(_told(done, verify=options.verify))
    _remark(done)
    return Exit.FAILED if done.poisoned else Exit.FINE


def _told(done: Pushed, *, verify: bool) -> str:
    """One line: what was sent, and what was wrong there."""
    told = moved_told("sent", done.objects, done.actions, done.bytes, done.present)
    if verify:
        told += f"; {done.verified} read back"
    if done.mended:
        told += f"; {done.mended} {'was' if done.mended == 1 else 'were'} wrong there, and overwritten"
    return told


def _remark(done: Pushed) -> None:
    if done.absent:
        lost = count(len(done.absent), "object")
        are = "is" if len(done.absent) == 1 else "are"
        say(f"note: {lost} of the lock {are} neither here nor in the remote")
    if done.poisoned:
        say(refused_told([found.place for found in done.poisoned]))
