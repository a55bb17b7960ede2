"""The candidates of an asset as one HTML page that needs nothing else, to choose one of them by eye.

Knows nothing of files. Every text may be a stranger's: a prompt, an engine's complaint.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from html import escape
from typing import Final

import msgspec

from buildsys.comparison import pictures
from buildsys.digest import Digest
from buildsys.journal.document import document, tiles
from buildsys.journal.tables import Table, in_html
from buildsys.journal.words import NOTHING, printable
from buildsys.manifest.model import AssetName
from buildsys.plan.candidates import Entrant, measured

MARK: Final = '<meta name="generator" content="artlock candidates">'
"""Tells a page of ours, which may be written over, from anybody else's."""

_LOST: Final = "its picture is no longer in the store"

_STYLE: Final = """
.picture.adopted { border-color: var(--good); box-shadow: inset 0 0 0 2px var(--good); }
.picture b span { color: var(--good); }
.picture dl { margin: 0; font-size: 13px; font-variant-numeric: tabular-nums; }
.picture dd.counts { font-weight: 600; }
.picture ul.faults { color: var(--bad); }
.picture code {
  margin-top: auto; padding: 4px 8px; border-radius: 6px; background: var(--paper); font-size: 12px;
  overflow-wrap: anywhere; user-select: all;
}
"""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to choose from."""

    name: AssetName
    prompt: str
    text: str
    choose: str
    """The metric that counts."""
    metrics: tuple[str, ...]
    """Those that are shown."""
    adopted: int
    """The number of the one that the lock has; 0 for none."""
    entrants: tuple[Entrant, ...]


def page(choice: Choice, read: Callable[[Digest], bytes | None]) -> str:
    """The page; `read` gives the bytes of a picture, None where they are gone."""
    title = printable(f"Candidates: {choice.name}")
    top = pictures.facts(
        (
            ("prompt", choice.prompt),
            ("text", choice.text),
            ("chosen by", choice.choose),
            ("adopted", str(choice.adopted or "none")),
        )
    )
    boxes = [_picture(one, choice, read) for one in choice.entrants]
    body = f"{_tiles(choice)}{pictures.grid(boxes, 1)}{_numbers(choice)}"
    style = pictures.STYLE + _STYLE
    return document(title, top, body, mark=MARK, style=style, pictures=True)


def _tiles(choice: Choice) -> str:
    made = [one for one in choice.entrants if one.record is not None]
    failed = sum(bool(one.faults) for one in made)
    return tiles(
        [
            (f"{len(made)} of {len(choice.entrants)}", "candidates made", ""),
            (str(failed), "failed a gate", "failed" if failed else ""),
            (str(choice.adopted or "none"), "adopted", ""),
        ]
    )


def _picture(one: Entrant, choice: Choice, read: Callable[[Digest], bytes | None]) -> str:
    chosen = one.number == choice.adopted
    words = f"<b>{escape(_title(one))}{' · <span>adopted</span>' if chosen else ''}</b>"
    if one.record is None:
        return pictures.section(f"{pictures.none(one.message)}{words}{_command(one, choice)}")
    data = read(one.record.picture.file)
    size = one.record.picture.width, one.record.picture.height
    shown = pictures.none(_LOST) if data is None else pictures.frame(data, _title(one), size)
    listed = "".join(f"<li>{escape(printable(fault))}</li>" for fault in one.faults)
    faults = f'<ul class="faults">{listed}</ul>' if listed else ""
    body = f"{shown}{words}{_scores(one, choice)}{faults}{_command(one, choice)}"
    return pictures.section(body, "adopted" if chosen else "")


def _title(one: Entrant) -> str:
    return str(one.number) if one.seed is None else f"{one.number} · seed {one.seed}"


def _scores(one: Entrant, choice: Choice) -> str:
    told = ""
    for metric in choice.metrics:
        value = measured(one, metric)
        if value is not None:
            kind = ' class="counts"' if metric == choice.choose else ""
            told += f"<dt>{metric}</dt><dd{kind}>{value:.3f}</dd>"
    return f"<dl>{told}</dl>" if told else ""


def _command(one: Entrant, choice: Choice) -> str:
    return f"<code>{escape(shlex.join(['artlock', 'pick', choice.name, str(one.number)]))}</code>"


def _numbers(choice: Choice) -> str:
    heads = (f"{metric}*" if metric == choice.choose else metric for metric in choice.metrics)
    table = Table(
        caption="A row for each candidate; * is what counts",
        heads=("number", "seed", *heads, "verdict"),
        rows=[_row(one, choice) for one in choice.entrants],
        long=True,
    )
    return f'<section class="wide"><h2>Numbers</h2>\n{in_html(table)}</section>\n'


def _row(one: Entrant, choice: Choice) -> tuple[str, ...]:
    scores = (measured(one, metric) for metric in choice.metrics)
    words = ["adopted"] if one.number == choice.adopted else []
    return (
        str(one.number),
        NOTHING if one.seed is None else str(one.seed),
        *(NOTHING if value is None else f"{value:.3f}" for value in scores),
        "; ".join([*words, *one.faults, *([one.message] if one.message else [])]),
    )
