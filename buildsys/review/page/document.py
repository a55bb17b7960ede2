"""The HTML of a review's page: its frame, its style, its script, and who may run or load what.

Knows nothing of the review: the script builds what is shown out of the data that stands in the page.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from buildsys.journal.sheet import STYLE

MARK: Final = '<meta name="generator" content="artlock diff">'
"""Tells a page of ours, which may be written over, from anybody else's."""

_PLACE: Final = Path(__file__).resolve().parent
_STYLES: Final = ("page.css", "stage.css")
_SCRIPTS: Final = (
    "data.js",
    "plates.js",
    "marks.js",
    "facts.js",
    "stage.js",
    "modes.js",
    "list.js",
    "filters.js",
    "page.js",
)
"""In the order in which they are put together: each uses those before it."""


def head(project: str, *, folder: bool) -> bytes:
    """From the doctype to where data begins."""
    title = escape(f"{project}: art review" if project else "Art review")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{MARK}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Even a mistake in the script could fetch nothing, and run nothing else.
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(folder=folder)}">\n'
        f"<title>{title}</title>\n<style>{_style()}</style>\n</head>\n<body>\n{_text('frame.html')}"
    ).encode()


def tail(data: bytes) -> bytes:
    """The data, the script, and the end."""
    return (
        b'<script type="application/json" id="review">'
        + data
        + b"</script>\n<script>"
        + _script().encode()
        + b"</script>\n</body>\n</html>\n"
    )


def _policy(*, folder: bool) -> str:
    # A page from a disk has no origin that `'self'` could mean; `file:` is not to be had from the network.
    images = "'self' file:" if folder else "data:"
    return (
        f"default-src 'none'; script-src {_hash(_script())}; style-src {_hash(_style())}; "
        f"img-src {images}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _style() -> str:
    return STYLE + "".join(map(_text, _STYLES))


@cache
def _script() -> str:
    """One script, in a scope of its own: modules can't import each other in a page that lies on a disk."""
    return f'"use strict";\n{{\n{"".join(map(_text, _SCRIPTS))}}}\n'


@cache
def _text(name: str) -> str:
    return (_PLACE / name).read_text(encoding="utf-8")
