"""One asset's own lines, cut out of the text of a lock: a thousand locks are not read whole for one asset.

The canonical writer puts all that concerns an asset into whole tables, each begun by a line of its own.
Only a text written by it is cut; of any other, the caller reads all. Knows nothing of git, proves nothing:
what was cut is a small lock, and the reader of locks reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import rtoml

from buildsys import toml
from buildsys.lock.write import HEADER
from buildsys.manifest.model import AssetName

_START: Final = HEADER.encode()
_ENVIRONMENT: Final = re.compile(rb'^environment = "(env-[0-9a-f]{16})"$', re.MULTILINE)
_ASSET: Final = re.compile(rb'^\[(assets\.(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"))\]$', re.MULTILINE)
_LINES: Final = b'"""'
"""Begins and ends a text of several lines, in which a line may look like the start of a table; canonical
text has it nowhere else."""
_OTHERWISE: Final = (b"\n<<<<<<< ", b" = '''")
"""What the canonical writer never writes: marks of a merge, texts that begin in another way."""
_WORDS: Final = ("approvals", "frozen")


def canonical(data: bytes) -> bytes | None:
    """`data` as it can be cut; None where it is none of the canonical writer's."""
    if b"\r\n" in data:
        data = data.replace(b"\r\n", b"\n")
    return data if data.startswith(_START) and not any(mark in data for mark in _OTHERWISE) else None


def of(data: bytes, name: str) -> bytes | None:
    """A small lock of the asset `name` alone, out of canonical `data`.

    Empty where it has no such asset; None where only the whole text could tell.
    """
    try:
        key = toml.key(name).encode()
    except ValueError:
        return b""  # no lock could be written with such a name
    begins = list(_tables(data, b"assets." + key))
    if not begins:
        quoted = b'[assets."' + name.encode() + b'"]'
        return None if quoted in data else b""
    recipes = list(_tables(data, b"assets." + key + b".recipe"))
    if len(begins) != 1 or len(recipes) != 1 or recipes[0] < begins[0]:
        return None
    whole = data[begins[0] : _end(data, recipes[0])]
    head = data[: data.find(b"\n[") + 1]
    environments = dict.fromkeys(_ENVIRONMENT.findall(whole))
    words = b"".join(_line(data, table.encode(), key, name) for table in _WORDS)
    return head + whole + words + b"".join(_table(data, b"environments." + found) for found in environments)


def named(data: bytes, file: str) -> Iterator[AssetName]:
    """The assets that may have the finished file `file`, in canonical `data`."""
    wanted = f'\nfile = "{file}"\n'.encode()
    at = data.find(wanted)
    while at >= 0:
        head = data.rfind(b"\n[assets.", 0, at + 1) + 1
        if found := _ASSET.match(data, head):
            yield from _names(found[1])
        at = data.find(wanted, at + 1)


def names(data: bytes) -> Iterator[AssetName]:
    """Every asset that `data` may have."""
    for found in _ASSET.finditer(data):
        yield from _names(found[1])


def _names(key: bytes) -> Iterator[AssetName]:
    try:
        yield from rtoml.loads(f"[{key.decode()}]")["assets"]
    except (UnicodeDecodeError, rtoml.TomlParsingError):
        return  # a line of a text, not the head of a table


def _tables(data: bytes, key: bytes) -> Iterator[int]:
    """Where each table with this head begins, but for lines of a text that look like it."""
    head = b"\n[" + key + b"]\n"
    at = data.find(head)
    while at >= 0:
        if data.count(_LINES, 0, at) % 2 == 0:
            yield at
        at = data.find(head, at + 1)


def _end(data: bytes, begin: int) -> int:
    """Where the table that begins at `begin` ends."""
    at = data.find(b"\n[", begin + 1)
    while at >= 0 and data.count(_LINES, begin, at) % 2:
        at = data.find(b"\n[", at + 1)
    return len(data) if at < 0 else at


def _table(data: bytes, key: bytes) -> bytes:
    return b"".join(data[at : _end(data, at)] for at in _tables(data, key))


def _line(data: bytes, table: bytes, key: bytes, name: str) -> bytes:
    """What the table says of the asset, as a table of its own."""
    starts = (key + b" = ", b'"' + name.encode() + b'" = ')
    said = [line for line in _table(data, table).splitlines() if line.startswith(starts)]
    return b"\n[" + table + b"]\n" + b"\n".join(said) + b"\n" if said else b""
