"""A review in words: what the terminal, the page and the comment say of its kinds, values and measures.

Knows nothing of HTML or Markdown: whoever shows a text escapes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from buildsys.journal.words import bytes_told, dollars, printable
from buildsys.plan.record import Json
from buildsys.review.model import Cause, Change, Kind, Review, Revision, Side

KINDS: Final = {
    Kind.CHANGED: "changed",
    Kind.ADDED: "added",
    Kind.REMOVED: "removed",
    Kind.RENAMED: "renamed",
    Kind.ENCODING: "encoding only",
    Kind.RECORD: "record only",
}
"""In the order in which they are counted up."""

_CAUSES: Final = {
    Cause.RECIPE: "its recipe",
    Cause.INPUT: "an input",
    Cause.ENGINE: "its engine",
    Cause.ENVIRONMENT: "the environment",
    Cause.HAND: "nothing in the lock",
}
_BY_HAND: Final = "by hand"
_SAME: Final = {Kind.ENCODING: "same pixels", Kind.RECORD: "same file", Kind.RENAMED: "same file"}
_COMMIT: Final = 10
_TINY: Final = 0.001
"""Shares that are told as a number: less would read as nothing."""


def side_told(revision: Revision) -> str:
    """`main (1a2b3c4d5e)`, `where main and HEAD parted (1a2b3c4d5e)`, `the working tree`."""
    if revision.index:
        return "what is staged"
    if not revision.commit:
        return "the working tree"
    short = revision.commit[:_COMMIT]
    asked = asked_told(revision)
    return f"{asked} ({short})" if asked else short


def asked_told(revision: Revision) -> str:
    """What a commit was asked for by; empty where that was its own name."""
    before, apart, after = revision.asked.partition("...")
    if apart:
        return printable(f"where {before} and {after} parted")
    return "" if revision.commit.startswith(revision.asked) else printable(revision.asked)


def causes_told(change: Change) -> tuple[str, ...]:
    """What it was made again for. Nothing in the lock: it was made anew as it was."""
    edited = change.after is not None and change.after.edited is not None
    return tuple(_BY_HAND if edited and cause is Cause.HAND else _CAUSES[cause] for cause in change.causes)


def counts_told(review: Review) -> tuple[tuple[str, int], ...]:
    """Each kind that there is, with how many."""
    return tuple((words, review.counts[kind]) for kind, words in KINDS.items() if review.counts.get(kind))


def value_told(value: Json) -> str:
    """A value of a recipe as a person reads it; a dash for none."""
    if value is None or value == "":
        return "—"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def share_told(share: float) -> str:
    """`43 %`, `1.2 %`, `< 0.1 %`, `0 %`."""
    if 0 < share < _TINY:
        return "< 0.1 %"
    percent = share * 100
    return f"{percent:.0f} %" if percent >= 10 or not percent else f"{percent:.1f} %"  # noqa: PLR2004 - digits


def size_told(side: Side) -> str:
    """`96 x 96`."""
    return f"{side.record.picture.width} x {side.record.picture.height}"


def resized(change: Change) -> bool:
    """Whether its two pictures have different sizes, as far as the lock knows."""
    if change.before is None or change.after is None:
        return False
    return size_told(change.before) != size_told(change.after)


def headline(change: Change) -> str:
    """What became of it, in a few words."""
    before, after = change.before, change.after
    if change.kind is Kind.RENAMED and before is not None:
        return f"was {printable(before.record.name)}"
    if change.kind is not Kind.CHANGED:
        side = after or before
        return (
            size_told(side) if side is not None and (before is None or after is None) else _SAME[change.kind]
        )
    if before is not None and after is not None and resized(change):
        return f"{size_told(before)} → {size_told(after)}"
    if change.measure is None:
        return "not measured"
    if change.measure.changed is None:
        return f"hash {change.measure.hash_bits} of 64"
    return share_told(change.measure.changed)


def measures(change: Change) -> Iterator[tuple[str, str, str]]:
    """Name, value and meaning of each measure."""
    found = change.measure
    if found is None:
        return
    yield "likeness", found.likeness.replace("-", " "), "what differs at all"
    if found.changed is not None:
        yield "changed", share_told(found.changed), "pixels that differ to the eye"
    if found.box is not None:
        left, top, width, height = found.box
        yield "where", f"{width} x {height} at {left}, {top}", "the box of what differs"
    if found.largest is not None:
        yield "largest", f"{found.largest} of 255", "the largest difference of a channel"
    if found.alpha is not None:
        yield "alpha", share_told(found.alpha), "pixels whose alpha differs"
    yield "hash", f"{found.hash_bits} of 64", "bits of the perceptual hash that differ"
    yield "SSIM", f"{found.ssim:.3f}", "1 is the same picture"
    yield "PSNR", "equal" if found.psnr is None else f"{found.psnr:.1f} dB", "more is nearer"


def cost_told(side: Side) -> str:
    """What its picture did cost; empty where nobody knows."""
    if side.cost is None:
        return ""
    return dollars(side.cost) if side.cost else "free"


def facts(side: Side) -> Iterator[tuple[str, str]]:
    """What a reviewer may ask of a side."""
    record, parts = side.record, side.record.parts
    yield "size", size_told(side)
    if side.file_bytes is not None:
        yield "file", bytes_told(side.file_bytes)
    yield "engine", record.engine
    if parts.model:
        yield "model", parts.model
    if parts.seed is not None:
        yield "seed", str(parts.seed)
    if cost := cost_told(side):
        yield "cost", cost
    if side.approval is not None:
        yield "approved", side.approval.by
    if side.frozen:
        yield "frozen", "yes"
    if side.edited:
        yield "edited", "not the file that the lock tells of"
    if record.instead_of:
        yield "instead of", record.instead_of
