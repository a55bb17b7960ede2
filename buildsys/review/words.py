"""Two texts held against each other word by word.

Knows nothing of recipes. All pieces but the new ones are the old text, all but the gone ones the new text,
to the last space.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from itertools import groupby
from typing import Final

from buildsys.review.model import Word

SAME: Final = "same"
GONE: Final = "gone"
NEW: Final = "new"

_TOKEN: Final = re.compile(
    r"\s+|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|."
)
"""Spaces, a word, a mark; of a script without spaces, a letter: else a whole sentence were one word."""
_MOST: Final = 4_000_000
"""Pairs of words that are held against each other: two texts of 2,000 words. A stranger's prompt may be of
any length, and the time grows with their product."""


def words(old: str, new: str) -> tuple[Word, ...]:
    """What became of each piece of `old` in `new`; no two neighbours have the same state."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    return tuple(_joined(_without_islands(list(_pieces(before, after)))))


def _pieces(before: list[str], after: list[str]) -> Iterator[Word]:
    start = _shared(before, after)
    end = _shared(before[start:][::-1], after[start:][::-1])
    yield from _told(before[:start], SAME)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if len(old) * len(new) > _MOST:
        yield from _told(old, GONE)
        yield from _told(new, NEW)
    else:
        for _, first, last, start_new, end_new in SequenceMatcher(
            None, old, new, autojunk=False
        ).get_opcodes():
            if old[first:last] == new[start_new:end_new]:
                yield from _told(old[first:last], SAME)
            else:
                yield from _told(old[first:last], GONE)
                yield from _told(new[start_new:end_new], NEW)
    yield from _told(before[len(before) - end :], SAME)


def _shared(before: list[str], after: list[str]) -> int:
    """How many tokens both begin with."""
    pairs = zip(before, after, strict=False)
    return next((place for place, (old, new) in enumerate(pairs) if old != new), min(len(before), len(after)))


def _told(tokens: list[str], state: str) -> Iterator[Word]:
    if tokens:
        yield Word("".join(tokens), state)


def _without_islands(pieces: list[Word]) -> Iterator[Word]:
    """Spaces between two changes belong to both: `[-a red-]{+one blue+}` reads better than four pieces."""
    for number, piece in enumerate(pieces):
        inside = 0 < number < len(pieces) - 1
        if inside and piece.state == SAME and piece.text.isspace():
            yield Word(piece.text, GONE)
            yield Word(piece.text, NEW)
        else:
            yield piece


def _joined(pieces: Iterable[Word]) -> Iterator[Word]:
    """In each stretch of changes, what is gone first, and then what is new."""
    for same, group in groupby(pieces, lambda piece: piece.state == SAME):
        stretch = list(group)
        for state in (SAME,) if same else (GONE, NEW):
            text = "".join(piece.text for piece in stretch if piece.state == state)
            if text:
                yield Word(text, state)
