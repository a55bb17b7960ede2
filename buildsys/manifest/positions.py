"""Line and column of a key in a TOML text, for messages.

Imported only when there is something wrong to show: the parser here keeps the places that the fast
one throws away. Knows nothing of manifests.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, TypeAlias

import rtoml
import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Path: TypeAlias = tuple[str | int, ...]

_LANGUAGE: Final = Language(tree_sitter_toml.language())
_KEYS: Final = ("bare_key", "quoted_key", "dotted_key")
BRACKETS: Final = ("[", "]", ",", "[[", "]]", "{", "}", "=", "comment")
"""Kinds of node that are neither key nor value."""


def find(text: str, path: Path, *, at_key: bool) -> tuple[int, int]:
    """Line and column, both from 1, of the key at `path`, or of its value; (0, 0) where nothing is near.

    The longest part of `path` that the text spells out wins, so a missing key points to its table.
    """
    best: tuple[int, Node, Node] | None = None
    for found, key, value in _near(text, path):
        shared = min(len(found), len(path))
        if found[:shared] == path[:shared] and (best is None or shared > best[0]):
            best = shared, key, value
    if best is None:
        return 0, 0
    length, key, value = best
    node = key if at_key or length < len(path) else value
    row, start = node.start_point
    line = text.split("\n")[row].encode(errors="replace")[:start]
    return row + 1, len(line.decode(errors="replace")) + 1


def _near(text: str, path: Path) -> Iterator[tuple[Path, Node, Node]]:
    """Every key that may lie on `path`, with its own path, itself and its value."""
    root, headed = tables(text)
    yield from _pairs(root, ())
    for found, header, table in headed:
        shared = min(len(found), len(path))
        if found[:shared] == path[:shared]:
            yield found, header, table
            yield from _pairs(table, found)


@lru_cache(maxsize=4)  # one text has several problems, and a large one takes a while to parse
def tables(text: str) -> tuple[Node, list[tuple[Path, Node, Node]]]:
    """The root, and every table with a header: its path, its header and the whole of it."""
    root = Parser(_LANGUAGE).parse(text.encode(errors="replace")).root_node
    counts: dict[Path, int] = {}
    found: list[tuple[Path, Node, Node]] = []
    for node in root.children:
        header = next((child for child in node.children if child.type in _KEYS), None)
        if header is None or node.type == "pair":
            continue
        path: Path = tuple(names_of(header))
        if node.type == "table_array_element":
            index = counts.get(path, 0)
            counts[path] = index + 1
            path = (*path, index)
        found.append((path, header, node))
    return root, found


def _pairs(node: Node, path: Path) -> Iterator[tuple[Path, Node, Node]]:
    """Every key in `node` itself, in its inline tables and arrays."""
    for child in node.children:
        if child.type == "pair":
            yield from _pair(child, path)


def _pair(node: Node, path: Path) -> Iterator[tuple[Path, Node, Node]]:
    parts = [child for child in node.children if child.type not in BRACKETS]
    if len(parts) < 2:  # noqa: PLR2004 - a key and a value; fewer where the grammar lost its way
        return
    key, value = parts[0], parts[-1]
    found = path
    for name in names_of(key):
        found = (*found, name)
        yield found, key, value
    yield from _inside(value, found)


def _inside(value: Node, path: Path) -> Iterator[tuple[Path, Node, Node]]:
    if value.type == "inline_table":
        yield from _pairs(value, path)
    elif value.type == "array":
        items = (child for child in value.children if child.type not in BRACKETS)
        for index, item in enumerate(items):
            yield (*path, index), item, item
            yield from _inside(item, (*path, index))


def names_of(key: Node) -> Iterator[str]:
    """The names that a key is made of, as TOML means them: one, or those between the dots."""
    if key.type == "dotted_key":
        for child in key.children:
            if child.type in _KEYS:
                yield from names_of(child)
        return
    written = (key.text or b"").decode(errors="replace")
    if key.type == "bare_key":
        yield written
    elif "\\" not in written:
        yield written[1:-1]
    else:
        try:
            yield from rtoml.loads(f"{written} = 0")
        except rtoml.TomlParsingError:
            yield written
