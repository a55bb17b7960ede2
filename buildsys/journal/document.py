"""One HTML page that needs nothing else: no script, no font, nothing from elsewhere.

Knows nothing of what it shows. Texts are escaped by whoever made them HTML, but for the title.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from buildsys import __version__
from buildsys.journal.sheet import STYLE

Tile: TypeAlias = tuple[str, str, str]
"""A number, what it counts, and the class of its box."""


def document(
    title: str,
    top: str,
    body: str,
    *,
    mark: str = "",
    style: str = "",
    pictures: bool = False,
    foot: str = "",
) -> str:
    """The page: `top` stands below its title, `body` below that.

    Args:
        title: as text.
        top: HTML.
        body: HTML.
        mark: HTML for its head, by which a page of ours is known.
        style: rules beyond those that all pages have.
        pictures: whether it holds pictures, as data.
        foot: text that goes on after who wrote it.
    """
    allowed = "style-src 'unsafe-inline'" + ("; img-src data:" if pictures else "")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{mark}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Even a mistake in this file could fetch or run nothing.
        f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; {allowed}">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n<main>\n<header>\n"
        f"<h1>{escape(title)}</h1>\n{top}</header>\n{body}"
        f'<p class="faint">Written by artlock {__version__}{escape(foot)}.</p>\n</main>\n</body>\n</html>\n'
    )


def tiles(items: Iterable[Tile]) -> str:
    """A row of numbers."""
    shown = "".join(
        f'<div class="tile {kind}"><b>{escape(number)}</b>{escape(words)}</div>'
        for number, words, kind in items
    )
    return f'<div class="tiles">{shown}</div>\n'
