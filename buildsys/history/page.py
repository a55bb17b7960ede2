"""A history as one HTML page that needs nothing else: a film strip, how far the pictures moved, each version.

Pictures are inlined; light and dark, no script. Knows nothing of files. Every text may be a stranger's: a
prompt, an author, the first line of a commit's message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from buildsys.digest import Digest
from buildsys.history import frames, words
from buildsys.history.model import Entry, Gap, History, Version
from buildsys.history.sheet import STYLE
from buildsys.history.walk import distance
from buildsys.journal.charts import Series, standing
from buildsys.journal.document import document, tiles
from buildsys.journal.words import NOTHING, count, printable
from buildsys.review.model import Field, Kind

MARK: Final = '<meta name="generator" content="artlock log">'
_LABELLED: Final = 40
"""Bars of a chart that have room for a date below each."""
_FEWEST: Final = 3
"""Versions from which on a chart says more than the strip."""


def page(history: History, kept: Mapping[Digest, bytes], lost: Mapping[Digest, str]) -> str:
    """The page, with the pictures that are `kept`, and why each other one is `lost`."""
    versions = history.versions
    body = frames.store([version.record for version in versions if version.record], kept)
    body += _tiles(history, kept)
    if versions:
        body += _strip(versions, kept, lost) + _charts(versions)
    body += f'<div class="versions">{"".join(_card(entry, kept, lost) for entry in history.entries)}</div>\n'
    if history.passed:
        body += f'<p class="faint">{escape(words.PASSED)}</p>\n'
    if history.ends:
        body += f'<p class="faint">{escape(history.ends)}</p>\n'
    top = f'<p class="faint">{escape(printable(words.heading(history)))}</p>\n'
    return document(printable(history.name), top, body, mark=MARK, style=STYLE, pictures=True)


def _tiles(history: History, kept: Mapping[Digest, bytes]) -> str:
    versions = history.versions
    pictures = {version.record.picture.pixels for version in versions if version.record}
    prompts = {version.record.parts.prompt for version in versions if version.record} - {""}
    approved = {version.record.picture.pixels for version in versions if version.record and version.approved}
    files = {version.record.picture.file for version in versions if version.record}
    gaps = len(history.entries) - len(versions)
    shown = [
        (str(len(versions)), _noun(len(versions), "version"), ""),
        (str(len(pictures)), _noun(len(pictures), "picture"), ""),
        (str(len(prompts)), _noun(len(prompts), "prompt"), ""),
        (str(len(approved)), "approved", ""),
    ]
    if absent := len(files - kept.keys()):
        shown.append((str(absent), f"{_noun(absent, 'picture')} lost", "failed"))
    if gaps:
        shown.append((str(gaps), f"{_noun(gaps, 'lock')} not readable", "failed"))
    return tiles(shown)


def _noun(number: int, noun: str) -> str:
    return count(number, noun).partition(" ")[2]


def _strip(versions: Sequence[Version], kept: Mapping[Digest, bytes], lost: Mapping[Digest, str]) -> str:
    """The newest comes first in the text, and stands to the right, where the strip is scrolled to."""
    shown = "".join(f"<li>{_frame(version, kept, lost)}</li>" for version in versions)
    strip = f'<ol class="reel">{shown}</ol>'
    return f'<div class="strip" tabindex="0" role="group" aria-label="Film strip">{strip}</div>\n'


def _frame(version: Version, kept: Mapping[Digest, bytes], lost: Mapping[Digest, str]) -> str:
    moved = version.distance
    bar = "" if moved is None else f'<i style="width: {100 * moved / words.BITS:.1f}%"></i>'
    told = words.kind_told(version) if moved is None else f"{words.kind_told(version)} · {moved} bits"
    approved = '<span class="yes">✓ approved</span>' if version.approved else ""
    current = '<span class="now">● current</span>' if version.current else ""
    return (
        f'<a href="#{_anchor(version)}">{frames.shot(version.record, kept, lost, _alt(version))}'
        f'<div class="moved">{bar}</div><b>{version.commit.day} <code>{version.commit.short}</code></b>'
        f"<span>{escape(printable(version.commit.subject)) or NOTHING}</span>"
        f'<span class="dim">{escape(printable(told))}</span>{approved}{current}</a>'
    )


def _alt(version: Version) -> str:
    return f"{version.name} on {version.commit.day}: {version.record.parts.prompt if version.record else ''}"


def _anchor(version: Version) -> str:
    return f"v-{version.commit.short}-{version.name.encode().hex()}"


def _charts(versions: Sequence[Version]) -> str:
    """How far the pictures moved from one to the next, and in all; the oldest to the left."""
    drawn = [version for version in reversed(versions) if version.record]
    if len(drawn) < _FEWEST:
        return ""
    steps = [None if version.distance is None else float(version.distance) for version in drawn]
    first = drawn[0].record
    drift = [float(distance(first, version.record) or 0) for version in drawn]
    days = [version.commit.day for version in drawn]
    labels = [version.commit.time for version in drawn] if len(set(days)) == 1 else days
    if len(labels) > _LABELLED:
        every = -(-len(labels) // _LABELLED)
        labels = [label if number % every == 0 else "" for number, label in enumerate(labels)]
    return (
        '<div class="cards charts">'
        + _chart("From one version to the next", labels, steps, "make")
        + _chart("From the first version here", labels, drift, "finish")
        + "</div>\n"
    )


def _chart(title: str, labels: Sequence[str], values: Sequence[float | None], colour: str) -> str:
    series = Series(name=title, colour=colour, values=values)
    drawn = standing(
        labels,
        [series],
        axis="bits of 64",
        told=lambda value: words.distance_told(round(value)),
        ticks=lambda value: f"{value:g}",
    )
    return (
        f'<section><h2>{title}</h2><figure>{drawn}<figcaption class="faint">Bits in which the perceptual '
        "hashes differ. Two pictures that have nothing in common differ in about half.</figcaption></figure>"
        "</section>"
    )


def _card(entry: Entry, kept: Mapping[Digest, bytes], lost: Mapping[Digest, str]) -> str:
    commit = entry.commit
    who = f"{commit.day} · {words.author_told(commit)}"
    head = (
        f"<h2>{escape(printable(commit.subject)) or NOTHING}</h2>"
        f'<p class="faint">{escape(printable(who))} · <code>{commit.short}</code></p>'
    )
    if isinstance(entry, Gap):
        why = escape(printable(f"not readable: {entry.why}"))
        chips = f'<div class="chips"><span class="chip no">{why}</span></div>'
        return f'<section class="version gap">{head}{chips}</section>\n'
    chips = "".join(
        f'<span class="chip {kind}">{escape(printable(text))}</span>' for text, kind in _chips(entry)
    )
    rows = "".join(f"<dt>{escape(printable(name))}</dt>{value}" for name, value in _rows(entry))
    return (
        f'<section class="version" id="{_anchor(entry)}">{frames.shot(entry.record, kept, lost, _alt(entry))}'
        f'<div>{head}<div class="chips">{chips}</div>{f"<dl>{rows}</dl>" if rows else ""}</div></section>\n'
    )


def _chips(version: Version) -> Iterator[tuple[str, str]]:
    yield words.kind_told(version), "no" if version.kind is Kind.REMOVED else ""
    if version.distance is not None and version.kind is Kind.CHANGED:
        yield f"{words.distance_told(version.distance)} from the one before", ""
    if version.record:
        yield f"pixels {words.picture_told(version.record)}", ""
    if said := words.approved_told(version):
        yield said, "yes"
    if version.frozen:
        yield "frozen", ""
    if version.current:
        yield "current", "yes"


def _rows(version: Version) -> Iterator[tuple[str, str]]:
    """What was asked for, or what of it changed; the words are HTML."""
    if version.record and version.before is None:
        for name, value in words.facts(version.record):
            if value:
                yield name, f"<dd>{escape(printable(value))}</dd>"
        return
    if version.record and version.record.parts.prompt and not version.rewords:
        yield "prompt", f'<dd class="as-before">{escape(printable(version.record.parts.prompt))}</dd>'
    fields, more = words.fewer(version.fields)
    for field in fields:
        yield field.name, f"<dd>{_field(field)}</dd>"
    if more:
        yield "", f"<dd>{escape(more)}</dd>"


def _field(field: Field) -> str:
    if not field.words:
        return escape(printable(words.field_told(field)))
    tags = {"gone": "del", "new": "ins"}
    pieces = []
    for word in field.words:
        text, tag = escape(printable(word.text)), tags.get(word.state)
        pieces.append(f"<{tag}>{text}</{tag}>" if tag else text)
    return "".join(pieces)
