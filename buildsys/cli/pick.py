"""`artlock pick NAME N`: one candidate chosen by hand, written into the manifest."""

from __future__ import annotations

import argparse

from buildsys.cli import options as shared
from buildsys.cli.console import print_json
from buildsys.errors import ArtlockError, Exit
from buildsys.manifest import edit
from buildsys.manifest.model import Asset

KEY = "pick"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("name", metavar="NAME", help="an asset with `candidates`")
    parser.add_argument("number", metavar="N", nargs="?", type=int, help="see `artlock candidates NAME`")
    parser.add_argument("--clear", action="store_true", help="let the metric choose again")


def run(options: argparse.Namespace) -> int:
    """Edit the manifest, and say what to run."""
    session = shared.session(options)
    (name,) = session.names([options.name]) or ()
    asset = session.manifest.assets[name]
    if options.clear == (options.number is not None):
        fact = f"`--clear` and {options.number} are both given" if options.clear else "no number is given"
        raise ArtlockError(fact, f"run `artlock pick {name} 3`, or `artlock pick {name} --clear`")
    if options.clear:
        file = edit.remove_key(session.root, name, KEY)
        done = f"no candidate of `{name}` is picked any more"
    else:
        _check(asset, options.number)
        file = edit.set_key(session.root, name, KEY, options.number)
        done = f"picked candidate {options.number} of `{name}`"
    if options.json:
        print_json({"name": name, "pick": options.number, "file": file})
    else:
        print(f"{done} in `{file}`\n\nhint: run `artlock build {name}`")
    return Exit.FINE


def _check(asset: Asset, number: int) -> None:
    count = (asset.among or asset).candidates
    if not count:
        raise ArtlockError(f"asset `{asset.name}` has no candidates", "give it `candidates = 8`")
    if not 1 <= number <= count:
        fact = f"{number} is none of the {count} candidates of `{asset.name}`"
        raise ArtlockError(fact, f"pick a number from 1 to {count}")
