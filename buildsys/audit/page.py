"""An audit as one HTML page that needs nothing else: no script, no font, no picture from elsewhere.

Knows nothing of files. Every text may be a stranger's: a prompt, a name, an author.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import Final

from buildsys.audit.disclosure import of_kind
from buildsys.audit.forms import approval_told, facts, origin
from buildsys.audit.model import Audit, Entry, Making, State
from buildsys.audit.shown import Shown
from buildsys.comparison.pictures import frame
from buildsys.journal.document import document, tiles
from buildsys.journal.tables import Table, in_html
from buildsys.journal.words import NOTHING, count, printable, spent_tile
from buildsys.manifest.model import AssetName

MARK: Final = '<meta name="generator" content="artlock audit">'
"""Tells a page of ours, which may be written over, from anybody else's."""

_STYLE: Final = """
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .5rem 0; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; overflow-wrap: anywhere; }
details { border-top: 1px solid var(--line); padding: .4rem 0; }
.frame { width: 128px; height: 128px; display: flex; align-items: center; margin: .5rem 0; }
.frame img {
  max-width: 100%; max-height: 100%;
  background: repeating-conic-gradient(#868c96 0% 25%, #767c86 0% 50%) 0 0 / 16px 16px;
}
.frame img.small { image-rendering: pixelated; }
.frame img.small.wide { width: 100%; }
.frame img.small.tall { height: 100%; }
"""


def page(audit: Audit, pictures: Mapping[AssetName, Shown] = MappingProxyType({})) -> str:
    """The page, with the `pictures` inlined."""
    title = f"{printable(audit.project)}: audit of what ships"
    where = f"At commit {audit.commit}" if audit.commit and not audit.working else "The working tree"
    if audit.commit and audit.working:
        where = f"{where}, on commit {audit.commit}"
    notes = "".join(f"<p>{escape(printable(note))}</p>\n" for note in audit.notes)
    top = f'<p class="faint">{escape(where)}</p>\n{notes}'
    body = _tiles(audit) + _models(audit) + _table(audit) + _details(audit, pictures)
    foot = " from lock, git, store and cards. It is a record, not a proof, and no advice on any law"
    return document(title, top, body, mark=MARK, style=_STYLE, pictures=True, foot=foot)


def _tiles(audit: Audit) -> str:
    kinds = Counter(entry.made_by for entry in audit.entries)
    edited = sum(entry.state is State.EDITED for entry in audit.entries)
    known = [entry.cost for entry in audit.entries if entry.cost is not None]
    unknown = len(audit.entries) - len(known)
    shown = [(str(len(audit.entries)), "asset ships" if len(audit.entries) == 1 else "assets ship", "")]
    shown += [
        (str(kinds[kind]), kind.value, "failed" if kind is Making.UNKNOWN else "")
        for kind in Making
        if kinds[kind]
    ]
    shown += [(str(edited), "changed by hand since", "failed")] if edited else []
    spent = spent_tile(sum(known), unknown) if sum(known) or unknown else ("free", "spent")
    shown += [(*spent, "")]
    return tiles(shown)


def _models(audit: Audit) -> str:
    """Each model with its licence: what whoever clears rights looks for first."""
    used = Counter(
        (entry.engine, entry.model or NOTHING, entry.revision[:12], entry.licence)
        for entry in audit.entries
        if entry.licence
    )
    unknown = of_kind(audit, Making.UNKNOWN)
    rows = [(*words, str(number)) for words, number in sorted(used.items())]
    tables = []
    if rows:
        heads = ("engine", "model", "revision", "licence", "pictures")
        tables.append(Table(caption="Models and their licences", heads=heads, rows=rows, words=4))
    if unknown:
        listed = [(entry.asset, entry.because) for entry in unknown]
        caption = f"{count(len(unknown), 'picture')} of which nobody says what made them"
        tables.append(Table(caption=caption, heads=("asset", "why"), rows=listed, long=True))
    shown = "".join(map(in_html, tables))
    return f'<section class="wide"><h2>Rights</h2>{shown}</section>\n' if shown else ""


def _table(audit: Audit) -> str:
    table = Table(
        caption="What ships",
        heads=("asset", "made by", "engine", "model", "brought by", "on", "approved", "state"),
        rows=[_row(entry) for entry in audit.entries],
        words=8,
    )
    return f'<section class="wide"><h2>Assets</h2>{in_html(table)}</section>\n'


def _row(entry: Entry) -> tuple[str, ...]:
    brought = entry.brought
    return (
        entry.asset,
        entry.made_by,
        entry.engine,
        entry.model or NOTHING,
        NOTHING if brought is None else brought.name,
        NOTHING if brought is None else brought.date[:10],
        approval_told(entry) or NOTHING,
        entry.state,
    )


def _details(audit: Audit, pictures: Mapping[AssetName, Shown]) -> str:
    shown = "".join(_entry(entry, pictures.get(entry.asset)) for entry in audit.entries)
    return f'<section class="wide"><h2>One by one</h2>{shown}</section>\n'


def _entry(entry: Entry, shown: Shown | None) -> str:
    picture = frame(shown.data, entry.asset, shown.size) if shown is not None else ""
    further = f"<details><summary>Recipe and digests</summary>{_list(origin(entry))}</details>"
    name = escape(printable(entry.asset))
    return f"<details><summary>{name}</summary>{picture}{_list(facts(entry))}{further}</details>\n"


def _list(rows: Sequence[tuple[str, str]]) -> str:
    told = "".join(
        f"<dt>{escape(head)}</dt><dd>{escape(printable(text))}</dd>" for head, text in rows if text
    )
    return f"<dl>{told}</dl>"
