"""Names of assets and paths of files that every system can hold and that stay inside the project.

Knows nothing of the disk: a name is judged by its letters alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from buildsys.manifest.model import AssetName, Location
from buildsys.manifest.source import Fault

BUNDLED: Final = "bundled:"
"""Prefix of a path inside the `engines` package instead of the project."""

LONGEST: Final = 200
"""Bytes in a name. Windows allows 260 characters for the whole path, the project's folder included."""

WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""Names of engines, styles, roles and profiles."""

_ASCII: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_RESERVED: Final = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
_BAD_END: Final = re.compile(r"^[.-]|[. ]$")
_RULE: Final = "use letters, digits, `-`, `_`, `.`, with `/` between folders"
_DRIVE: Final = re.compile(r"[A-Za-z]:")


def check_name(name: str, what: str = "an asset") -> None:
    """Raise `Fault` unless `name` can be that of `what`."""
    if len(name.encode(errors="replace")) > LONGEST:
        raise Fault(f"the name `{name[:40]}…` is longer than {LONGEST} bytes", "shorten it", at_key=True)
    if reason := _reason(name):
        shown = f"`{name}`" if name else "an empty text"
        raise Fault(f"{shown} can't name {what}: {reason}", _RULE, at_key=True)


def _reason(name: str) -> str:
    if not name:
        return "it has no letters"
    if name.startswith("/"):
        return "it is an absolute path"
    if not unicodedata.is_normalized("NFC", name):
        return "its letters are not in the composed form (NFC)"
    plain = _ASCII.fullmatch(name) is not None
    for segment in name.split("/"):
        if reason := _segment_reason(segment, plain=plain):
            return reason
    return ""


def _segment_reason(segment: str, *, plain: bool) -> str:
    if not segment:
        return "a folder in it has no name"
    if segment in (".", ".."):
        return f"`{segment}` leads out of its folder"
    if end := _BAD_END.search(segment):
        return f"`{segment}` {'starts' if end.start() == 0 else 'ends'} with `{end.group()}`"
    if _RESERVED.fullmatch(segment):
        return f"Windows keeps `{segment}` for a device"
    strange = "" if plain else next((letter for letter in segment if not _is_plain(letter)), "")
    return f"it holds {_spelled(strange)}" if strange else ""


def _is_plain(letter: str) -> bool:
    category = unicodedata.category(letter)
    return letter in "-_." or category[0] in "LM" or category == "Nd"


def _spelled(letter: str) -> str:
    return f"`{letter}`" if letter.isprintable() else f"the character U+{ord(letter):04X}"


def check_path(path: str) -> None:
    """Raise `Fault` unless `path` is relative, uses `/`, and stays inside the project or the bundle."""
    inner = path.removeprefix(BUNDLED)
    if not inner:
        raise Fault("a path is empty", "name a file of the project")
    if "\\" in inner or "\0" in inner:
        raise Fault(f"the path {path!r} holds a character that paths here can't have", "use `/`")
    if inner.startswith("/") or _DRIVE.match(inner):
        raise Fault(f"the path `{path}` is absolute", "give it relative to the project")
    parts = inner.split("/")
    if ".." in parts:
        raise Fault(f"the path `{path}` leads out of its folder", "name a file inside the project")
    if "" in parts or "." in parts:
        raise Fault(f"the path `{path}` has an empty part", "leave out `.` and doubled `/`")


class Outputs:
    """The files that assets write, to find two that are one on some disk."""

    def __init__(self) -> None:
        self._names: dict[str, Location] = {}
        self._files: dict[str, tuple[str, Location]] = {}
        self._folders: dict[str, tuple[str, Location]] = {}

    def add(self, name: AssetName, suffix: str, location: Location, file: str = "") -> None:
        """Take `name` up. Raise `Fault` where an earlier asset is in its way.

        `file`: the path under the output folder, without the suffix, where it is not the name.
        """
        if name in self._names:
            raise _clash(f"`{name}` is declared a second time; the first is at {self._names[name]}")
        self._names[name] = location
        self._take(f"`{name}`", f"{file or name}.{suffix}", location)

    def beside(self, name: AssetName, suffixes: Iterable[str], location: Location) -> None:
        """Take up files that the asset `name` may have beside its own. Raise `Fault` as `add` does."""
        for suffix in suffixes:
            self._take(f"a file beside `{name}`", name + suffix, location)

    def _take(self, what: str, path: str, location: Location) -> None:
        key = path.lower() if path.isascii() else unicodedata.normalize("NFC", path.casefold())
        mine = (what, location)
        taken = self._files.setdefault(key, mine)
        if taken is not mine:
            other, there = taken
            raise _clash(f"{what} and {other} ({there}) would be one file on a disk that ignores case")
        nested = self._folders.get(key)
        for folder in _parents(key):
            nested = nested or self._files.get(folder)
            self._folders.setdefault(folder, mine)
        if nested:
            other, there = nested
            raise _clash(f"{what} and {other} ({there}) need one path as a file and as a folder")


def _clash(fact: str) -> Fault:
    return Fault(fact, "rename one of them", at_key=True)


def _parents(path: str) -> Iterator[str]:
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)
