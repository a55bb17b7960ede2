"""A review as the JSON that its page reads: every text a value, nothing of it markup.

Knows nothing of where the pictures lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from buildsys import __version__
from buildsys.digest import Digest
from buildsys.journal.words import dollars, printable
from buildsys.review import told
from buildsys.review.model import Change, Kind, Review, Revision, Side

_GONE: Final = "no bytes of this picture could be had"


def sides(review: Review) -> Iterator[Side]:
    """Every side of every change."""
    for change in review.changes:
        yield from filter(None, (change.before, change.after))


def wanted(review: Review) -> tuple[Digest, ...]:
    """The pictures to show, each once, in the order of the review."""
    return tuple(dict.fromkeys(side.shown for side in sides(review) if not side.lost))


def encoded(review: Review, found: Mapping[Digest, str], place: str) -> bytes:
    """The JSON, which can stand in a `<script>`: no `<` in it, nor what a script would take for a line's end.

    `found`: the pictures that the page has, and the suffix of each. `place`: the folder where they lie;
    empty where they are in the page.
    """
    text = msgspec.json.encode(_review(review, found, place)).decode()
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text.encode()


def _review(review: Review, found: Mapping[Digest, str], place: str) -> dict[str, Any]:
    pictures = {file: suffix for file, suffix in found.items() if suffix}
    changes = [_change(change, pictures) for change in review.changes]
    return {
        "version": __version__,
        "project": printable(review.project),
        "before": _revision(review.before),
        "after": _revision(review.after),
        "counts": [
            [kind, told.KINDS[kind], review.counts[kind]] for kind in told.KINDS if _has(review, kind)
        ],
        "unchanged": review.unchanged,
        "cost": dollars(review.cost) if review.cost else "",
        "notes": [printable(note) for note in review.notes],
        "folder": place,
        "pictures": pictures,
        "changes": changes,
    }


def _has(review: Review, kind: Kind) -> bool:
    return bool(review.counts.get(kind))


def _revision(revision: Revision) -> dict[str, str]:
    return {"told": told.side_told(revision), "subject": printable(revision.subject)}


def _change(change: Change, pictures: Mapping[Digest, str]) -> dict[str, Any]:
    after = change.after
    may_mark = after is not None and not after.edited
    return {
        "name": change.name,
        "kind": change.kind,
        "told": told.KINDS[change.kind],
        "headline": f"→ {told.size_told(after)}" if after and told.resized(change) else told.headline(change),
        "attention": round(change.attention, 4),
        "causes": list(told.causes_told(change)),
        "notes": list(change.notes),
        "box": change.measure.box if change.measure else None,
        "share": change.measure.changed if change.measure else None,
        "measures": list(told.measures(change)),
        "mark": after.record.picture.pixels if after is not None and may_mark else "",
        "before": _side(change.before, pictures),
        "after": _side(after, pictures),
        "fields": [
            {
                "name": field.name,
                "cause": field.cause,
                "before": told.value_told(field.before),
                "after": told.value_told(field.after),
                "words": [[word.text, word.state] for word in field.words],
            }
            for field in change.fields
        ],
    }


def _side(side: Side | None, pictures: Mapping[Digest, str]) -> dict[str, Any] | None:
    if side is None:
        return None
    picture, parts = side.record.picture, side.record.parts
    had = side.shown in pictures
    return {
        "file": side.shown if had and not side.lost else "",
        "lost": side.lost or ("" if had else _GONE),
        # Of a file that was changed by hand, the lock does not know the size: the browser will.
        "size": [0, 0] if side.edited else [picture.width, picture.height],
        "engine": side.record.engine,
        "facts": [[name, value] for name, value in told.facts(side)],
        "texts": [
            [name, text]
            for name, text in (("prompt", parts.prompt), ("negative", parts.negative), ("text", parts.text))
            if text
        ],
    }
