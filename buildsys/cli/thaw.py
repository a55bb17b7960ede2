"""`artlock thaw NAME`: let a frozen picture change again with its recipe."""

from __future__ import annotations

import argparse

from buildsys import keeping
from buildsys.cli.freeze import configure as configure  # noqa: PLC0414 - the same options
from buildsys.cli.freeze import tell
from buildsys.session import LOCK, Session


def run(options: argparse.Namespace) -> int:
    """Thaw, and say what to do next."""
    done = keeping.thaw(Session.of_lock(options.start, options.profile), options.names)
    return tell(
        options,
        "thawed",
        done,
        f"\nhint: run `artlock build`, and commit `{LOCK}`",
        "none of them was frozen",
    )
