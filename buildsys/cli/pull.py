"""`artlock pull`: bring from the remote what the store lacks."""

from __future__ import annotations

import argparse

import msgspec

from buildsys import exchange
from buildsys.cli import options as shared
from buildsys.cli.console import print_json, say
from buildsys.cli.moving import Moving, moved_told, refused_told
from buildsys.errors import Exit
from buildsys.remote import Pulled


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="assets; the whole lock if none is named")


def run(options: argparse.Namespace) -> int:
    """Bring what is missing; exit 1 where something had to be refused."""
    session = shared.session(options)
    with session.store.leased(session.root), Moving("brought") as moving:
        done = exchange.pull(session, options.names, moving.tell)
    if options.json:
        print_json(
            {
                "objects": done.objects,
                "actions": done.actions,
                "bytes": done.bytes,
                "present": done.present,
                "absent": sorted(done.absent),
                "poisoned": msgspec.to_builtins(done.poisoned),
            }
        )
    else:
        print(moved_told("brought", done.objects, done.actions, done.bytes, done.present))
    _remark(done)
    return Exit.FAILED if done.poisoned else Exit.FINE


def _remark(done: Pulled) -> None:
    if done.absent:
        say(f"note: the remote lacks {len(done.absent)} of the objects and results that the lock names")
    if done.poisoned:
        say(refused_told([found.place for found in done.poisoned]))
