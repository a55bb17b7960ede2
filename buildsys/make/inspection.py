"""What an engine handed over, looked at before it is adopted: a regular file, whole, of the right size.

Reads headers only. Knows nothing of pixels: whoever decodes a picture does it in an engine process.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, NoReturn

import msgspec

MAX_FILE: Final = 256 * 1024 * 1024
"""Bytes in one picture."""

MAX_SIDE: Final = 16384
"""Pixels of width or height."""

RAW: Final = (".png", ".jpg", ".webp")
"""What a raw picture may be."""

_NEAR: Final = 1.02
"""How far the shape of a larger picture may be from the one asked for: cropping as much is not seen."""

_MAX_CHUNKS: Final = 100_000
_FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""JPEG markers of a frame, which tells the size."""

_SCANS: Final = {0xD8, 0xD9, 0xDA}
"""JPEG markers before which a frame must have come."""

_JPEG_TAIL: Final = 4096
"""Bytes at the end of a JPEG in which its end marker lies: some writers pad."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"


class Header(msgspec.Struct, frozen=True):
    """What a picture's header says of it."""

    format: str
    width: int
    height: int


class Unfit(Exception):  # noqa: N818 - a finding about a file, made into an error by the caller
    """The file can't be adopted; the text says why, and not its name: nobody chose that but the builder."""


def inspect(folder: Path, name: str, size: tuple[int, int] | None, *, exact: bool = True) -> Header:
    """The header of the picture `name` in `folder`; raises `Unfit` unless it can be adopted.

    `size`: the width and height that were asked for, None where any will do. Unless `exact`, a larger
    picture of nearly the same shape will do too.
    """
    if not _plain(name):
        raise Unfit(f"`{name[:80]}` is not the name of a file in its staging folder")
    expected = Path(name).suffix.lower().removeprefix(".")
    reader = {"png": _png, "webp": _webp, "jpg": _jpeg}.get(expected)
    if reader is None:
        raise Unfit("its file is no `.png`, `.jpg` or `.webp`")
    with opened(folder, name) as file:
        width, height = reader(file, os.fstat(file.fileno()).st_size)
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise Unfit(f"its file says it is {width}x{height} pixels; a side has 1 to {MAX_SIDE}")
    if size is not None and (width, height) != tuple(size):
        fact = f"it is {width}x{height} pixels, not"
        if exact:
            raise Unfit(f"{fact} {size[0]}x{size[1]} as asked")
        if width < size[0] or height < size[1]:
            raise Unfit(f"{fact} at least {size[0]}x{size[1]} as asked")
        shapes = width * size[1], height * size[0]
        if max(shapes) > _NEAR * min(shapes):
            raise Unfit(f"{fact} of the shape of {size[0]}x{size[1]} as asked")
    return Header(expected, width, height)


def adopt(staging: Path, made: Path, name: str, size: tuple[int, int] | None, *, exact: bool) -> Header:
    """Move the picture `name` from `staging` to `made`, and inspect it there; raises `Unfit`.

    In this order: an engine may unlink or swap its file at any time, and what was inspected must be what
    is kept.
    """
    taken(staging, made, name)
    try:
        return inspect(made, name, size, exact=exact)
    except Unfit:
        with suppress(OSError):  # a folder stays, and goes with all of `made`
            (made / name).unlink()
        raise


def taken(staging: Path, made: Path, name: str) -> None:
    """Move the file `name` from `staging` to `made`; raises `Unfit`."""
    try:
        (staging / name).rename(made / name)
    except FileNotFoundError:
        raise Unfit("it wrote no file") from None
    except OSError as error:
        raise Unfit(f"its file can't be taken: {error.strerror}") from None


def opened(folder: Path, name: str, *, most: int = MAX_FILE, what: str = "a picture") -> IO[bytes]:
    """The regular file `name` in `folder`, of 1 to `most` bytes, for reading; raises `Unfit`."""
    file = _open(folder, name)
    try:
        _check_length(file, most, what)
    except Unfit:
        file.close()
        raise
    return file


