"""Where the library's icons come from: what is read out of the npm packages, and what is left out.

Used only when the library is packed; knows nothing of how an icon is stored or drawn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PACKAGES: Final = {
    "@iconify-json/game-icons": "1.2.4",
    "@iconify-json/noto": "1.2.9",
    "@iconify-json/fluent-emoji": "1.2.7",
    "emojibase-data": "17.0.0",
    "emojilib": "4.0.3",
}
"""The npm packages to install, and the versions that the committed library was packed from."""

_AUTHORS: Final = Path(__file__).with_name("authors.txt")
VARIANT: Final = re.compile(r"skin-tone|(^|-)(dark|light|medium)(-|$)|tone\d|^flag|keycap|^regional")
_GENDERED: Final = re.compile(r"^(man|men|woman|women)(-|$)")
_WORD: Final = re.compile(r"[a-z]+")
_GROUPS: Final = frozenset({3, 4, 5, 6, 7})
"""Animals and nature, food and drink, travel and places, activities, objects."""
_SUBGROUPS: Final = frozenset(
    "cat-face emotion face-costume face-smiling heart monkey-face person-fantasy person-role "  # noqa: SIM905 - a list of words reads better
    "religion warning zodiac".split()
)
_LEFT_OUT: Final = frozenset({"time"})
"""Twenty-four clock faces."""


_UNWANTED: Final = frozenset(
    "bat-mask bird-twitter bullet-bill companion-cube death-star deku-tree harry-potter-skull klingon "  # noqa: SIM905 - the same
    "pokecog rapidshare-arrow rss saiyan-suit samus-helmet sheikah-eye slavery-whip "
    "snitch-quidditch-ball suicide super-mushroom thwomp triforce ubisoft-sun usb-key "
    "wolverine-claws android-mask van-damme-split".split()
)
"""Other people's marks and characters, and what nobody should meet by chance."""


@dataclass(frozen=True, slots=True)
class Source:
    """One icon as its set has it."""

    name: str
    collection: str
    """`game-icons`, `noto` or `fluent`."""
    body: str
    """The inside of an `<svg>`."""
    box: int
    """Side of its square view box."""
    keywords: tuple[str, ...]
    author: str
    licence: str


def read(node_modules: Path) -> Iterator[Source]:
    """Every icon of the library, by set and name. Raises `ValueError` for another package version."""
    for package, version in PACKAGES.items():
        found = _json(node_modules / package / "package.json")["version"]
        if found != version:
            raise ValueError(f"`{package}` is {found}, not {version}")
    yield from _game_icons(node_modules)
    keywords = emoji_keywords(node_modules)
    for collection, package, author, licence in (
        ("fluent", "@iconify-json/fluent-emoji", "Microsoft Corporation", "MIT"),
        ("noto", "@iconify-json/noto", "Google LLC", "Apache-2.0"),
    ):
        data = _json(node_modules / package / "icons.json")
        seen: set[tuple[str, ...]] = set()
        for name, icon in sorted(data["icons"].items()):
            words = keywords.get(name)
            # One emoji has several names in a set; the first is enough.
            if words is None or icon.get("hidden") or VARIANT.search(name) or words in seen:
                continue
            seen.add(words)
            yield Source(name, collection, icon["body"], int(data["height"]), words, author, licence)


def _game_icons(node_modules: Path) -> Iterator[Source]:
    data = _json(node_modules / "@iconify-json/game-icons/icons.json")
    authors = _authors()
    for name, icon in sorted(data["icons"].items()):
        if icon.get("hidden") or name in _UNWANTED or name.startswith("abstract-"):
            continue
        author, licence = authors.get(name, ("game-icons.net contributors", "CC-BY-3.0"))
        yield Source(name, "game-icons", icon["body"], int(data["height"]), (), author, licence)


def _authors() -> dict[str, tuple[str, str]]:
    """Icon to author and licence: a heading `# author | licence`, then a name a line."""
    found: dict[str, tuple[str, str]] = {}
    author = licence = ""
    for line in _AUTHORS.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            author, licence = line[2:].split(" | ")
        elif line:
            found[line] = (author, licence)
    return found


def emoji_keywords(node_modules: Path) -> Mapping[str, tuple[str, ...]]:
    """Icon name to label and tags, for the emoji that a game can use."""
    groups = _json(node_modules / "emojibase-data/en/messages.json")
    subgroups = {group["order"]: group["key"] for group in groups["subgroups"]}
    more = _json(node_modules / "emojilib/dist/emoji-en-US.json")
    characters = _json(node_modules / "@iconify-json/noto/chars.json")
    names: dict[str, list[str]] = {}
    for code, name in characters.items():
        names.setdefault(_plain(code), []).append(name)
    found: dict[str, tuple[str, ...]] = {}
    for emoji in _json(node_modules / "emojibase-data/en/data.json"):
        subgroup = subgroups.get(emoji.get("subgroup"), "")
        slug = re.sub(r"[^a-z0-9]+", "-", emoji["label"].lower().replace("\u2019", "")).strip("-")
        wanted = (emoji.get("group") in _GROUPS and subgroup not in _LEFT_OUT) or subgroup in _SUBGROUPS
        if not wanted or _GENDERED.match(slug):
            continue
        tags = [emoji["label"], *emoji.get("tags", ()), *more.get(emoji["emoji"], ())]
        words = tuple(dict.fromkeys(" ".join(_WORD.findall(tag.lower())) for tag in tags))
        for name in (slug, *names.get(_plain(emoji["hexcode"].lower()), ())):
            found.setdefault(name, tuple(word for word in words if word))
    return found


def _plain(code: str) -> str:
    """A code point sequence without variation selectors, as file names have it."""
    return "-".join(part for part in code.split("-") if part != "fe0f")


def _json(path: Path) -> Any:  # noqa: ANN401 - other people's files
    return json.loads(path.read_text(encoding="utf-8"))
