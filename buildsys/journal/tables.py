"""Tables in HTML, every text escaped.

Knows nothing of what they hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import msgspec

from buildsys.journal.words import printable

ROWS: Final = 50
"""Of a table; the whole is what `--json` gives."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows under heads; the first `words` columns are text, and the last one where `long`."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    long: bool = False


def in_html(table: Table) -> str:
    """The table, which scrolls where it is too wide."""
    heads = "".join(
        f'<th scope="col"{_kind(table, place, head)}>{escape(head)}</th>'
        for place, head in enumerate(table.heads)
    )
    rows = "".join(f"<tr>{_cells(table, row)}</tr>\n" for row in table.rows)
    return (
        f'<div class="table"><table><caption>{escape(table.caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _cells(table: Table, row: Sequence[str]) -> str:
    cells = []
    for place, text in enumerate(row):
        tag = "th" if place == 0 else "td"
        scope = ' scope="row"' if place == 0 else ""
        cells.append(f"<{tag}{scope}{_kind(table, place, text)}>{escape(printable(text))}</{tag}>")
    return "".join(cells)


def _kind(table: Table, place: int, text: str) -> str:
    if table.long and place == len(table.heads) - 1:
        return ' class="long"'
    if place >= table.words:
        return ""
    ending = f" {text}" if text in ("done", "failed", "killed", "interrupted", "running") else ""
    return f' class="word{ending}"'
