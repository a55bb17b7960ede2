"""`artlock hooks install`: git checks what is staged, merges the lock by asset, and shows pictures' facts."""

from __future__ import annotations

import argparse
from pathlib import Path

from buildsys.cli.console import columns, paint, print_json, say
from buildsys.errors import Exit
from buildsys.githooks import install
from buildsys.githooks.install import State
from buildsys.places import find_root

_TOLD = {
    "installed": "installed",
    "other": "somebody else's, and runs the check",
    "missing": "not installed",
    "older": "not as it would be installed now",
    "foreign": "somebody else's, without the check",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=("install", "uninstall", "status"), help="what to do in this clone")
    parser.add_argument(
        "-C", dest="start", metavar="DIR", type=Path, default=Path(), help="work in this folder"
    )
    parser.add_argument("--json", action="store_true", help="with `status`, print one JSON value on stdout")


def run(options: argparse.Namespace) -> int:
    """Install, remove, or tell."""
    root = find_root(options.start)
    if options.action == "status":
        return _status(install.state(root), json=options.json)
    if options.action == "uninstall":
        for item in install.uninstall(root):
            print(f"{paint('removed', 'green')} {item}")
        return Exit.FINE
    add(root)
    return Exit.FINE


def add(root: Path) -> None:
    """Install for the project in `root`, and say what was done."""
    before, now = install.install(root)
    if before.whole:
        say("everything is installed already")
        return
    if before.hook != now.hook:
        print(f"{paint('wrote', 'green')} {now.path}")
    if not all(before.settings.values()):
        print(f"{paint('set', 'green')} merge, diff and difftool `artlock` in git's settings of this clone")
    if not all(before.attributes.values()):
        print(f"{paint('wrote', 'green')} {root / '.gitattributes'}")


def _status(found: State, *, json: bool) -> int:
    if json:
        print_json(
            {
                "whole": found.whole,
                "hook": found.hook,
                "path": str(found.path),
                "settings": dict(found.settings),
                "attributes": dict(found.attributes),
            }
        )
    else:
        rows = [("hook", _TOLD[found.hook], str(found.path))]
        rows += [("setting", _there(there=there), key) for key, there in found.settings.items()]
        rows += [("attribute", _there(there=there), line) for line, there in found.attributes.items()]
        print(columns(rows))
        if not found.whole:
            say("\nhint: run `artlock hooks install`")
    return Exit.FINE if found.whole else Exit.FAILED


def _there(*, there: bool) -> str:
    return "installed" if there else "not installed"
