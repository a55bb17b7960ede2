"""A font file: what it is called, which characters it has, and whom to credit.

Read with fontTools rather than by own code: a character table has many formats, and a wrong guess is a
picture without its text. The renderer drops what it can't find without a word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fontTools.ttLib import TTFont, TTLibError

from engines.parameters import bad
from engines.protocol import Credit, EngineError

_MAX_BYTES: Final = 32 * 1024 * 1024
_KINDS: Final = (b"\0\1\0\0", b"OTTO", b"true")
_LICENCES: Final = {"open font license": "OFL-1.1", "apache license": "Apache-2.0"}
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Font:
    """What the adapter knows of a font file."""

    path: str
    family: str
    """As the renderer looks it up."""
    weight: int
    slope: str
    cap_height: float
    """Of the letter H, in parts of the font size."""
    characters: frozenset[int]
    widths: dict[int, float]
    """Advance of each character in parts of the font size, without kerning."""
    credit: Credit

    def style(self) -> str:
        """The attributes that choose this font in SVG."""
        # In quotes of its own: a name such as Press Start 2P is no list of CSS identifiers.
        return f'font-family="\'{self.family}\'" font-weight="{self.weight}" font-style="{self.slope}"'

    def need(self, text: str) -> None:
        """Raise `EngineError` that names the characters of `text` which the font lacks."""
        lacking = [mark for mark in dict.fromkeys(text) if mark != "\n" and ord(mark) not in self.characters]
        if lacking:
            more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
            raise bad(
                f"the font `{self.credit.title}` has no {_named(lacking[:_SHOWN])}{more}",
                "choose another `font`, or leave the character out of the text",
            )

    def estimate(self, line: str) -> float:
        """The width of `line` in parts of the font size, without kerning."""
        return sum(self.widths.get(ord(mark), 1.0) for mark in line)


def read(path: str) -> Font:
    """The font in the TrueType or OpenType file at `path`."""
    name = Path(path).name
    if Path(path).stat().st_size > _MAX_BYTES:
        raise bad(f"the font `{name}` is larger than {_MAX_BYTES // 2**20} MiB")
    with Path(path).open("rb") as file:
        if file.read(4) not in _KINDS:
            raise bad(f"`{name}` is not a TrueType or OpenType font", "give a `.ttf` or `.otf` file")
    try:
        with TTFont(path, lazy=True) as font:
            return _font(path, font)
    except EngineError:
        raise
    except (TTLibError, Exception) as error:  # fontTools raises nearly anything on a damaged file
        raise bad(f"the font `{name}` is damaged: {error}") from error


def _font(path: str, font: Any) -> Font:  # noqa: ANN401 - fontTools has no types
    names, metrics, units = font["name"], font["OS/2"], font["head"].unitsPerEm
    family = names.getDebugName(16) or names.getDebugName(1)
    if not family or "'" in family or '"' in family:
        raise bad(f"the font `{Path(path).name}` has no family name that a drawing can use")
    table = font.getBestCmap() or {}
    advances = font["hmtx"]
    slanted = {1: "italic", 512: "oblique"}
    return Font(
        path=path,
        family=family,
        weight=metrics.usWeightClass,
        slope=next((name for bit, name in slanted.items() if metrics.fsSelection & bit), "normal"),
        cap_height=(getattr(metrics, "sCapHeight", 0) or round(0.7 * units)) / units,
        characters=frozenset(table),
        widths={code: advances[glyph][0] / units for code, glyph in table.items()},
        credit=_credit(path, names),
    )


def _credit(path: str, names: Any) -> Credit:  # noqa: ANN401 - fontTools has no types
    def text(*numbers: int) -> str:
        found = (names.getDebugName(number) for number in numbers)
        return " ".join(next((item for item in found if item), "").split())

    licence = text(13, 14, 0).lower()
    return Credit(
        title=text(4, 1) or Path(path).name,
        author=text(9, 8, 0) or "unknown",
        licence=next((spdx for words, spdx in _LICENCES.items() if words in licence), "unknown"),
        source=_address(text(11, 12)) or "the font file",
    )


def _address(found: str) -> str:
    """With its scheme: many a font has only `www.example.org`, which no reader of credits can follow."""
    return found if not found or "://" in found else f"https://{found}"


def _named(marks: Iterable[str]) -> str:
    return ", ".join(f"`{mark}` (U+{ord(mark):04X} {unicodedata.name(mark, 'control')})" for mark in marks)
