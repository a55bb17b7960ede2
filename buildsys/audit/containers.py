"""Where a picture's file keeps a C2PA manifest store: PNG `caBX`, JPEG APP11, WebP `C2PA`.

A stranger's bytes, read by the builder itself: so nothing is decoded, only headers are walked, and everything
is bounded. Knows nothing of what a manifest says.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a manifest store. It may hold thumbnails of all that a picture was made from."""

_MOST_CHUNKS: Final = 100_000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_KIND: Final = b"caBX"
_WEBP_KIND: Final = b"C2PA"
_JPEG: Final = b"\xff\xd8\xff"
_JUMBF: Final = b"JP"
_STANDALONE: Final = {0x01, *range(0xD0, 0xD9)}
"""JPEG markers without a length."""
_SCAN: Final = 0xDA
_APP11: Final = 0xEB
_HEAD: Final = 8
"""Bytes of a chunk's head, and of a box's."""
_PIECE: Final = 8
"""Bytes before the box in a segment: `JP`, the box's number, the piece's."""
_LABEL: Final = b"c2pa\0"
_LABEL_ENDS: Final = 64


def manifest_store(data: bytes) -> bytes | None:
    """The manifest store in the picture `data`, as it stands there; None where it has none."""
    if data.startswith(_PNG):
        found = _png(data)
    elif data.startswith(_JPEG):
        found = _jpeg(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        found = _webp(data)
    else:
        return None
    return next((store for store in found if len(store) <= LARGEST), None)


def _png(data: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    for _ in range(_MOST_CHUNKS):
        if at + _HEAD > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + _HEAD : at + _HEAD + length] if kind == _PNG_KIND else b""
        at += _HEAD + length + 4
        if body and at <= len(data) and data[at - 4 : at] == zlib.crc32(kind + body).to_bytes(4, "big"):
            yield body


def _webp(data: bytes) -> Iterator[bytes]:
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + _HEAD > len(data):
            return
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == _WEBP_KIND and at + _HEAD + length <= len(data):
            yield data[at + _HEAD : at + _HEAD + length]
        at += _HEAD + length + length % 2


def _jpeg(data: bytes) -> Iterator[bytes]:
    """Boxes of APP11, each put together from its pieces: every one repeats the head of the box."""
    boxes: dict[bytes, dict[int, bytes]] = {}
    for body in _segments(data):
        if body[:2] == _JUMBF and len(body) > _PIECE + _HEAD:
            pieces = boxes.setdefault(body[2:4], {})
            pieces.setdefault(int.from_bytes(body[4:_PIECE], "big"), body[_PIECE:])
    for pieces in boxes.values():
        first, *rest = (pieces[number] for number in sorted(pieces))
        # A box of more than 4 GiB has its length elsewhere; none of ours is.
        store = first + b"".join(piece[_HEAD:] for piece in rest)
        if store[4:_HEAD] == b"jumb" and _LABEL in store[:_LABEL_ENDS]:
            yield store


def _segments(data: bytes) -> Iterator[bytes]:
    """What stands in the APP11 segments before the picture."""
    at = 2
    for _ in range(_MOST_CHUNKS):
        if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] == _SCAN:  # noqa: PLR2004 - how a marker begins
            return
        marker = data[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - padding before a marker
            at += 1
            continue
        if marker in _STANDALONE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:  # noqa: PLR2004 - it counts its own two bytes
            return
        if marker == _APP11 and at + 2 + length <= len(data):
            yield data[at + 4 : at + 2 + length]
        at += 2 + length
