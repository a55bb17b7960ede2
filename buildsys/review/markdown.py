"""A review as the comment of a pull request: Markdown that GitHub and GitLab show, within GitHub's length.

Knows nothing of who posts it. No text of a stranger's can call a person, break a table or become HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote

from buildsys.journal.words import count, dollars, printable
from buildsys.plan.step import shorten
from buildsys.review import told
from buildsys.review.model import Change, Field, Kind, Review, Side

LIMIT: Final = 65_536
"""Characters of a comment on GitHub; GitLab's limit is larger."""
MARK: Final = "<!-- artlock review"
"""How every comment begins. By its whole first line it is found again, to be written over: see `mark`."""

_ROOM: Final = 400
"""Characters kept for what is said at the end of what was left out."""
_ROWS: Final = 50
"""Of the table: more are in the page."""
_DETAILED: Final = 40
_NAME: Final = 120
_TEXT: Final = 600
"""Characters of a prompt; it is whole in the page."""
_VALUE: Final = 160

_REFERS: Final = re.compile(r"[@#!~%$&^](?=\w)|:(?=//)|(?<=\bwww)(?=\.)|(?<=\bGH)-(?=\d)", re.IGNORECASE)
"""What makes a mention, a reference or a link out of what follows it, on GitHub or GitLab."""
_SPECIAL: Final = re.compile(r"[&<>\"`*_~\[\]()|\\:@#!$^{}]")
"""Every mark that could mean something in Markdown or HTML, within a line."""
_ORDER: Final = "Sorted by how much each is worth a look: what it is, how different it looks, and why."
"""Below the table, whose shares alone would seem to stand in no order."""
_APART: Final = "\u200b"
"""Seen by nobody."""


def mark(place: str) -> str:
    """The first line of the comment on the project in the folder `place`: a repository may hold several."""
    return f"{MARK} of {quote(place)} -->" if place else f"{MARK} -->"


def comment(review: Review, *, link: str = "", sheet: str = "", place: str = "") -> str:
    """The comment, with at most `LIMIT` characters; what had no room is counted.

    Args:
        review: what changed.
        link: address of the page; empty where there is none.
        sheet: address of the contact sheet's picture.
        place: the project's folder, from the top of its repository; empty where it is the top.
    """
    blocks = [mark(place), _summary(review, place), *_notes(review), *_pictures(link, sheet)]
    if review.changes:
        table, shown = _table(review.changes)
        blocks += [table, _ORDER]
        if over := len(review.changes) - shown:
            blocks.append(f"… and {count(over, 'change')} more, less worth a look than these.")
    return _fitted(blocks, list(_details(review)), link)


def _fitted(blocks: list[str], details: list[str], link: str) -> str:
    """As many blocks as there is room for, the details last; said is how many were left out."""
    kept: list[str] = []
    used = 0
    left = 0
    for number, block in enumerate([*blocks, *details]):
        if left or used + len(block) + 2 > LIMIT - _ROOM:
            left += number >= len(blocks)
        else:
            kept.append(block)
            used += len(block) + 2
    if left:
        place = " The page has all." if link else ""
        kept.append(f"The details of {count(left, 'change')} more had no room here.{place}")
    return "\n\n".join(kept) + "\n"


def _summary(review: Review, place: str) -> str:
    counts = ", ".join(f"**{number}** {words}" for words, number in told.counts_told(review))
    parts = [counts or "nothing differs", f"{review.unchanged} unchanged"]
    if review.cost:
        parts.append(f"known cost of the new pictures: {escaped(dollars(review.cost))}")
    sides = " → ".join(escaped(told.side_told(side)) for side in (review.before, review.after))
    of = f" of {escaped(shorten(place, _NAME))}" if place else ""
    return f"### Art{of}: {'; '.join(parts)}\n\n{sides}"


def _notes(review: Review) -> Iterator[str]:
    if review.notes:
        yield "\n".join(f"> {escaped(note)}  " for note in review.notes)


def _pictures(link: str, sheet: str) -> Iterator[str]:
    if sheet:
        picture = f"![Contact sheet of what changed]({_address(sheet)})"
        yield f"[{picture}]({_address(link)})" if link else picture
    if link:
        yield f"[**Open the review**]({_address(link)}): swipe, onion skin, difference, blink, zoom, marks."


