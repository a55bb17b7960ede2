"""`artlock import`: pictures that something else made become assets."""

# ruff: noqa: N999 - a command's module has its name, and is loaded by it; no statement imports this one

from __future__ import annotations

import argparse
from pathlib import Path

from buildsys import art
from buildsys.cli import options as shared
from buildsys.cli.console import print_json, say, tame
from buildsys.errors import Exit
from buildsys.imports import run as importing
from buildsys.imports.run import Imported, Wanted
from buildsys.manifest import rewrite


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="PNG, JPEG or WebP pictures")
    parser.add_argument("--role", default="", metavar="ROLE", help="what it is for")
    parser.add_argument("--name", default="", metavar="NAME", help="of the asset; the file's otherwise")
    parser.add_argument(
        "--to",
        default=art.FOLDER,
        metavar="DIR",
        help=f"where copies of pictures from elsewhere go ({art.FOLDER})",
    )
    parser.add_argument(
        "--regenerate", action="store_true", help="have the role's engine make it anew, of what it says"
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what would be added, and stop")


def run(options: argparse.Namespace) -> int:
    """Import, and say what the manifest got."""
    session = shared.session(options)
    wanted = Wanted(
        files=tuple(options.files),
        role=options.role,
        name=options.name,
        folder=options.to.strip("/") or art.FOLDER,
        regenerate=options.regenerate,
    )
    items = importing.plan(session.root, session.manifest, wanted)
    if not options.dry_run:
        importing.carry_out(session.root, items)
    if options.json:
        print_json([importing.shown(item) for item in items])
    else:
        print("\n".join(_told(item) for item in items))
    if not options.dry_run:
        say("next: `artlock build`")
    return Exit.FINE


def _told(item: Imported) -> str:
    """The table as it stands in the manifest."""
    return tame(rewrite.append("", ("assets", item.name), item.entry.table, item.entry.remarks))
