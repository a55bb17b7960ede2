"""The drawings to learn from: what the npm packages and stock's library hold, with the words for it.

Knows nothing of pixels. Sets whose licence asks that adaptations be shared alike are left out.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import engines.stock
from engines.stock import sources
from engines.stock.library import Library

PACKAGES: Final = {
    "@iconify-json/fluent-emoji": "1.2.7",
    "@iconify-json/fluent-emoji-flat": "1.2.6",
    "@iconify-json/noto": "1.2.9",
    "@iconify-json/noto-v1": "1.2.5",
    "@iconify-json/twemoji": "1.2.5",
    "@iconify-json/emojione": "1.2.3",
    "@iconify-json/fxemoji": "1.2.2",
    "@iconify-json/streamline-emojis": "1.2.4",
    "emojibase-data": "17.0.0",
    "emojilib": "4.0.3",
}
"""The npm packages to install, and their versions."""

STYLES: Final = ("painted", "glossy", "flat", "cartoon", "classic", "simple", "soft", "naive", "outlined")
"""Every manner of drawing, in the order of the model's table."""
_SETS: Final = {
    "fluent-emoji": "glossy",
    "fluent-emoji-flat": "flat",
    "noto": "cartoon",
    "noto-v1": "classic",
    "twemoji": "simple",
    "emojione": "soft",
    "fxemoji": "naive",
    "streamline-emojis": "outlined",
}
_LEFT_OUT: Final = re.compile(
    r"\d|^card-(?!pickup)|^tarot|^dice|^perspective-dice|^hieroglyph|^rank|^level-|-card$|^plain-(square|circle)"
)
"""Game icons that are signs rather than things, or one of a row that differs in a number."""
_NUMBERED: Final = re.compile(r"-\d+$")


@dataclass(frozen=True, slots=True)
class Drawing:
    """One thing as one hand drew it."""

    key: str
    """Its set and its name there: `noto/crossed-swords`."""
    style: str
    name: str
    """What it shows: `crossed swords`. Drawings of other sets with the same name show the same."""
    aliases: tuple[str, ...]
    """Other names that are as good."""
    keywords: tuple[str, ...]
    """Words that have to do with it."""
    body: str
    """The inside of an `<svg>`; of a game icon, which stock paints, nothing."""
    box: str
    """The view box of `body`."""


def read(node_modules: Path) -> Iterator[Drawing]:
    """Every drawing, by set and name. Raises `ValueError` for another version of a package."""
    for package, version in PACKAGES.items():
        found = _json(node_modules / package / "package.json")["version"]
        if found != version:
            raise ValueError(f"`{package}` is {found}, not {version}")
    yield from _game_icons()
    known = sources.emoji_keywords(node_modules)
    joined = {name.replace("-", ""): words for name, words in known.items()}
    for collection, style in _SETS.items():
        data = _json(node_modules / f"@iconify-json/{collection}/icons.json")
        seen: set[tuple[str, ...]] = set()
        for name, icon in sorted(data["icons"].items()):
            bare = _NUMBERED.sub("", name)
            words = known.get(name) or known.get(bare) or joined.get(name)
            # One emoji has several names in a set; the first is enough. A numbered one is another drawing.
            if words is None or icon.get("hidden") or sources.VARIANT.search(name):
                continue
            if words in seen and bare == name:
                continue
            seen.add(words)
            box = (icon.get("width", data.get("width", 16)), icon.get("height", data.get("height", 16)))
            yield Drawing(
                f"{collection}/{name}",
                style,
                *_named(words),
                icon["body"],
                f"{icon.get('left', 0)} {icon.get('top', 0)} {box[0]} {box[1]}",
            )


def _named(words: tuple[str, ...]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    label, *rest = words
    # "dog face" is asked for as "dog", and "person elf" as "elf".
    short = re.sub(r"^person | face$|^red (?=apple|heart)", "", label)
    aliases = (short,) if short != label else ()
    return label, aliases, tuple(word for word in rest if word not in (label, short))[:10]


def _game_icons() -> Iterator[Drawing]:
    best = _lexicon()
    for icon in Library().icons:
        if icon.collection == "game-icons" and not _LEFT_OUT.search(icon.name):
            yield Drawing(icon.key, "painted", icon.title, best.get(icon.name, ()), (), "", "")


@cache
def _lexicon() -> Mapping[str, tuple[str, ...]]:
    """Icon name to the plain words for which stock's lexicon has it."""
    path = Path(engines.stock.__file__).with_name("lexicon.toml")
    found: dict[str, list[str]] = {}
    for word, names in tomllib.loads(path.read_text(encoding="utf-8"))["icons"].items():
        for name in str(names).split():
            found.setdefault(name, []).append(word)
    return {name: (*words,) for name, words in found.items()}


def _json(path: Path) -> Any:  # noqa: ANN401 - other people's files
    return json.loads(path.read_text(encoding="utf-8"))
