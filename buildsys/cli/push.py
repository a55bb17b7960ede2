"""`artlock push`: send to the remote what it lacks."""

from __future__ import annotations

import argparse

from buildsys import exchange
from buildsys.cli import options as shared
from buildsys.cli.console import count, print_json, say
from buildsys.cli.moving import Moving, moved_told
from buildsys.errors import Exit
from buildsys.remote import Pushed


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="assets; the whole lock if none is named")


def run(options: argparse.Namespace) -> int:
    """Send what is missing."""
    session = shared.session(options)
    with Moving("sent") as moving:
        done = exchange.push(session, options.names, moving.tell)
    if options.json:
        print_json(
            {
                "objects": done.objects,
                "actions": done.actions,
                "bytes": done.bytes,
                "present": done.present,
                "absent": sorted(done.absent),
                "withheld": sorted(done.withheld),
            }
        )
    else:
        print(moved_told("sent", done.objects, done.actions, done.bytes, done.present))
    _remark(done)
    return Exit.FINE


def _remark(done: Pushed) -> None:
    if done.absent:
        lost = count(len(done.absent), "object")
        are = "is" if len(done.absent) == 1 else "are"
        say(f"note: {lost} of the lock {are} neither here nor in the remote")
