"""What the animals of the zoo share: a flat PNG made without an imaging library, and hanging."""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from engines.protocol import Done, Json, Request

LONG = 600


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, color: Sequence[int] = (80, 120, 200)) -> bytes:
    """A PNG of one colour."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes(color) * width) * height
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def well(request: Request) -> Done:
    """Make `request` as a good engine would: its seed is its colour."""
    width, height = request.size or (1, 1)
    seed = request.seed or 0
    Path(request.output).write_bytes(png(width, height, (seed & 255, seed >> 8 & 255, 7)))
    return Done(id=request.id, output=request.output)


def stuck() -> None:
    """Say in the log that it has come to that: a test waits for the words."""
    os.write(2, b"stuck\n")


def hang(said: Mapping[str, Json]) -> None:
    """Hang after the misdeed, where `said` (parameters or settings) asks for it."""
    if said.get("stuck"):
        stuck()
        time.sleep(LONG)
