"""Finds icons by words: names first, then keywords, then word vectors.

All of it is whole numbers, and ties go by name, so that every machine finds the same icon. From a
shell: `python -m engines.stock.search [--json] [--limit N] WORDS`.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engines.stock import prompt
from engines.stock.library import Icon, Library
from engines.stock.prompt import Term, Wish

Scores: TypeAlias = NDArray[np.int32]
"""Thousandths: 1000 is the very word."""

EXACT: Final = 1000
_STEM: Final = 960
_KEYWORD: Final = 700
_VECTOR: Final = 800
"""The most that likeness of meaning can score."""
_UNLIKE: Final = 360
"""Cosine, in thousandths, below which two words have nothing to do with each other."""
_ACROSS: Final = 600
"""Share, in thousandths, where a head meets a describing word or the other way round."""
_LEAST: Final = 330
_PREFERENCE: Final = {"game-icons": 40, "fluent": 20, "noto": 0}
_NAME_WORDS: Final = 6
_KEYWORDS: Final = 30
_INNER: Final = frozenset({"of", "in", "with", "on", "and"})
_SMALL_WORDS: Final = _INNER | {"the", "a"}


@dataclass(frozen=True, slots=True)
class Hit:
    """An icon that was found."""

    icon: Icon
    score: int
    """Thousandths; 1000 and more is the very thing."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, best first, and what a person should know of it."""

    hits: tuple[Hit, ...]
    notes: tuple[str, ...]


class Searcher:
    """The library's words as arrays."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._vector_of = {word: index for index, word in enumerate(library.words)}
        self._ids: dict[str, int] = {}
        names = [_name_words(icon) for icon in library.icons]
        keywords = [_keyword_words(icon) for icon in library.icons]
        self._heads = self._table([words[:1] for words in names], 1)
        self._describing = self._table([words[1:] for words in names], _NAME_WORDS)
        self._keywords = self._table(keywords, _KEYWORDS)
        # The row after the last word is the padding: it is like nothing.
        self._none = len(self._ids)
        for table in (self._heads, self._describing, self._keywords):
            table[table < 0] = self._none
        self._known = list(self._ids)
        rows = [self._vector_of.get(word, -1) for word in self._known]
        self._vectors = library.vectors[rows].astype(np.int32)
        self._vectors[[row < 0 for row in rows]] = 0
        self._preference = np.array([_PREFERENCE[icon.collection] for icon in library.icons], np.int32)
        self._place = {icon.key: index for index, icon in enumerate(library.icons)}
        self._order = {key: index for index, key in enumerate(sorted(self._place))}

    def search(self, words: str, limit: int = 10, *, collection: str = "any") -> Found:
        """The icons nearest to `words`."""
        return self.find(prompt.parse(words), limit, collection=collection)

    def find(self, wish: Wish, limit: int = 10, *, collection: str = "any") -> Found:
        """The icons nearest to `wish`; none where not a word of it is understood."""
        terms, notes = self._understood(wish.terms)
        if not terms:
            return Found((), notes)
        scores = self._scores(terms)
        if collection != "any":
            scores[[icon.collection != collection for icon in self._library.icons]] = 0
        icons = self._library.icons
        near = np.argsort(-scores, kind="stable")[: limit + 40]
        ranked = sorted(near.tolist(), key=lambda index: (-int(scores[index]), self._order[icons[index].key]))
        hits = [Hit(icons[index], int(scores[index])) for index in ranked[:limit]]
        return Found(tuple(hit for hit in hits if hit.score >= _LEAST), notes)

    def likeness(self, word: str, others: Sequence[str]) -> NDArray[np.int32]:
        """Cosine, in thousandths, of `word` to each of `others`; 0 where one has no vector."""
        rows = [self._vector_of.get(other, -1) for other in others]
        vectors = self._library.vectors[rows].astype(np.int32)
        vectors[[row < 0 for row in rows]] = 0
        return _cosine(vectors @ self._vector(word))

    def _understood(self, terms: Iterable[Term]) -> tuple[list[Term], tuple[str, ...]]:
        found: list[Term] = []
        notes: list[str] = []
        for term in terms:
            word = self._spelled(term.word)
            if word is None:
                if not term.exact:
                    notes.append(f"`{term.word}` was not understood")
                continue
            if word != term.word and _stem(word) != _stem(term.word):
                notes.append(f"`{term.word}` was read as `{word}`")
            found.append(Term(word, term.weight, term.head, term.exact))
        if found and not any(term.head for term in found):
            first = max(found, key=lambda term: term.weight)
            found = [Term(t.word, t.weight, t is first, t.exact) for t in found]
        return found, tuple(notes)

    def _spelled(self, word: str) -> str | None:
        """`word`, or how the library spells it; None where it means nothing."""
        stem = _stem(word)
        if word in self._ids or word in self._vector_of or word in prompt.picks():
            return word
        if stem in self._ids or stem in self._vector_of or stem in prompt.picks():
            return stem
        for cut in range(len(word) - 3, 2, -1):
            # A compound names the kind of thing last: a `frostblade` is a blade.
            tail = prompt.aliases().get(word[cut:], word[cut:])
            if word[:cut] in self._vector_of and (tail in self._ids or tail in prompt.picks()):
                return tail
        close = difflib.get_close_matches(word, [*self._known, *prompt.picks()], n=1, cutoff=0.8)
        return close[0] if close and len(word) > 3 else None  # noqa: PLR2004 - shorter words are like many

    def _scores(self, terms: Sequence[Term]) -> Scores:
        count = len(self._library.icons)
        total = np.zeros(count, np.int32)
        best = np.zeros(self._none + 1, np.int32)
        chosen = np.zeros(count, np.bool_)
        for term in terms:
            like = self._like(term)
            np.maximum(best, like, out=best)
            head, rest = like[self._heads].max(axis=1), like[self._describing].max(axis=1)
            keyword = np.minimum(like, _KEYWORD)[self._keywords].max(axis=1)
            keyword = np.where(keyword < _KEYWORD, keyword * 6 // 10, keyword)
            same, other = (head, rest) if term.head else (rest, head)
            score = np.maximum(np.maximum(same, other * _ACROSS // EXACT), keyword)
            if term.head:
                picked = self._picked(term.word)
                chosen[picked] = True
                score[picked] = EXACT
            total += score * term.weight
        total //= max(1, sum(term.weight for term in terms))
        names = 2 * best[self._heads].sum(axis=1) + best[self._describing].sum(axis=1)
        lengths = 2 + (self._describing != self._none).sum(axis=1)
        covered = np.where(chosen, EXACT + 40, names // lengths)
        result: Scores = (total * 7 + covered * 3) // 10 + self._preference
        return result.astype(np.int32)

    def _picked(self, word: str) -> list[int]:
        names = (prompt.picks().get(word) or prompt.picks().get(_stem(word)) or "").split()
        return [self._place[name if "/" in name else f"game-icons/{name}"] for name in names]

    def _like(self, term: Term) -> Scores:
        """How like each known word is to `term`."""
        like = np.zeros(self._none + 1, np.int32)
        if not term.exact:
            cosine = _cosine(self._vectors @ self._vector(term.word))
            like[:-1] = np.maximum(0, (cosine - _UNLIKE) * _VECTOR // (EXACT - _UNLIKE))
        stem = _stem(term.word)
        for word in {term.word, stem, f"{term.word}s", f"{stem}s", f"{stem}es"}:
            if word in self._ids:
                like[self._ids[word]] = EXACT if word == term.word else _STEM
        return like

    def _vector(self, word: str) -> NDArray[np.int32]:
        row = self._vector_of.get(word, self._vector_of.get(_stem(word), -1))
        if row < 0:
            return np.zeros(self._library.vectors.shape[1], np.int32)
        vector: NDArray[np.int32] = self._library.vectors[row].astype(np.int32)
        return vector

    def _table(self, rows: Sequence[Sequence[str]], width: int) -> NDArray[np.int32]:
        table = np.full((len(rows), width), -1, np.int32)
        for row, words in zip(table, rows, strict=True):
            for column, word in enumerate(words[:width]):
                row[column] = self._ids.setdefault(word, len(self._ids))
        return table


def _cosine(products: NDArray[np.int32]) -> NDArray[np.int32]:
    """Products of two packed vectors as cosines in thousandths (all are 320 long)."""
    result: NDArray[np.int32] = products * 10 // 1024
    return result


def _name_words(icon: Icon) -> list[str]:
    """The words of an icon's name, the head first: `sword-in-stone` is a sword."""
    words = [word for word in icon.name.split("-") if word.isalpha()] or [icon.name]
    inner = next((index for index, word in enumerate(words) if word in _INNER and index), len(words))
    head = words[inner - 1]
    others = [word for index, word in enumerate(words) if index != inner - 1]
    return [head, *(word for word in others if word not in _SMALL_WORDS)]


