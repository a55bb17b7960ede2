"""Words on a terminal: marks, colours where they help, columns, JSON. Data to stdout, the rest to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TextIO

from buildsys.cli import streams
from buildsys.journal.words import count as count  # noqa: PLC0414 - every command that prints has it from here

_COLOURS: Final = {"green": 32, "yellow": 33, "red": 31, "blue": 34, "cyan": 36, "grey": 90, "bold": 1}

COLOUR_OF: Final[Mapping[str, str]] = {
    "fresh": "green",
    "restore": "cyan",
    "build": "blue",
    "edited": "yellow",
    "blocked": "red",
    "frozen": "cyan",
}
"""By verdict; by its word, so that a command that judges nothing need not load the plan."""


def colourful(stream: TextIO) -> bool:
    """Whether a person looks at `stream`, and did not ask for none (`NO_COLOR`)."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """`text` in a colour, where `stream` (stdout) shows any; it must read as well without."""
    if not colourful(stream or sys.stdout):
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def columns(rows: Iterable[Sequence[str]], indent: str = "") -> str:
    """`rows` with every column but the last padded to its widest cell."""
    table = [list(row) for row in rows]
    if not table:
        return ""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]) - 1)]
    lines = [
        indent + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in table
    ]
    return "\n".join(line.rstrip() for line in lines)


def pointers_told(number: int) -> str:
    """That so many assets agree with the lock, but were not fetched."""
    return f"of {count(number, 'asset')} only a Git LFS pointer is here, not the file"


def print_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can carry
    """`value` on stdout, for a program."""
    plain = (sys.stdout.encoding or "").lower() != "utf-8"
    print(json.dumps(value, ensure_ascii=plain, indent=2))


def tame(text: str) -> str:
    """`text` of a stranger (an engine, a lock) with what could steer a terminal spelled out."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
        for letter in text
    )


def say(text: str) -> None:
    """A line for a person, on stderr, so that stdout stays data."""
    with streams.outliving(sys.stderr):
        print(text, file=sys.stderr, flush=True)
