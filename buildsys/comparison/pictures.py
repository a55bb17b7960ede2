"""Pictures on a page: each inlined in a frame of its own, and laid out in a grid.

Knows nothing of what they show.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from itertools import chain, zip_longest
from typing import Final

from buildsys.journal.words import printable

SMALL: Final = 128
"""Pixels up to which a picture is shown enlarged, with hard edges."""

_TYPES: Final = ((b"\x89PNG", "image/png"), (b"RIFF", "image/webp"), (b"\xff\xd8", "image/jpeg"))

STYLE: Final = """
.pictures {
  display: grid; gap: 16px; overflow-x: auto; margin-top: 16px;
  grid-template-columns: repeat(auto-fill, minmax(max(140px, (100% - 48px) / 4), 1fr));
}
.pictures.seeds { grid-template-columns: repeat(var(--columns), minmax(200px, 1fr)); }
.pictures.rows {
  grid-template-columns: minmax(56px, max-content) repeat(var(--columns), minmax(200px, 1fr));
}
.head { font-weight: 600; overflow-wrap: anywhere; }
.head.row { max-width: 132px; padding-top: 12px; }
.picture { padding: 12px; display: flex; flex-direction: column; gap: 8px; }
.frame {
  aspect-ratio: 1; display: flex; align-items: center; justify-content: center; border-radius: 6px;
  overflow: hidden; background: var(--paper);
}
.frame img {
  max-width: 100%; max-height: 100%; width: auto; height: auto; display: block;
  background: repeating-conic-gradient(#868c96 0% 25%, #767c86 0% 50%) 0 0 / 16px 16px;
}
.frame img.small { image-rendering: pixelated; }
.frame img.small.wide { width: 100%; }
.frame img.small.tall { height: 100%; }
.frame.none {
  overflow: visible; padding: 16px; color: var(--bad); text-align: center; overflow-wrap: anywhere;
  font-size: 13px;
}
.picture b { overflow-wrap: anywhere; }
.picture ul { margin: 0; padding-left: 16px; color: var(--faint); font-size: 13px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 12px 0 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
"""


def section(body: str, kind: str = "") -> str:
    """A picture's box, `body` being HTML; `kind` is a class of its own."""
    return f'<section class="picture{f" {kind}" if kind else ""}">{body}</section>'


def frame(data: bytes, name: str, size: tuple[int, int]) -> str:
    """The picture `data` of this size."""
    shape = "wide" if size[0] >= size[1] else "tall"
    kind = f"small {shape}" if max(size) <= SMALL else ""
    source = f"data:{mime_of(data)};base64,{base64.b64encode(data).decode()}"
    return f'<div class="frame"><img class="{kind}" alt="{escape(printable(name))}" src="{source}"></div>'


def mime_of(data: bytes) -> str:
    """What kind of file a browser should take `data` for."""
    return next((mime for start, mime in _TYPES if data.startswith(start)), "application/octet-stream")


def none(message: str) -> str:
    """The frame of a picture that is not there."""
    return f'<div class="frame none">{escape(printable(message))}</div>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """What was asked for, word by word; what is empty is left out."""
    told = "".join(f"<dt>{word}</dt><dd>{escape(printable(value))}</dd>" for word, value in rows if value)
    return f"<dl>{told}</dl>\n"


def grid(shown: Sequence[str], columns: int, heads: Sequence[str] = (), rows: Sequence[str] = ()) -> str:
    """Boxes in `columns`, or where there is room if that is one; `heads` above them, `rows` before them."""
    if columns < 2:  # noqa: PLR2004 - one column
        return f'<div class="pictures">{"".join(shown)}</div>\n'
    # As many columns as asked for, also where that is wider than the screen.
    lines = [shown[first : first + columns] for first in range(0, len(shown), columns)]
    if rows:
        begun = (_head(row, "row") for row in rows)
        lines = [[head, *line] for head, line in zip_longest(begun, lines, fillvalue="")]
    if heads:
        lines = [[*([_head("", "row")] if rows else []), *(_head(head, "column") for head in heads)], *lines]
    kind = "pictures seeds rows" if rows else "pictures seeds"
    return f'<div class="{kind}" style="--columns: {columns}">{"".join(chain(*lines))}</div>\n'


def _head(words: str, kind: str) -> str:
    return f'<div class="head {kind}">{escape(printable(words))}</div>'
