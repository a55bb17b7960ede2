"""A comparison as one HTML page that needs nothing else: pictures inlined, light and dark, no script.

Knows nothing of files. Every text may be a stranger's: a prompt, a file's name, an engine's complaint.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from html import escape

from buildsys.comparison import pictures
from buildsys.comparison.axes import heads
from buildsys.comparison.model import Comparison, Entry
from buildsys.comparison.sheet import title
from buildsys.comparison.words import alpha_told, cost_told, cost_words, measures, row_told, took_told
from buildsys.digest import Digest
from buildsys.journal.document import document, tiles
from buildsys.journal.tables import Table, in_html
from buildsys.journal.words import NOTHING, bytes_told, printable, seconds_told, spent_tile
from buildsys.plan.price import Bill


def page(comparison: Comparison, read: Callable[[Digest], bytes]) -> str:
    """The page; `read` gives the bytes of a picture."""
    subject = comparison.subject
    what = "Settings tried" if any(entry.settings for entry in comparison.entries) else "Engines compared"
    name = printable(f"{what}: {subject.name}" if subject.name else what)
    body = f"{_tiles(comparison.entries, comparison.cost)}{_pictures(comparison, read)}{_numbers(comparison)}"
    return document(name, _asked(comparison), body, style=pictures.STYLE, pictures=True)


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
    return pictures.facts(rows)


def _tiles(entries: Iterable[Entry], cost: Bill) -> str:
    made = [entry for entry in entries if entry.picture is not None]
    failed = sum(entry.picture is None for entry in entries)
    shown = [
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
        shown.append((*spent_tile(cost.usd, cost.unknown), ""))
    return tiles(shown)


def _pictures(comparison: Comparison, read: Callable[[Digest], bytes]) -> str:
    columns = comparison.columns or len(comparison.seeds)
    shown = [_picture(entry, read) for entry in comparison.entries]
    above, before = heads(comparison)
    if comparison.reference_bytes:
        words = f'<b>reference</b><span class="faint">{escape(printable(comparison.reference))}</span>'
        image = pictures.frame(comparison.reference_bytes, "reference", comparison.reference_size)
        shown = [pictures.section(f"{image}{words}"), *["<div></div>"] * (columns - 1), *shown]
        before = ("", *before) if before else ()
    return pictures.grid(shown, columns, above, before)


def _picture(entry: Entry, read: Callable[[Digest], bytes]) -> str:
    if entry.picture is None:
        frame = pictures.none(entry.message)
    else:
        size = entry.picture.width, entry.picture.height
        frame = pictures.frame(read(entry.picture.file), title(entry), size)
    notes = [*entry.notes, *([f"hint: {entry.hint}"] if entry.hint else [])]
    listed = "".join(f"<li>{escape(printable(note))}</li>" for note in notes)
    words = f"<b>{escape(printable(title(entry)))}</b>"
    if entry.picture is not None:
        took = f"{took_told(entry)} · {cost_words(entry)}"
        words += f'<span class="faint">{escape(took)}<br>{_standing(entry)}</span>'
    return pictures.section(f"{frame}{words}" + (f"<ul>{listed}</ul>" if listed else ""))


def _standing(entry: Entry) -> str:
    if entry.is_reference:
        return "the reference"
    if entry.distance is None:
        return "not compared"
    if entry.distance.likeness != "different":
        return entry.distance.likeness.replace("-", " ")
    return f"hash {entry.distance.hash_bits} of 64 · SSIM {entry.distance.ssim:.3f}"


def _numbers(comparison: Comparison) -> str:
    named = (
        "engine", "seed", "size", "file", "alpha", "made in", "load", "cost", "hash", "PSNR", "SSIM",
        "changed", "notes",
    )  # fmt: skip
    about = (
        f"Held against {printable(comparison.reference)}. Of pictures of different sizes (*), PSNR "
        "and SSIM are computed at the smaller width and height. Hash: bits of 64 that differ."
    )
    table = Table(
        caption="A row for each picture",
        heads=named,
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
