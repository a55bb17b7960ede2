"""How much of a prompt CLIP reads: its words cut into tokens, counted or estimated.

Knows nothing of engines and of where a vocabulary lies. The rules are those of CLIP's own tokenizer;
what it needs of a vocabulary is the file `merges.txt`, without which the count is an estimate.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import msgspec

_FRAME: Final = 2
"""Tokens that stand for the start and the end."""

_PIECE: Final = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+")

_SHORT: Final = 5
_PER_LETTER: Final = 0.25
"""Of an English word, letters that are one token, and what each further one adds on average."""

Weigh: TypeAlias = Callable[[str], float]
"""How many tokens a piece of a prompt is."""


class Reading(msgspec.Struct, frozen=True):
    """What becomes of a prompt."""

    tokens: int
    """All of them, start and end included."""
    unseen: str
    """The end that is cut off; empty where all is read."""


def read(text: str, limit: int, weigh: Weigh) -> Reading:
    """How an encoder reads `text` that takes `limit` tokens, start and end included."""
    plain = unicodedata.normalize("NFC", text)
    lower = plain.lower()
    if len(lower) != len(plain):
        plain = lower  # `İ` has two lower-case letters: then places are those of what CLIP sees
    total: float = _FRAME
    end = len(plain)
    for start, piece in _pieces(lower):
        total += weigh(piece)
        if round(total) > limit:
            end = min(end, start)
    return Reading(round(total), plain[end:].strip())


def estimate(piece: str) -> float:
    """About how many tokens `piece` is, by its letters alone."""
    if not piece[0].isalpha():
        return float(1 if piece.isascii() else len(piece))
    foreign = [letter for letter in piece if not letter.isascii()]
    # Letters beyond ASCII are rare in CLIP's vocabulary and read nearly byte by byte.
    spelled = sum(len(letter.encode()) - 1 for letter in foreign)
    plain = len(piece) - len(foreign)
    return (1 if plain else 0) + _PER_LETTER * max(0, plain - _SHORT) + spelled


class Vocabulary:
    """Byte-pair merges, best first, as `merges.txt` has them."""

    def __init__(self, merges: str) -> None:
        pairs = (line.split() for line in merges.splitlines() if not line.startswith("#version"))
        self._known: dict[str, float] = {}
        self._rank = {(pair[0], pair[1]): rank for rank, pair in enumerate(pairs) if len(pair) == 2}  # noqa: PLR2004 - a pair

    def weigh(self, piece: str) -> float:
        """How many tokens `piece` is."""
        if piece not in self._known:
            self._known[piece] = float(self._count(piece))
        return self._known[piece]

    def _count(self, piece: str) -> int:
        parts = [_LETTERS[byte] for byte in piece.encode()]
        parts[-1] += "</w>"
        while len(parts) > 1:
            best = min(itertools.pairwise(parts), key=lambda pair: self._rank.get(pair, len(self._rank)))
            if best not in self._rank:
                break
            parts = list(_merged(parts, best))
        return len(parts)


def _merged(parts: list[str], pair: tuple[str, str]) -> Iterator[str]:
    at = 0
    while at < len(parts):
        joined = tuple(parts[at : at + 2]) == pair
        yield parts[at] + parts[at + 1] if joined else parts[at]
        at += 2 if joined else 1


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """What is cut into tokens by itself, and where it starts: words, single digits, runs of marks."""
    for match in _PIECE.finditer(text):
        start = match.start()
        if match.group()[0].isalnum() and not match.group().isalpha():
            # To Python `²` and `Ⅷ` belong to a word; to CLIP they are digits.
            for is_word, letters in itertools.groupby(match.group(), str.isalpha):
                run = "".join(letters)
                for piece in [run] if is_word else run:
                    yield start, piece
                    start += len(piece)
        else:
            yield start, match.group()


def _letters() -> dict[int, str]:
    """The letter that stands for each byte in `merges.txt`: its own where it is one, else from 256 on."""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = itertools.count(256)
    return {byte: chr(byte if byte in seen else next(others)) for byte in range(256)}


_LETTERS: Final = _letters()
