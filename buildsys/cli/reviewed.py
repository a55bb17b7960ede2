"""A review on a terminal: a line for each change, and below it what changed and why.

Every text may be a stranger's; it reads as well without colours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from buildsys.cli.console import columns, paint
from buildsys.journal.words import NOTHING, bytes_told, count, dollars, printable
from buildsys.review import told
from buildsys.review.model import Change, Field, Kind, Measure, Review, Revision, Side, Word

_COLOUR: Final = {
    Kind.ADDED: "green",
    Kind.REMOVED: "red",
    Kind.RENAMED: "cyan",
    Kind.CHANGED: "yellow",
    Kind.ENCODING: "grey",
    Kind.RECORD: "grey",
}
_STATES: Final = {"gone": ("[-", "-]", "red"), "new": ("{+", "+}", "green")}
_HEADS: Final = ("ATTENTION", "KIND", "ASSET", "WHY", "PICTURE", "COST")
_FIELDS: Final = 8
"""Of a change, that are shown; `--json` has all."""
_LONGEST: Final = 100
"""Letters of a value."""
_AROUND: Final = 24
"""Letters that are kept of what did not change, on either side of what did."""
_SHORT: Final = 10


def table(review: Review) -> str:
    """The review as lines."""
    head = f"{_revision(review.before)} → {_revision(review.after)}"
    if not review.changes:
        return f"{head}\nnothing differs in {count(review.unchanged, 'asset')}"
    rows = columns([_HEADS, *map(_row, review.changes)]).split("\n")
    lines = [head, _summary(review), "", paint(rows[0], "bold")]
    for change, row in zip(review.changes, rows[1:], strict=True):
        kind = told.KINDS[change.kind]
        lines.append(row.replace(kind, paint(kind, _COLOUR[change.kind]), 1))
        lines += [f"        {line}" for line in _details(change)]
    return "\n".join(lines)


def _revision(revision: Revision) -> str:
    if revision.commit:
        asked, short = told.asked_told(revision), revision.commit[:_SHORT]
        commit = f"({short})" if "..." in revision.asked else short
        return " ".join(filter(None, (asked, commit, printable(revision.subject))))
    return "what is staged" if revision.index else "the working tree"


def _summary(review: Review) -> str:
    parts = [f"{number} {words}" for words, number in told.counts_told(review)]
    parts.append(f"{review.unchanged} unchanged")
    cost = "" if review.cost is None else f"; cost of what is new: {_dollars(review.cost)}"
    return ", ".join(parts) + cost


def _row(change: Change) -> tuple[str, ...]:
    cost = change.after.cost if change.after and not change.after.edited else None
    name = printable(change.name)
    if change.kind is Kind.RENAMED and change.before is not None:
        name = f"{printable(change.before.record.name)} → {name}"
    return (
        f"{change.attention:.2f}",
        told.KINDS[change.kind],
        name,
        ", ".join(told.causes_told(change)) or NOTHING,
        _picture(change),
        "" if cost is None else _dollars(cost),
    )


def _dollars(cost: float) -> str:
    return dollars(cost) if cost else "free"


def _picture(change: Change) -> str:
    """What is to be seen, in one cell."""
    before, after = change.before, change.after
    if before is None or after is None:
        side = before or after
        return "" if side is None else side.lost or _size(side)
    if change.kind in (Kind.RENAMED, Kind.RECORD):
        return "the same file"
    if change.kind is Kind.ENCODING:
        return f"the same pixels{_weight(before, after)}"
    if change.measure is None:
        return next(
            (f"{side.lost} {when}" for side, when in ((before, "before"), (after, "now")) if side.lost), ""
        )
    return _measure(change.measure, before, after)


def _measure(measure: Measure, before: Side, after: Side) -> str:
    if measure.likeness == "identical-look":
        return f"looks the same{_weight(before, after)}"
    words = [f"hash {measure.hash_bits}/64", f"SSIM {measure.ssim:.3f}"]
    if measure.psnr is not None:
        words.append(f"{measure.psnr:.1f} dB")
    if measure.changed is None:
        return ", ".join([f"{_size(before)} → {_size(after)}", *words])
    words.append(f"{told.share_told(measure.changed)} changed")
    if measure.alpha:
        words.append(f"alpha of {told.share_told(measure.alpha)}")
    return ", ".join(words)


def _size(side: Side) -> str:
    """Of the picture that the lock tells of: that of a file changed by hand is not known."""
    return "?" if side.edited else told.size_told(side)


def _weight(before: Side, after: Side) -> str:
    if before.file_bytes is None or after.file_bytes is None:
        return ""
    return f", {bytes_told(before.file_bytes)} → {bytes_told(after.file_bytes)}"


def _details(change: Change) -> Iterator[str]:
    for field in change.fields[:_FIELDS]:
        yield f"{printable(field.name)}: {_values(field)}"
    if len(change.fields) > _FIELDS:
        yield f"and {len(change.fields) - _FIELDS} more"
    if change.measure is not None and change.measure.box is not None and (change.measure.changed or 0) < 1:
        left, top, width, height = change.measure.box
        yield f"differs within {width} x {height} at {left}, {top}"
    yield from map(printable, change.notes)


def _values(field: Field) -> str:
    if field.words:
        return _words(field.words)
    return f"{_value(field.before)} → {_value(field.after)}"


def _value(value: object) -> str:
    if value is None:
        return NOTHING
    text = printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _words(words: Sequence[Word]) -> str:
    """As `git diff --word-diff` writes them; what did not change is cut where it is long."""
    pieces = []
    for number, word in enumerate(words):
        text = printable(word.text)
        if word.state == "same":
            pieces.append(_cut(text, first=number == 0, last=number == len(words) - 1))
        else:
            opening, closing, colour = _STATES[word.state]
            shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
            pieces.append(paint(f"{opening}{shown}{closing}", colour))
    return "".join(pieces)


def _cut(text: str, *, first: bool, last: bool) -> str:
    if len(text) <= 2 * _AROUND + 1:
        return text
    start = "" if first else text[:_AROUND]
    end = "" if last else text[-_AROUND:]
    return f"{start}…{end}"
