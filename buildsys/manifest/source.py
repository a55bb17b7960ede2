"""One manifest file as text and as tables, and what is wrong with it, each at its place.

Knows nothing of what the tables mean. Positions of keys are looked up only when something is wrong:
the fast TOML reader keeps none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec
import rtoml

from buildsys.errors import ManifestError
from buildsys.manifest.model import Location

Json: TypeAlias = Any
Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes that lead to a value: `("assets", "hero", "finish", 0)`."""

SHOWN: Final = 10
"""Problems told at once. Past ten, the later ones tend to be echoes of the first."""

COMMAND_LINE: Final = "command line"
"""Stands where a file's name does for tables that a command's options were put into."""

_SYNTAX: Final = re.compile(r"(?P<fact>.*?)(?: at line (?P<line>\d+) column (?P<column>\d+))?", re.DOTALL)
_HINTS: Final = {
    "string values must be quoted": "write a value here; text stands in quotes",
    "duplicate key": "keep one of the two",
    "unclosed": "close what this line opened",
    "unexpected leading zero": "leave the zero away",
}


class Fault(Exception):  # noqa: N818 - a fault becomes a `ManifestError` once its place is known
    """Something wrong at `path`, told by a function that does not know the file.

    `at_key`: the key is wrong, not its value.
    """

    def __init__(self, fact: str, hint: str = "", path: Path = (), *, at_key: bool = False) -> None:
        super().__init__(fact)
        self.fact = fact
        self.hint = hint
        self.path = path
        self.at_key = at_key

    def under(self, *path: str | int) -> Fault:
        """The same fault, seen from further out."""
        return Fault(self.fact, self.hint, (*path, *self.path), at_key=self.at_key)


class at:  # noqa: N801 - reads as the word it is: `with at("finish", 0):`
    """Puts keys in front of the path of a fault that passes."""

    # A class, not a generator: ten thousand assets enter it sixty thousand times.
    __slots__ = ("_path",)

    def __init__(self, *path: str | int) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Fault):
            error.path = (*self._path, *error.path)


class Source(msgspec.Struct, frozen=True):
    """A manifest file: its path in the project, its text and its tables."""

    file: str
    text: str
    table: Mapping[str, Json]

    def locate(self, path: Path, *, at_key: bool = True) -> Location:
        """Where `path` stands in the text, or the nearest table around it."""
        if self.file == COMMAND_LINE:
            return Location(self.file)  # nobody wrote these lines
        from buildsys.manifest import positions  # noqa: PLC0415 - a parser that only errors pay for

        return Location(self.file, *positions.find(self.text, path, at_key=at_key))


def parse(file: str, text: str) -> Source:
    """`text` as TOML. Raises `ManifestError` with line and column."""
    try:
        table = rtoml.loads(text)
    except rtoml.TomlParsingError as error:
        raise _syntax_error(file, text, str(error)) from None
    except UnicodeEncodeError:
        raise ManifestError(f"{file}: not UTF-8", "save the file as UTF-8") from None
    return Source(file, text, table)


def _syntax_error(file: str, text: str, told: str) -> ManifestError:
    match = _SYNTAX.fullmatch(told)
    fact, line, column = match.groups() if match else (told, None, None)
    hint = next((hint for start, hint in _HINTS.items() if fact.startswith(start)), "mend this line")
    if line is None or column is None:
        return ManifestError(f"{file}: not valid TOML: {fact}", "mend this file")
    row = _clean((text.split("\n")[int(line) - 1 : int(line)] or [""])[0].strip())
    where = Location(file, int(line), int(column))
    shown = f"\n\n    {row}" if row and len(row) < 200 else ""  # noqa: PLR2004 - longer lines only hide it
    return ManifestError(f"{where}: not valid TOML: {fact}{shown}", hint)


def _clean(text: str) -> str:
    """`text` with what could steer a terminal spelled out: a name may hold an escape."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


class Problems:
    """What was found wrong so far, so that a person can mend several things in one go."""

    def __init__(self) -> None:
        self._found: list[tuple[Source, Fault]] = []

    def add(self, source: Source, fault: Fault) -> None:
        """Keep `fault`, whose path starts at the root of `source`."""
        self._found.append((source, fault))

    def take(self, others: Problems) -> None:
        """Keep what `others` found, each once."""
        known = {(source.file, fault.path, fault.fact) for source, fault in self._found}
        for source, fault in others._found:
            if (source.file, fault.path, fault.fact) not in known:
                self._found.append((source, fault))

    @property
    def enough(self) -> bool:
        """Whether more problems would only be counted, so that their words need no care."""
        return len(self._found) >= SHOWN

    def check(self) -> None:
        """Raise `ManifestError` with everything found, in the order of the files; nothing if all is well."""
        if not self._found:
            return
        order = {source.file: index for index, (source, _) in reversed(list(enumerate(self._found)))}
        told = [
            (source.locate(fault.path, at_key=fault.at_key), fault) for source, fault in self._found[:SHOWN]
        ]
        told.sort(key=lambda item: (order[item[0].file], item[0].line, item[0].column))
        errors = [
            ManifestError(_clean(f"{where}: {fault.fact}"), _clean(fault.hint)) for where, fault in told
        ]
        if len(self._found) > SHOWN:
            rest = len(self._found) - SHOWN
            errors.append(ManifestError(f"and {rest} more", "mend these first"))
        if len(errors) == 1:
            raise errors[0]
        raise ManifestError("\n\n".join(str(error) for error in errors))
