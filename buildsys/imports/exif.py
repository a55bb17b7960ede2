"""The texts in an EXIF block: user comment first, then the other text tags that tools write into.

Bounded, and trusts no offset. Knows nothing of pictures.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

_EXIF_IFD: Final = 0x8769
_COMMENT: Final = 0x9286
_TEXTS: Final = (0x010E, 0x010F, 0x0110)
"""Description, make, model."""
_ASCII: Final = 2
_MOST: Final = 512
"""Entries of a directory that are looked at."""
_CODE: Final = 8
"""Bytes at the start of a user comment that name its encoding."""


def texts(data: bytes) -> Iterator[str]:
    """Each text, the user comment first; nothing where the block is damaged."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:  # noqa: PLR2004 - the header
        return
    first = dict(_entries(data, order, struct.unpack_from(order + "I", data, 4)[0]))
    if _EXIF_IFD in first:
        kind, count, field = first[_EXIF_IFD]
        del kind, count
        inner = dict(_entries(data, order, struct.unpack(order + "I", field)[0]))
        if _COMMENT in inner and (text := _comment(_value(data, order, inner[_COMMENT]))):
            yield text
    for tag in _TEXTS:
        if tag in first and first[tag][0] == _ASCII:
            text = _value(data, order, first[tag]).split(b"\0")[0].decode(errors="replace")
            if text:
                yield text


_Entry = tuple[int, int, bytes]
"""Type, count, and the four bytes that hold the value or say where it is."""


def _entries(data: bytes, order: str, start: int) -> Iterator[tuple[int, _Entry]]:
    if start + 2 > len(data):
        return
    (count,) = struct.unpack_from(order + "H", data, start)
    for number in range(min(count, _MOST)):
        at = start + 2 + 12 * number
        if at + 12 > len(data):
            return
        tag, kind, length = struct.unpack_from(order + "HHI", data, at)
        yield tag, (kind, length, data[at + 8 : at + 12])


def _value(data: bytes, order: str, entry: _Entry) -> bytes:
    """The bytes of a value of single bytes; what lies outside of the block is left out."""
    _, length, field = entry
    if length <= len(field):
        return field[:length]
    start = struct.unpack(order + "I", field)[0]
    return data[start : start + length]


def _comment(value: bytes) -> str:
    code, text = value[:_CODE], value[_CODE:]
    if code == b"UNICODE\0":
        return text.decode(_sixteen(text), errors="replace").strip("\0 ").removeprefix("\ufeff")
    return text.decode(errors="replace").strip("\0 ")


def _sixteen(text: bytes) -> str:
    """In which order the bytes of a UTF-16 text stand: tools differ, whatever the block's own order is."""
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16-le" if text[0] == 0xFF else "utf-16-be"  # noqa: PLR2004 - the mark
    head = text[:2048]
    return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
