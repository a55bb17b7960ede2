"""A prompt taken apart: what to draw, and which colours and materials it asks for.

The last noun of the first phrase weighs most ("red dragon *head*"); what stands after "of", "with" or
a comma weighs less. Knows nothing of the library.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from engines.stock import palette

_FILE: Final = Path(__file__).with_name("lexicon.toml")

HEAD: Final = 100
_NOUN, _ADJECTIVE, _ASIDE, _MATERIAL, _LATER = 50, 25, 40, 22, 10
"""How much a word weighs beside the head: before it, as a mere quality, after a preposition, as a
material, after a comma."""

_SEGMENT: Final = re.compile(r"[,;:.!?()\[\]|\n]+")
_TOKEN: Final = re.compile(r"#[0-9a-f]{6}\b|[a-z0-9]+(?:['\u2019][a-z]+)?")
_JOINS: Final = re.compile(
    r"\b(?:of|with|in|on|from|for|at|by|under|over|behind|holding|wearing|inside|near|to|full|made|"
    r"against|through|onto|into|carrying|riding|surrounded|without)\b"
)


@dataclass(frozen=True, slots=True)
class Term:
    """One word to search with."""

    word: str
    weight: int
    head: bool
    """It names the thing itself; other words only describe it."""
    exact: bool = False
    """It counts only where an icon's name has this very word."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a prompt asks for."""

    terms: tuple[Term, ...]
    ramps: tuple[str, ...]
    """Names of ramps, or `#rrggbb`, in the order in which the prompt has them."""


def parse(prompt: str) -> Wish:
    """Take `prompt` apart."""
    terms: list[Term] = []
    ramps: list[str] = []
    for index, segment in enumerate(_segments(prompt)):
        for part, phrase in enumerate(_JOINS.split(segment)):
            words = [
                word for word in _TOKEN.findall(phrase) if not word.isdigit() and word not in _group("unsaid")
            ]
            found, colors = _phrase(words, first=not terms and part == 0)
            ramps += colors if index == 0 or not ramps else []
            if index:
                found = [Term(term.word, _LATER, False, term.exact) for term in found]
            terms += found
    if terms and not any(term.head for term in terms):
        best = max(terms, key=lambda term: term.weight)
        terms = [Term(term.word, HEAD, True) if term is best else term for term in terms]
    return Wish(_replaced(terms), tuple(dict.fromkeys(ramps)))


def _segments(prompt: str) -> list[str]:
    plain = _phrases().sub(lambda found: aliases()[found[1]], prompt.lower().replace("-", " "))
    parts = [part.strip() for part in _SEGMENT.split(plain)]
    return [part for part in parts if part]


@cache
def _phrases() -> re.Pattern[str]:
    """The aliases of several words: a fishing rod is no staff, which a rod alone is."""
    return re.compile(rf"\b({'|'.join(re.escape(key) for key in aliases() if ' ' in key)})s?\b")


def _phrase(words: list[str], *, first: bool) -> tuple[list[Term], list[str]]:
    """The terms and ramps of one phrase; its last word that is no mere colour is the head."""
    known = palette.words()
    named = [index for index, word in enumerate(words) if not _is_color(word)]
    things = [index for index in named if words[index] not in known] or named[-1:]
    if not things and first and words:
        # Nothing but colours: "orange" is then the fruit.
        things = [len(words) - 1]
    head = max(things, default=-1)
    if head >= 0 and named and named[-1] > head and words[named[-1]] in _group("substances"):
        head = named[-1]
    terms: list[Term] = []
    ramps: list[str] = []
    for index, word in enumerate(words):
        ramp = word if word.startswith("#") else known.get(word)
        if ramp and (index != head or not first):
            ramps.append(ramp)
        if index == head:
            terms.append(Term(word, HEAD if first else _ASIDE, first))
        elif ramp:
            if not _is_color(word):
                terms.append(Term(word, _MATERIAL, False, exact=True))
        else:
            weight = _ADJECTIVE if word in _group("qualities") else _NOUN
            terms.append(Term(word, weight if first else _ASIDE // 2, False))
    return terms, ramps


def _is_color(word: str) -> bool:
    return word.startswith("#") or palette.words().get(word, "") in palette.colors()


@cache
def _group(name: str) -> frozenset[str]:
    return frozenset(_data()["groups"][name].split())


def _replaced(terms: list[Term]) -> tuple[Term, ...]:
    """`terms` with the library's own words for what it calls otherwise, each word once."""
    found: dict[str, Term] = {}
    for term in terms:
        words = aliases().get(term.word) or aliases().get(term.word.removesuffix("s")) or term.word
        *others, last = words.split()
        for word in others:
            found.setdefault(word, Term(word, min(term.weight, _NOUN), False, term.exact))
        known = found.get(last)
        if known is None or known.weight < term.weight:
            found[last] = Term(last, term.weight, term.head, term.exact)
    return tuple(found.values())


@cache
def _data() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def aliases() -> Mapping[str, str]:
    """A word or a phrase, and the words to search with instead."""
    return _data()["alias"]


def picks() -> Mapping[str, str]:
    """A thing, and its best pictures."""
    return _data()["icons"]


@cache
def paints() -> Mapping[str, tuple[tuple[str, str, str], ...]]:
    """A thing, and the colours that its parts may have."""
    found: dict[str, tuple[tuple[str, str, str], ...]] = {}
    for ramps, things in _data()["paint"].items():
        large, middle, small = ramps.split()
        for thing in dict.fromkeys(things.split()):
            found[thing] = (*found.get(thing, ()), (large, middle, small))
    return found
