"""Where each key of a TOML text stands, in bytes: what an edit needs that leaves all else as it is.

Knows nothing of manifests, and changes nothing. Imported only by what edits.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from tree_sitter import Node

from buildsys.manifest import positions
from buildsys.manifest.positions import Path


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One `key = value`. Places count bytes of the text in UTF-8."""

    path: Path
    start: int
    """Of the key."""
    value: int
    """Where the value starts."""
    end: int
    """Where the value ends."""
    around: int
    """How many names of the path are not its own, but those of the tables around it."""
    prefix: str
    """What stands before the key's last name: `hero.` of `hero.role`."""
    inline: bool
    """Whether it shares its lines with others, in an inline table."""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """One `[table]` with its pairs. Places count bytes."""

    path: Path
    start: int
    """Of the line of its header."""
    body: int
    """After the line of its header."""
    end: int
    """After its last line that is no comment and not blank."""


class Layout:
    """The tables and keys of a text that the TOML reader takes."""

    def __init__(self, text: str) -> None:
        self.data = text.encode()
        root, tables = positions.tables(text)
        self.pairs: list[Pair] = list(_pairs(root, (), inline=False))
        self.blocks: list[Block] = []
        for path, header, node in tables:
            inner = list(_pairs(node, path, inline=False))
            body = self.line_end(header.end_byte)
            end = max([body, *(self.line_end(pair.end) for pair in inner)])
            self.blocks.append(Block(path=path, start=self.line_start(node.start_byte), body=body, end=end))
            self.pairs += inner

    def pair(self, path: Path) -> Pair | None:
        """The pair whose whole key is `path`."""
        return next((pair for pair in self.pairs if pair.path == path), None)

    def block(self, path: Path) -> Block | None:
        """The table with the header `path`."""
        return next((block for block in self.blocks if block.path == path), None)

    def pairs_under(self, path: Path) -> list[Pair]:
        """Every pair at or below `path`, in their order, without those that lie in one of them."""
        found: list[Pair] = []
        for pair in sorted(self.pairs, key=lambda pair: pair.start):
            if pair.path[: len(path)] == path and not (found and pair.start < found[-1].end):
                found.append(pair)
        return found

    def blocks_under(self, path: Path) -> list[Block]:
        """Every table with a header at or below `path`, in their order."""
        return [block for block in self.blocks if block.path[: len(path)] == path]

    def line_start(self, place: int) -> int:
        """Where the line of `place` starts."""
        return self.data.rfind(b"\n", 0, place) + 1

    def line_end(self, place: int) -> int:
        """Where the line after that of `place` starts; the end of the text where there is none."""
        found = self.data.find(b"\n", place)
        return len(self.data) if found < 0 else found + 1


def _pairs(node: Node, base: Path, *, inline: bool) -> Iterator[Pair]:
    for child in node.children:
        if child.type != "pair":
            continue
        parts = [part for part in child.children if part.type not in positions.BRACKETS]
        if len(parts) < 2:  # noqa: PLR2004 - a key and a value; fewer where the grammar lost its way
            continue
        key, value = parts[0], parts[-1]
        path = (*base, *positions.names_of(key))
        last = key.children[-1] if key.type == "dotted_key" else key
        prefix = (key.text or b"")[: last.start_byte - key.start_byte].decode(errors="replace")
        yield Pair(
            path=path,
            start=key.start_byte,
            value=value.start_byte,
            end=value.end_byte,
            around=len(base),
            prefix=prefix,
            inline=inline,
        )
        if value.type == "inline_table":
            yield from _pairs(value, path, inline=True)
