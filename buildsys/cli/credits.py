"""`artlock credits`: what the game must credit, from the lock: works, authors, licences."""

from __future__ import annotations

import argparse
from collections import defaultdict
from typing import Final

from buildsys.cli import options as shared
from buildsys.cli.console import print_json
from buildsys.errors import Exit
from buildsys.plan.credits import owed
from buildsys.plan.handmade import HAND_MADE
from buildsys.plan.record import Credit
from buildsys.session import Session

_ADDRESSES: Final = {
    "Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "MIT": "https://opensource.org/license/mit",
    "OFL-1.1": "https://openfontlicense.org",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the credits as Markdown, or as JSON."""
    session = shared.session(options)
    owed = _owed(session)
    if options.json:
        print_json(
            [
                {
                    "title": credit.title,
                    "author": credit.author,
                    "licence": credit.licence,
                    "source": credit.source,
                    "assets": assets,
                }
                for credit, assets in owed.items()
            ]
        )
    else:
        print(_markdown(owed))
    return Exit.FINE


def _owed(session: Session) -> dict[Credit, list[str]]:
    """Each work once, with the assets that it went into; by licence, source, author, title."""
    found: defaultdict[Credit, list[str]] = defaultdict(list)
    for name, record in sorted(session.lock.records.items()):
        for credit in owed(record, session.lock.records):
            found[credit].append(name)
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def _order(credit: Credit) -> tuple[str, str, str, str]:
    return credit.licence, credit.source, credit.author, credit.title


def _licence(name: str, source: str) -> str:
    """The licence with its address; where it asks for it, that the works were changed.

    What became of a picture that was made by hand, its author knows better.
    """
    address = _ADDRESSES.get(name)
    linked = f"[{name}]({address})" if address else name
    if "BY" not in name or source == HAND_MADE:
        return linked
    return f"{linked}; changed: recoloured, scaled, put together anew, or drawn by a model that learned them"


def _markdown(owed: dict[Credit, list[str]]) -> str:
    lines = ["# Credits", ""]
    heading = ("", "")
    for credit in owed:
        if (credit.source, credit.licence) != heading:
            heading = (credit.source, credit.licence)
            lines += [] if lines[-1] == "" else [""]
            lines += [f"## {credit.source}", ""]
            lines += [f"Under {_licence(credit.licence, credit.source)}.", ""] if credit.licence else []
        lines.append(f"- {credit.title} by {credit.author}" if credit.author else f"- {credit.title}")
    return "\n".join(lines) if owed else "The lock owes nobody a credit."
