"""TOML texts with one thing changed, and every other byte as it was.

Knows nothing of manifests and of files. A change is cut into the text where the parser says that its key
stands. A library that reads the whole text and writes it again (`tomlkit`) was refused: a key that it adds
to a table goes behind the comments above the next one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, TypeAlias

from buildsys import toml
from buildsys.manifest.layout import Layout, Pair

Json: TypeAlias = Any
Table: TypeAlias = tuple[str, ...]
"""The names that lead to a table: `("assets", "hero")`."""

_COMMA_AFTER: Final = re.compile(rb"[ \t]*,[ \t]*")
_COMMA_BEFORE: Final = re.compile(rb"[ \t]*,[ \t]*\Z")


class Unfit(Exception):  # noqa: N818 - a finding about a text, made into an error by the caller
    """The text has a form that this can't change; says which."""


def put(text: str, table: Table, key: str, value: Json, *, first: bool = False) -> str:
    """`text` with `key` of `table` set to `value`: in its place where it stands, else as a new last line.

    `first`: a new line goes under the table's header instead. Raises `Unfit`, and `ValueError` for a
    value that TOML can't hold.
    """
    layout = Layout(text)
    pair = layout.pair((*table, key))
    if pair is not None:
        return _spliced(layout, pair.value, pair.end, _value(value, text, inline=pair.inline))
    cleared = drop(text, (*table, key))  # it may be spread over dotted keys and tables of its own
    return _inserted(cleared, table, key, value, first=first)


def drop(text: str, path: Table) -> str:
    """`text` without the key or table at `path`, comments on its own lines included."""
    while True:
        layout = Layout(text)
        pairs = layout.pairs_under(path)
        blocks = layout.blocks_under(path)
        if blocks:
            text = _spliced(layout, blocks[-1].start, blocks[-1].end, "")
        elif pairs and pairs[-1].inline:
            text = _spliced(layout, *_with_comma(layout, pairs[-1]), "")
        elif pairs:
            start, end = layout.line_start(pairs[-1].start), layout.line_end(pairs[-1].end)
            text = _spliced(layout, start, end, "")
        else:
            return text


def append(text: str, table: Table, values: Mapping[str, Json], remarks: Iterable[str] = ()) -> str:
    """`text` with a new table at its end, its keys in the order given, and `remarks` as comments below."""
    eol = _eol(text)
    lines = [f"[{_dotted(table)}]"]
    lines += [f"{toml.key(key)} = {_value(value, text)}" for key, value in values.items()]
    lines += [f"# {line}".rstrip() for remark in remarks for line in remark.split("\n")]
    start = text if not text or text.endswith("\n") else text + eol
    gap = "" if not start or start.endswith(2 * eol) else eol
    return start + gap + "".join(line + eol for line in lines)


def retire(text: str, table: Table, keep: Collection[str], note: str) -> str:
    """`text` with every key of `table` but `keep` made a comment, under `note`. Raises `Unfit`."""
    layout = Layout(text)
    lines: set[int] = set()
    for pair in layout.pairs_under(table):
        if pair.inline or len(pair.path) == len(table):
            raise Unfit("is written in braces")
        if pair.path[len(table)] not in keep:
            lines |= _lines(layout, pair.start, pair.end)
    for block in layout.blocks_under(table):
        if len(block.path) > len(table) and block.path[len(table)] not in keep:
            lines |= _lines(layout, block.start, block.start)
    if not lines:
        return text
    marked = layout.data
    for start in sorted(lines, reverse=True):
        marked = marked[:start] + b"# " + marked[start:]
    first = min(lines)
    return (marked[:first] + f"# {note}{_eol(text)}".encode() + marked[first:]).decode()


def _inserted(text: str, table: Table, key: str, value: Json, *, first: bool) -> str:
    layout = Layout(text)
    siblings = [pair for pair in layout.pairs if pair.path[:-1] == table]
    block = layout.block(table)
    whole = layout.pair(table)
    nested = layout.blocks_under(table)
    dotted = layout.pairs_under(table)
    if block is not None and (first or not siblings):
        return _with_line(layout, block.body, f"{toml.key(key)} = {_value(value, text)}")
    if siblings:
        return _after(layout, max(siblings, key=lambda pair: pair.start), key, value)
    if whole is not None:
        return _into_braces(layout, whole, f"{toml.key(key)} = {toml.inline(value)}")
    if nested:
        lines = (f"[{_dotted(table)}]", f"{toml.key(key)} = {_value(value, text)}", "")
        return _with_line(layout, nested[0].start, _eol(text).join(lines))
    if dotted:
        name = _dotted((*table[dotted[-1].around :], key))
        return _with_line(layout, layout.line_end(dotted[-1].end), f"{name} = {_value(value, text)}")
    raise Unfit("is not there")


def _after(layout: Layout, sibling: Pair, key: str, value: Json) -> str:
    name = f"{sibling.prefix}{toml.key(key)}"
    if sibling.inline:
        return _spliced(layout, sibling.end, sibling.end, f", {name} = {toml.inline(value)}")
    indent = layout.data[layout.line_start(sibling.start) : sibling.start].decode()
    written = _value(value, layout.data.decode())
    return _with_line(layout, layout.line_end(sibling.end), f"{indent}{name} = {written}")


def _into_braces(layout: Layout, pair: Pair, line: str) -> str:
    inner = layout.data[pair.value + 1 : pair.end - 1].rstrip()
    if not inner.strip():
        return _spliced(layout, pair.value, pair.end, f"{{ {line} }}")
    place = pair.value + 1 + len(inner)
    return _spliced(layout, place, place, f", {line}")


def _with_line(layout: Layout, place: int, line: str) -> str:
    """The text with `line` as a line of its own at `place`, the start of a line or the end of the text."""
    eol = _eol(layout.data.decode())
    unended = place > 0 and layout.data[place - 1 : place] != b"\n"
    return _spliced(layout, place, place, f"{eol if unended else ''}{line}{eol}")


def _with_comma(layout: Layout, pair: Pair) -> tuple[int, int]:
    """Where an inline pair stands, with the comma that goes with it."""
    if after := _COMMA_AFTER.match(layout.data, pair.end):
        return pair.start, after.end()
    before = _COMMA_BEFORE.search(layout.data, 0, pair.start)
    return (before.start() if before else pair.start), pair.end


def _lines(layout: Layout, start: int, end: int) -> set[int]:
    """Where each line from that of `start` to that of `end` starts."""
    found = {layout.line_start(start)}
    place = layout.line_end(start)
    while place < end:
        found.add(place)
        place = layout.line_end(place)
    return found


def _spliced(layout: Layout, start: int, end: int, piece: str) -> str:
    return (layout.data[:start] + piece.encode() + layout.data[end:]).decode()


def _value(value: Json, text: str, *, inline: bool = False) -> str:
    # Between lines that end in CR LF, a text of several lines would be read with other ends than it has.
    if inline or _eol(text) != "\n":
        return toml.inline(value)
    return toml.line("_", value).removeprefix("_ = ")


def _eol(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _dotted(names: Iterable[str]) -> str:
    return ".".join(map(toml.key, names))
