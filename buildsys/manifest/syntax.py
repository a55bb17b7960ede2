"""How a template is written: text, `{name}`, `{one of: a|b}`, doubled braces.

Knows nothing of what a name stands for.
"""

from __future__ import annotations

import functools
import re
from typing import Final, TypeAlias

import msgspec

from buildsys.manifest.source import Fault

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
"""What may stand in braces: the names of variables and of a matrix's axes."""

OPENING: Final = "{one of:"

DEEPEST: Final = 16
"""Wildcards within wildcards. A slip of a generator must not fill the stack."""

_MARK: Final = re.compile(r"\{one of:|\{\{|\}\}|\{([^{}]*)\}|\|\||[{}|]")


class Name(msgspec.Struct, frozen=True):
    """`{name}`."""

    name: str


class Choice(msgspec.Struct, frozen=True):
    """One choice of a wildcard, without the blanks around it."""

    text: str
    """As it is written; other line breaks and blanks between the words make no other choice."""
    parts: tuple[Part, ...]


class Wildcard(msgspec.Struct, frozen=True):
    """`{one of: a|b}`."""

    text: str
    choices: tuple[Choice, ...]


Part: TypeAlias = str | Name | Wildcard


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> tuple[Part, ...]:
    """The parts of `text`. Raises `Fault` for a brace that has no partner and for an empty choice."""
    return _Reader(text).parts(0)


def names(text: str) -> list[str]:
    """The names that `text` uses, in order, well-formed or not."""
    return [match.group(1) for match in _MARK.finditer(text) if match.group(1) is not None]


def shown(text: str) -> str:
    """`text` as a message shows it, cut where it is long."""
    limit = 60
    return f"`{text}`" if len(text) <= limit else f"`{text[:limit]}…`"


class _Reader:
    """A text, read up to `at`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def parts(self, depth: int) -> tuple[Part, ...]:
        """The parts up to the end of the text or, inside a wildcard, up to the `|` or `}` after a choice."""
        found: list[Part] = []
        braces = 0
        while match := _MARK.search(self._text, self._at):
            mark = match.group()
            found.append(self._text[self._at : match.start()])
            self._at = match.start()
            # `{one of: a|{one of: b|c}}` closes twice; `{one of: {{a}}|b}` has braces that stay.
            if depth and (mark in ("|", "}") or (mark == "}}" and not braces)):
                return tuple(found)
            self._at = match.end()
            if mark == OPENING:
                found.append(self._wildcard(match.start(), depth + 1))
            elif match.group(1) is not None:
                found.append(Name(match.group(1)))
            elif mark in ("{", "}"):
                raise Fault(
                    f"a single `{mark}` in {shown(self._text)}", f"write `{mark}{mark}` for the brace"
                )
            else:
                braces += {"{{": 1, "}}": -1}.get(mark, 0)
                found.append(mark[0] if depth or mark != "||" else mark)
        found.append(self._text[self._at :])
        self._at = len(self._text)
        return tuple(found)

    def _wildcard(self, start: int, depth: int) -> Wildcard:
        place = f"the wildcard at character {start + 1} of {shown(self._text)}"
        if depth > DEEPEST:
            raise Fault(f"{place} lies in {DEEPEST} others", "take a level out")
        choices: list[Choice] = []
        while True:
            begin = self._at
            parts = self.parts(depth)
            if self._at == len(self._text):
                raise Fault(f"{place} has no end", "add `}` after the last choice")
            text = " ".join(self._text[begin : self._at].split())
            if not text:
                fact = f"choice {len(choices) + 1} of {place} is empty"
                raise Fault(fact, "write something there, or remove a `|`")
            choices.append(Choice(text, _stripped(parts)))
            self._at += 1
            if self._text[self._at - 1] == "}":
                return Wildcard(self._text[start : self._at], tuple(choices))


def _stripped(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """`parts` without the blanks around them; the reader begins and ends with a text, be it empty."""
    stripped = list(parts)
    stripped[0] = str(stripped[0]).lstrip()
    stripped[-1] = str(stripped[-1]).rstrip()
    return tuple(stripped)
