"""A benchmark's result: tables for people, JSON for programs, both from one value.

Knows nothing of any one benchmark.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import machine
from rich.console import Console
from rich.table import Table as RichTable

_PLACES: Final = {"--json", "--work"}
"""Options that say where files go, and so are no part of how it was measured."""


@dataclass(frozen=True, slots=True)
class Start:
    """When a run began, and on what; the machine is asked before the run makes it busy."""

    date: datetime
    machine: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings; the first column is a name, the others are numbers."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def arguments(doc: str) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has; `doc` is its docstring."""
    parser = argparse.ArgumentParser(
        description=doc.partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="a short run that shows that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there, too")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="work there and keep it")
    return parser


def start() -> Start:
    """Now."""
    return Start(datetime.now(UTC), machine.machine())


def publish(
    name: str, results: dict[str, Any], tables: tuple[Table, ...], options: argparse.Namespace, began: Start
) -> None:
    """Print `tables`, and write everything to `options.json` if that is a file."""
    console = Console()
    for table in tables:
        shown = RichTable(*table.headings, title=table.title, title_justify="left")
        for column in shown.columns[1:]:
            column.justify = "right"
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)
    if options.json is not None:
        found = {
            "benchmark": name,
            "date": began.date.isoformat(timespec="seconds"),
            "minutes": round((datetime.now(UTC) - began.date).total_seconds() / 60, 1),
            "command": _command(name),
            "small": options.small,
            "machine": began.machine,
            "versions": machine.versions(),
            "results": results,
            "tables": [asdict(table) for table in tables],
        }
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def tell(text: str) -> None:
    """Say on stderr what goes on; a full run takes minutes."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def _command(name: str) -> str:
    """As it was typed, without the options that say where files go."""
    words = sys.argv[1:]
    before = ["", *words]
    kept = [
        word
        for last, word in zip(before, words, strict=False)
        if not {last, word.partition("=")[0]} & _PLACES
    ]
    return " ".join(["python", f"benchmarks/{name}.py", *kept])