def _keyword_words(icon: Icon) -> list[str]:
    words = dict.fromkeys(word for phrase in icon.keywords for word in phrase.split())
    return [word for word in words if word not in _SMALL_WORDS]


def _stem(word: str) -> str:
    """`word` without the endings of plurals and possessives."""
    word = word.removesuffix("'s").removesuffix("\u2019s")
    if len(word) > 4 and word.endswith("ies"):  # noqa: PLR2004 - not `pies`
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):  # noqa: PLR2004 - not `axes`
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):  # noqa: PLR2004
        return word[:-1]
    return word


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found, best first; 1 where nothing was."""
    parser = argparse.ArgumentParser(
        prog="python -m engines.stock.search", description="Find icons by words."
    )
    parser.add_argument("words", nargs="+", help="what to look for, as in a prompt")
    parser.add_argument("--limit", type=int, default=12, help="how many to show (12)")
    parser.add_argument("--set", default="any", choices=["any", "game-icons", "fluent", "noto"])
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    chosen = parser.parse_args(arguments)
    found = Searcher(Library()).search(" ".join(chosen.words), chosen.limit, collection=chosen.set)
    out = sys.stdout
    if chosen.json:
        out.write(json.dumps({"hits": [row(hit) for hit in found.hits], "notes": list(found.notes)}) + "\n")
    else:
        for hit in found.hits:
            icon = hit.icon
            out.write(f"{hit.score:5}  {icon.key:40}  {icon.author}, {icon.licence}\n")
        for note in found.notes:
            out.write(f"note: {note}\n")
    return 0 if found.hits else 1


def row(hit: Hit) -> dict[str, object]:
    """A hit as JSON has it."""
    values = asdict(hit.icon)
    kept = {key: values[key] for key in ("name", "collection", "author", "licence")}
    return {
        "icon": hit.icon.key,
        "title": hit.icon.title,
        "score": hit.score,
        "source": hit.icon.source,
        **kept,
    }


if __name__ == "__main__":
    sys.exit(main())