def named(output: str, asked: str, *, raw: bool) -> str:
    """`output` if it answers a request for `asked`; raises `Unfit` where it does not.

    A `raw` picture may have the suffix of what a provider sent: it is kept as it came.
    """
    suffixes = RAW if raw else (Path(asked).suffix,)
    if output not in {Path(asked).with_suffix(suffix).name for suffix in suffixes}:
        raise Unfit(f"it handed over `{output[:80]}`, not the file that it was asked for")
    return output


def _plain(name: str) -> bool:
    return bool(name) and name not in {".", ".."} and not set(name) & {"/", "\\", "\0"}


def _open(folder: Path, name: str) -> IO[bytes]:
    # O_NONBLOCK: opening a fifo for reading would otherwise wait for a writer, for ever.
    try:
        number = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Unfit("it wrote no file") from None
    except OSError as error:
        if (folder / name).is_symlink():
            raise Unfit("it handed over a symbolic link") from None
        raise Unfit(f"its file can't be read: {error.strerror}") from None
    if stat.S_ISDIR(os.fstat(number).st_mode):
        os.close(number)
        raise Unfit("it handed over a folder")
    return os.fdopen(number, "rb")


def _check_length(file: IO[bytes], most: int, what: str) -> None:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise Unfit("it handed over something else than a regular file")
    if status.st_size == 0:
        raise Unfit("its file is empty")
    if status.st_size > most:
        raise Unfit(f"its file has {status.st_size} bytes; {what} has at most {most}")


def _other(kind: str, start: bytes) -> NoReturn:
    raise Unfit(f"its file is not a {kind}: it starts with {start[:12]!r}")


def _cut() -> NoReturn:
    raise Unfit("its file is cut short")


def _png(file: IO[bytes], length: int) -> tuple[int, int]:
    start = file.read(33)
    if not start.startswith(_PNG[: len(start)]):
        _other("PNG", start)
    if len(start) < 33:  # noqa: PLR2004 - signature and IHDR
        _cut()
    if start[8:16] != b"\0\0\0\rIHDR" or zlib.crc32(start[12:29]) != int.from_bytes(start[29:33], "big"):
        raise Unfit("its file has a broken PNG header")
    width, height = struct.unpack(">II", start[16:24])
    position = 33
    for _ in range(_MAX_CHUNKS):
        file.seek(position)
        chunk = file.read(8)
        position += 12 + int.from_bytes(chunk[:4], "big")
        if len(chunk) < 8 or position > length:  # noqa: PLR2004 - a chunk's length and type
            _cut()
        if chunk[4:] == b"IEND":
            return int(width), int(height)
    raise Unfit(f"its file has more than {_MAX_CHUNKS} chunks")


def _jpeg(file: IO[bytes], length: int) -> tuple[int, int]:
    start = file.read(12)
    if not start.startswith(b"\xff\xd8\xff"):
        _other("JPEG", start)
    position = 2
    for _ in range(_MAX_CHUNKS):
        file.seek(position)
        segment = file.read(9)
        position += 2 + int.from_bytes(segment[2:4], "big")
        if len(segment) < 9 or position > length:  # noqa: PLR2004 - a frame's header up to its width
            _cut()
        if segment[0] != 0xFF or segment[1] in _SCANS:  # noqa: PLR2004 - how a marker begins
            break
        if segment[1] in _FRAMES:
            file.seek(max(0, length - _JPEG_TAIL))
            if b"\xff\xd9" not in file.read():
                _cut()
            height, width = struct.unpack(">HH", segment[5:9])
            return int(width), int(height)
    raise Unfit("its file has a broken JPEG header")


def _webp(file: IO[bytes], length: int) -> tuple[int, int]:
    start = file.read(30)
    if start[:4] != b"RIFF" or start[8:12] != b"WEBP":
        _other("WebP", start)
    kind = start[12:16]
    # One lossless pixel fits in less than the header of the other kinds.
    if len(start) < (25 if kind == b"VP8L" else 30) or _little(start[4:8]) + 8 > length:
        _cut()
    if kind == b"VP8X":
        return _little(start[24:27]) + 1, _little(start[27:30]) + 1
    if kind == b"VP8L" and start[20] == 0x2F:  # noqa: PLR2004 - the lossless signature
        bits = _little(start[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and start[23:26] == b"\x9d\x01\x2a":
        return _little(start[26:28]) & 0x3FFF, _little(start[28:30]) & 0x3FFF
    raise Unfit("its file has a broken WebP header")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
