"""The texts in a picture's file: PNG text chunks, EXIF comments, XMP packets.

A stranger's file is read here, by the builder itself: so nothing is decoded, only headers are walked, and
everything is bounded. What is damaged or too long is left out. Knows nothing of what a text means.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from buildsys.errors import ArtlockError
from buildsys.files.content import open_regular
from buildsys.files.durable import disk_error
from buildsys.imports import exif

LONGEST: Final = 8 * 1024 * 1024
"""Bytes of one text, unpacked. A ComfyUI graph of a thousand nodes has a tenth of it."""

_ALL: Final = 4 * LONGEST
_MOST_CHUNKS: Final = 100_000
_MOST_BAD: Final = 8
"""Texts of a PNG that may be damaged or too long: each can cost the unpacking of `LONGEST` bytes."""
XMP: Final = "XML:com.adobe.xmp"
"""The keyword of an XMP packet, as PNG has it."""

PARAMETERS: Final = "parameters"
"""The keyword of A1111's text, which other containers keep as the EXIF user comment."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_EXIF: Final = b"Exif\0\0"
_JPEG_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_STANDALONE: Final = {0x01, *range(0xD0, 0xD9)}
"""JPEG markers without a length."""
_SCAN: Final = 0xDA
_APP1: Final = 0xE1


def read(path: Path) -> dict[str, str]:
    """The texts in the PNG, JPEG or WebP at `path`, by keyword; the first of each keyword.

    Raises `DiskError`, and `ArtlockError` for another kind of file.
    """
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            found = _found(file)
            if found is None:
                raise ArtlockError(f"`{path}` is not a PNG, JPEG or WebP picture", "save it as a PNG")
            return _first(found)
    except OSError as error:
        raise disk_error("read", path, error) from error


def of(data: bytes) -> dict[str, str]:
    """As `read`, of a picture that is in memory; nothing for another kind of file."""
    file = io.BytesIO(data)
    found = _found(file)
    return {} if found is None else _first(found)


def _found(file: IO[bytes]) -> Iterator[tuple[str, str]] | None:
    start = file.read(12)
    if start.startswith(_PNG):
        return _png(file)
    if start.startswith(b"\xff\xd8\xff"):
        return _jpeg(file)
    return _webp(file) if start[:4] == b"RIFF" and start[8:] == b"WEBP" else None


def _first(found: Iterator[tuple[str, str]]) -> dict[str, str]:
    texts: dict[str, str] = {}
    left = _ALL
    for keyword, text in found:
        left -= len(text)
        if left < 0:
            break
        texts.setdefault(keyword, text)
    return texts


def _png(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    file.seek(len(_PNG))
    bad = 0
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:  # noqa: PLR2004 - a length and a type
            return
        length, kind = struct.unpack(">I4s", head)
        if kind not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf") or length > LONGEST:
            if kind == b"IEND":
                return
            file.seek(length + 4, os.SEEK_CUR)
            continue
        body, check = file.read(length), file.read(4)
        if len(body) < length or check != zlib.crc32(kind + body).to_bytes(4, "big"):
            continue
        if kind == b"eXIf":
            yield from _exif(body)
        elif (text := _text(kind, body)) is not None:
            yield text
        elif (bad := bad + 1) > _MOST_BAD:
            return


def _text(kind: bytes, body: bytes) -> tuple[str, str] | None:
    """Keyword and text of a text chunk; None where it is damaged or unpacks to too much."""
    word, _, rest = body.partition(b"\0")
    keyword = word[:79].decode("latin-1")
    if kind == b"tEXt":
        return keyword, rest.decode("latin-1")
    if kind == b"zTXt":
        unpacked = _unpacked(rest[1:]) if rest[:1] == b"\0" else None
        return None if unpacked is None else (keyword, unpacked.decode("latin-1"))
    packed, rest = rest[:1], rest[2:]
    _, _, rest = rest.partition(b"\0")
    _, _, rest = rest.partition(b"\0")
    data = _unpacked(rest) if packed == b"\1" else rest
    return None if data is None else (keyword, data.decode(errors="replace"))


def _unpacked(data: bytes) -> bytes | None:
    engine = zlib.decompressobj()
    try:
        text = engine.decompress(data, LONGEST)
    except zlib.error:
        return None
    return text if engine.eof else None  # cut short, or a bomb


def _jpeg(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    file.seek(2)
    for _ in range(_MOST_CHUNKS):
        marker = file.read(2)
        if len(marker) < 2 or marker[0] != 0xFF or marker[1] == _SCAN:  # noqa: PLR2004 - how a marker begins
            return
        if marker[1] == 0xFF:  # noqa: PLR2004 - padding before a marker
            file.seek(-1, os.SEEK_CUR)
            continue
        if marker[1] in _STANDALONE:
            continue
        length = int.from_bytes(file.read(2), "big") - 2
        if length < 0:
            return
        if marker[1] != _APP1:
            file.seek(length, os.SEEK_CUR)
            continue
        body = file.read(length)
        if body.startswith(_EXIF):
            yield from _exif(body)
        elif body.startswith(_JPEG_XMP):
            yield XMP, body.removeprefix(_JPEG_XMP).decode(errors="replace")


def _webp(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    file.seek(12)
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:  # noqa: PLR2004 - a type and a length
            return
        kind, length = struct.unpack("<4sI", head)
        padded = length + length % 2
        if kind not in (b"EXIF", b"XMP ") or length > LONGEST:
            file.seek(padded, os.SEEK_CUR)
            continue
        body = file.read(padded)[:length]
        if kind == b"EXIF":
            yield from _exif(body)
        else:
            yield XMP, body.decode(errors="replace")


def _exif(body: bytes) -> Iterator[tuple[str, str]]:
    for text in exif.texts(body.removeprefix(_EXIF)):
        # ComfyUI writes its graphs into whatever text tags WebP has, each with its keyword in front.
        keyword, colon, rest = text.partition(":")
        if colon and keyword.lower() in ("prompt", "workflow") and rest.lstrip().startswith("{"):
            yield keyword.lower(), rest
        else:
            yield PARAMETERS, text
