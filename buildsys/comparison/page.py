"""A comparison as one HTML page that needs nothing else: pictures inlined, light and dark, no script.

Knows nothing of files. Every text may be a stranger's: a prompt, a file's name, an engine's complaint.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable
from html import escape
from typing import Final

from buildsys import __version__
from buildsys.comparison.model import Comparison, Entry
from buildsys.comparison.sheet import title
from buildsys.comparison.words import alpha_told, cost_told, cost_words, measures, row_told, took_told
from buildsys.digest import Digest
from buildsys.journal.sheet import STYLE
from buildsys.journal.tables import Table, in_html
from buildsys.journal.words import NOTHING, bytes_told, printable, seconds_told, spent_tile
from buildsys.plan.price import Bill

_SMALL: Final = 128
"""Pixels up to which a picture is shown enlarged, with hard edges."""

_TYPES: Final = ((b"\x89PNG", "image/png"), (b"RIFF", "image/webp"), (b"\xff\xd8", "image/jpeg"))

_OWN: Final = """
.pictures {
  display: grid; gap: 16px; overflow-x: auto; margin-top: 16px;
  grid-template-columns: repeat(auto-fill, minmax(max(140px, (100% - 48px) / 4), 1fr));
}
.pictures.seeds { grid-template-columns: repeat(var(--columns), minmax(200px, 1fr)); }
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


def page(comparison: Comparison, read: Callable[[Digest], bytes]) -> str:
    """The page; `read` gives the bytes of a picture."""
    subject = comparison.subject
    what = "Settings tried" if any(entry.settings for entry in comparison.entries) else "Engines compared"
    name = printable(f"{what}: {subject.name}" if subject.name else what)
    body = f"{_tiles(comparison.entries, comparison.cost)}{_pictures(comparison, read)}{_numbers(comparison)}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Even a mistake in this file could fetch or run nothing.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{escape(name)}</title>\n<style>{STYLE}{_OWN}</style>\n</head>\n<body>\n<main>\n<header>\n"
        f"<h1>{escape(name)}</h1>\n{_asked(comparison)}</header>\n{body}"
        f'<p class="faint">Written by artlock {__version__}.</p>\n</main>\n</body>\n</html>\n'
    )


def _asked(comparison: Comparison) -> str:
    subject = comparison.subject
    size = f"{subject.size[0]} x {subject.size[1]}" if subject.size else ""
    rows = (
        ("prompt", subject.prompt),
        ("negative", subject.negative),
        ("text", subject.text),
        ("size", size),
        ("seeds", ", ".join(map(str, comparison.seeds))),
        ("reference", comparison.reference),
    )
    told = "".join(f"<dt>{word}</dt><dd>{escape(printable(value))}</dd>" for word, value in rows if value)
    return f"<dl>{told}</dl>\n"


def _tiles(entries: Iterable[Entry], cost: Bill) -> str:
    made = [entry for entry in entries if entry.picture is not None]
    failed = sum(entry.picture is None for entry in entries)
    tiles = [
        (str(len(made)), "picture" if len(made) == 1 else "pictures", ""),
        (str(sum(entry.from_store for entry in made)), "from the store", ""),
        (
            seconds_told(math.fsum(entry.make_seconds or 0 for entry in made if not entry.from_store)),
            "engines at work",
            "",
        ),
        (str(failed), "not made", "failed" if failed else ""),
    ]
    if cost.pictures:
        tiles.append((*spent_tile(cost.usd, cost.unknown), ""))
    shown = "".join(
        f'<div class="tile {kind}"><b>{escape(number)}</b>{words}</div>' for number, words, kind in tiles
    )
    return f'<div class="tiles">{shown}</div>\n'


def _pictures(comparison: Comparison, read: Callable[[Digest], bytes]) -> str:
    columns = comparison.columns or len(comparison.seeds)
    several = columns > 1
    shown = [_picture(entry, read) for entry in comparison.entries]
    if comparison.reference_bytes:
        words = f'<b>reference</b><span class="faint">{escape(printable(comparison.reference))}</span>'
        image = _image(comparison.reference_bytes, "reference", comparison.reference_size)
        first = _section(f'<div class="frame">{image}</div>{words}')
        shown = [first, *["<div></div>"] * (columns - 1), *shown]
    # Seeds are columns, also where that is wider than the screen; engines alone go where there is room.
    kind = "pictures seeds" if several else "pictures"
    return f'<div class="{kind}" style="--columns: {columns}">{"".join(shown)}</div>\n'


def _picture(entry: Entry, read: Callable[[Digest], bytes]) -> str:
    name = escape(printable(title(entry)))
    if entry.picture is None:
        frame = f'<div class="frame none">{escape(printable(entry.message))}</div>'
    else:
        size = entry.picture.width, entry.picture.height
        frame = f'<div class="frame">{_image(read(entry.picture.file), name, size)}</div>'
    notes = [*entry.notes, *([f"hint: {entry.hint}"] if entry.hint else [])]
    listed = "".join(f"<li>{escape(printable(note))}</li>" for note in notes)
    words = f"<b>{name}</b>"
    if entry.picture is not None:
        took = f"{took_told(entry)} · {cost_words(entry)}"
        words += f'<span class="faint">{escape(took)}<br>{_standing(entry)}</span>'
    return _section(f"{frame}{words}" + (f"<ul>{listed}</ul>" if listed else ""))


def _section(body: str) -> str:
    return f'<section class="picture">{body}</section>'


def _image(data: bytes, name: str, size: tuple[int, int]) -> str:
    """A picture of this size; `name` is escaped already."""
    shape = "wide" if size[0] >= size[1] else "tall"
    kind = f"small {shape}" if max(size) <= _SMALL else ""
    mime = next((mime for start, mime in _TYPES if data.startswith(start)), "application/octet-stream")
    source = f"data:{mime};base64,{base64.b64encode(data).decode()}"
    return f'<img class="{kind}" alt="{name}" src="{source}">'


def _standing(entry: Entry) -> str:
    if entry.is_reference:
        return "the reference"
    if entry.distance is None:
        return "not compared"
    if entry.distance.likeness != "different":
        return entry.distance.likeness.replace("-", " ")
    return f"hash {entry.distance.hash_bits} of 64 · SSIM {entry.distance.ssim:.3f}"


def _numbers(comparison: Comparison) -> str:
    heads = (
        "engine", "seed", "size", "file", "alpha", "made in", "load", "cost", "hash", "PSNR", "SSIM",
        "changed", "notes",
    )  # fmt: skip
    about = (
        f"Held against {printable(comparison.reference)}. Of pictures of different sizes (*), PSNR "
        "and SSIM are computed at the smaller width and height. Hash: bits of 64 that differ."
    )
    table = Table(
        caption="A row for each picture",
        heads=heads,
        rows=[_row(entry) for entry in comparison.entries],
        long=True,
    )
    return (
        f'<section class="wide"><h2>Numbers</h2>\n<p class="faint">{escape(about)}</p>'
        f"{in_html(table)}</section>\n"
    )


def _row(entry: Entry) -> tuple[str, ...]:
    picture = entry.picture
    return (
        row_told(entry),
        NOTHING if entry.seed is None else str(entry.seed),
        f"{picture.width} x {picture.height}" if picture else NOTHING,
        bytes_told(entry.file_bytes or 0),
        alpha_told(entry),
        took_told(entry),
        seconds_told(entry.load_seconds),
        cost_told(entry),
        *measures(entry.distance, is_reference=entry.is_reference),
        "; ".join(filter(None, (entry.message, *entry.notes))),
    )