def _table(changes: Sequence[Change]) -> tuple[str, int]:
    """The table, and of how many changes it tells."""
    rows: list[str] = []
    room = LIMIT // 2
    for change in changes[:_ROWS]:
        row = _row(change)
        room -= len(row) + 1
        if room < 0:
            break
        rows.append(row)
    head = ["| asset | what | how much | made again for |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]), len(rows)


def _row(change: Change) -> str:
    causes = ", ".join(told.causes_told(change))
    return f"| {_name(change)} | {told.KINDS[change.kind]} | {_much(change)} | {causes} |"


def _much(change: Change) -> str:
    return escaped(shorten(told.headline(change), _NAME))


def _details(review: Review) -> Iterator[str]:
    """A collapsed block for each change that has something to tell."""
    shown = [change for change in review.changes if _tells(change)]
    for change in shown[:_DETAILED]:
        summary = f"<summary>{_name(change)}: {_much(change)}</summary>"
        yield f"<details>{summary}\n\n{_detail(change)}\n\n</details>"
    if len(shown) > _DETAILED:
        yield f"The details of {count(len(shown) - _DETAILED, 'change')} more are in the page."


def _tells(change: Change) -> bool:
    return bool(change.fields or change.notes or change.measure or change.kind is Kind.ADDED)


def _detail(change: Change) -> str:
    lines = [f"- {escaped(note)}" for note in change.notes]
    lines += [f"- **{escaped(field.name)}**: {_field(field)}" for field in change.fields]
    measures = ", ".join(f"{name} {escaped(value)}" for name, value, _ in told.measures(change))
    lines += [f"- {measures}"] if measures else []
    if change.kind is Kind.ADDED and change.after is not None:
        lines += [f"- {name} {escaped(value)}" for name, value in _made(change.after)]
    lines += _cost(change)
    sides = [side for side in (change.before, change.after) if side is not None and side.lost]
    lines += [f"- no picture: {escaped(side.lost)}" for side in sides]
    return "\n".join(lines)


def _made(side: Side) -> Iterator[tuple[str, str]]:
    """How a new one is made: nothing stands for that in what differs."""
    parts = side.record.parts
    yield "engine", side.record.engine
    if parts.seed is not None:
        yield "seed", str(parts.seed)
    for name, text in (("prompt", parts.prompt), ("text", parts.text)):
        if text:
            yield name, shorten(text, _TEXT)


def _cost(change: Change) -> Iterator[str]:
    """What the new picture did cost, and the old one where that was another sum; not that both were free."""
    if change.kind not in (Kind.ADDED, Kind.CHANGED) or change.after is None:
        return
    before = told.cost_told(change.before) if change.before is not None else ""
    after = told.cost_told(change.after)
    if after and (change.after.cost or (change.before is not None and change.before.cost)):
        yield f"- cost {escaped(f'{before} → {after}' if before not in ('', after) else after)}"


def _field(field: Field) -> str:
    if not field.words:
        before, after = (_short(told.value_told(value), _VALUE) for value in (field.before, field.after))
        return f"{before} → {after}"
    pieces = []
    room = _TEXT
    for word in field.words:
        if room <= 0:
            pieces.append("…")
            break
        text = _short(word.text, room)
        room -= len(word.text)
        pieces.append(_worded(text, word.state))
    return "".join(pieces)


def _worded(text: str, state: str) -> str:
    """A piece of a text; the marks of Markdown hold only where no space lies within them."""
    own = text.strip()
    if state == "same" or not own:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    tag = "del" if state == "gone" else "ins"
    return f"{before}<{tag}>{own}</{tag}>{after}"


def _short(text: str, most: int) -> str:
    return escaped(text if len(text) <= most else f"{text[: most - 1]}…")


def _name(change: Change) -> str:
    return f"<b>{escaped(shorten(change.name, _NAME))}</b>"


def escaped(text: str) -> str:
    """`text` on one line, which Markdown shows as it is.

    As entities, not with backslashes: in a table and in HTML alike they mean the letter alone. Mentions are
    sought in what is shown, where an entity is a letter again, so an unseen space stands within each.
    """
    apart = _REFERS.sub(lambda found: found[0] + _APART, printable(text))
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", apart)


def _address(address: str) -> str:
    """An address that can't end the link that it stands in."""
    return re.sub(r"[\s()<>\[\]|\\\"`]", lambda found: f"%{ord(found[0]):02X}", printable(address))
