"""What is said of a picture in training: its name or a part of it, a keyword, a colour, a style, nothing.

Knows the dataset's captions and the words; nothing of pictures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.sprite.words import Words, table
from engines.stock import dice
from training.sprite.dataset import Caption
from training.sprite.drawings import STYLES

_SILENT: Final = 0.1
"""How often nothing is said: guidance compares with it."""
_STYLED: Final = 0.9
_SETS_OF_A_PAIR: Final = 4
"""In how many sets a thing must be for one of its pictures to be held out."""


@dataclass(frozen=True, slots=True)
class Sayings:
    """All that may be said of one picture, as words' numbers."""

    names: tuple[tuple[int, ...], ...]
    keywords: tuple[tuple[int, ...], ...]
    color: tuple[int, ...]
    style: int


def sayings(captions: Sequence[Caption], words: Words) -> tuple[Sayings, ...]:
    """Of each caption; what has no known word is left out."""
    return tuple(
        Sayings(
            names=_known(words, (caption.name, *caption.aliases)) or (tuple(words.read("object")),),
            keywords=_known(words, caption.keywords),
            color=tuple(words.read(caption.color)),
            style=STYLES.index(caption.style),
        )
        for caption in captions
    )


def _known(words: Words, texts: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    return tuple(found for found in (tuple(words.read(text)) for text in texts) if found)


def vocabulary(several: Sequence[Sayings], most: int) -> NDArray[np.int64]:
    """The words that get weights of their own: those that are said of most things, at most `most`."""
    counts = Counter(
        word
        for said in several
        for words, weight in ((said.names, 4), (said.keywords, 1), ((said.color,), 1))
        for phrase in words
        for word in phrase
        for _ in range(weight)
    )
    ordered = sorted(counts, key=lambda word: (-counts[word], word))[:most]
    return np.array(ordered, np.int64)


def habits(several: Sequence[Sayings], vocabulary: NDArray[np.int64]) -> NDArray[np.int64]:
    """(vocabulary, styles): how many things with a name that ends in the word each style has.

    A prompt that asks for no style is drawn in one that has such a thing. Where the word alone is a name in
    some style, only those count: a "nazar amulet" is no reason to draw an amulet as an emoji.
    """
    place = {int(word): row for row, word in enumerate(vocabulary)}
    heads, wholes = (np.zeros((len(vocabulary), len(STYLES)), np.int64) for _ in range(2))
    for said in several:
        if not said.color:
            for word in {name[-1] for name in said.names} & place.keys():
                heads[place[word], said.style] += 1
            for word in {name[0] for name in said.names if len(name) == 1} & place.keys():
                wholes[place[word], said.style] += 1
    return np.where(wholes.any(axis=1, keepdims=True), wholes, heads)


@dataclass(frozen=True, slots=True)
class Plain:
    """The things that one word names, with what shows them and nothing more, in its own colours."""

    words: tuple[int, ...]
    pictures: tuple[tuple[tuple[int, ...], ...], ...]
    """For each word, for each style that has it: the numbers of the pictures."""
    ends: NDArray[np.float64]
    """Sums of how often each word is said, the last being one."""

    def lessons(self, count: int, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pictures (count,) and words (count, LONGEST): a word, one of its styles, one of its pictures."""
        chosen: list[int] = []
        phrases: list[list[int]] = []
        for place in np.searchsorted(self.ends, random.random(count)).clip(0, len(self.words) - 1):
            style = self.pictures[place][random.integers(len(self.pictures[place]))]
            chosen.append(style[random.integers(len(style))])
            phrases.append([self.words[place]])
        return np.array(chosen, np.int64), table(phrases)


def plain(captions: Sequence[Caption], words: Words) -> Plain:
    """What of `captions` is named by one word.

    The words that stock's lexicon has, some two hundred common ones of games, are half of what is said.
    """
    found: dict[int, dict[str, list[int]]] = {}
    common: set[int] = set()
    for number, caption in enumerate(captions):
        for text in () if caption.color else (caption.name, *caption.aliases):
            if " " not in text and len(read := words.read(text)) == 1:
                found.setdefault(read[0], {}).setdefault(caption.style, []).append(number)
                if caption.style == "painted" and text in caption.aliases:
                    common.add(read[0])
    shares = np.array([1 / len(found) + (1 / len(common) if word in common else 0.0) for word in found])
    return Plain(
        words=(*found,),
        pictures=tuple(tuple((*several,) for several in styles.values()) for styles in found.values()),
        ends=np.cumsum(shares / shares.sum()),
    )


def weights(captions: Sequence[Caption]) -> NDArray[np.float64]:
    """How often each picture is shown, the mean being one.

    A picture in other colours counts a quarter, one of two that stock painted in colours of its own half;
    plain names count more, and those most for which stock's lexicon has the picture.
    """
    own = Counter(caption.key for caption in captions if not caption.color)
    values = np.array(
        [
            (0.25 if caption.color else 1 / own[caption.key])
            * (2.0 if caption.aliases and caption.style == "painted" else 1.0)
            * (1.5 if len(caption.name.split()) == 1 else 1.0)
            for caption in captions
        ]
    )
    shares: NDArray[np.float64] = values / values.mean()
    return shares


def held_out(captions: Sequence[Caption]) -> NDArray[np.bool_]:
    """Pictures that training never sees: one in twenty of the things that enough other sets show."""
    sets: dict[str, set[str]] = {}
    for caption in captions:
        sets.setdefault(caption.name, set()).add(caption.style)
    return np.array(
        [
            len(sets[caption.name]) >= _SETS_OF_A_PAIR and dice.roll(0, f"held out {caption.key}", 20) == 0
            for caption in captions
        ]
    )


class Speaker:
    """Draws what is said of pictures."""

    def __init__(self, several: Sequence[Sayings], random: np.random.Generator) -> None:
        self.sayings = several
        self.random = random

    def say(self, pictures: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Words (N, LONGEST) and styles (N,), the number after the last style being none."""
        chances = self.random.random((len(pictures), 4))
        phrases: list[list[int]] = []
        styles = np.full(len(pictures), len(STYLES), np.int64)
        for row, (picture, (kind, part, styled, silent)) in enumerate(zip(pictures, chances, strict=True)):
            said = self.sayings[picture]
            if styled < _STYLED:
                styles[row] = said.style
            phrases.append([] if silent < _SILENT else [*said.color, *self._phrase(said, kind, part)])
        return table(phrases), styles

    def _phrase(self, said: Sayings, kind: float, part: float) -> Sequence[int]:
        """A name, whole or in part, or a keyword."""
        pick = int(self.random.integers(1 << 30))
        if said.keywords and kind > 0.88:  # noqa: PLR2004 - one in eight
            keyword = said.keywords[pick % len(said.keywords)]
            return keyword if kind > 0.96 else [*keyword, *said.names[0]]  # noqa: PLR2004 - a third of them
        name = said.names[0 if kind < 0.4 else pick % len(said.names)]  # noqa: PLR2004 - the first at least half
        if part < 0.25 and len(name) > 1:  # noqa: PLR2004 - one in four
            kept = [word for word in name if self.random.random() < 0.6]  # noqa: PLR2004 - most words
            return kept or name[-1:]
        return name
