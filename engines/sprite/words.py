"""Prompts as numbers: the words that have a vector, and which of a prompt's words count.

The vectors are those that stock ships, so that the model brings none of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.stock.library import Library

LONGEST: Final = 8
"""How many words the model reads."""
NOTHING: Final = -1
"""What fills the places behind a shorter prompt's words."""
_WORD: Final = re.compile(r"[a-z]+")
_UNSAID: Final = frozenset("a an and at by for from in into is it its of on or s the to with".split())  # noqa: SIM905 - a list of words reads better


class Words:
    """Every word that has a vector, and the vectors."""

    def __init__(self, library: Library | None = None) -> None:
        library = library or Library()
        self.words = library.words
        self.index = {word: number for number, word in enumerate(self.words)}
        self.vectors = unit(library.vectors)

    def read(self, text: str) -> list[int]:
        """The numbers of the words of `text` that are known and say something."""
        return [
            self.index[word]
            for word in _WORD.findall(text.lower())
            if word in self.index and word not in _UNSAID
        ]

    def unknown(self, text: str) -> list[str]:
        """The words of `text` that have no vector, each once."""
        found = dict.fromkeys(_WORD.findall(text.lower()))
        return [word for word in found if word not in self.index and word not in _UNSAID]


def unit(vectors: NDArray[np.int8]) -> NDArray[np.float32]:
    """Rows whose squares have the mean one."""
    rows = vectors.astype(np.float64)
    rows /= np.sqrt((rows * rows).mean(axis=1, keepdims=True))
    return rows.astype(np.float32)


def table(prompts: Iterable[list[int]]) -> NDArray[np.int64]:
    """(prompts, LONGEST): the last words of each, from the left; the last name the thing."""
    rows = [words[-LONGEST:] for words in prompts]
    filled = np.full((len(rows), LONGEST), NOTHING, np.int64)
    for row, words in zip(filled, rows, strict=True):
        row[: len(words)] = words
    return filled
