"""The pictures of a page: inside it as data, or as files in a folder beside it.

Decodes nothing: a picture is PNG or WebP by its first bytes, and anything else is not shown.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from buildsys.digest import Digest
from buildsys.errors import DiskError
from buildsys.files import write_durably
from buildsys.files.durable import disk_error
from buildsys.review.model import Pictures, Review
from buildsys.review.page.data import sides, wanted

MOST_INSIDE: Final = 48 * 2**20
"""Bytes of pictures that go into the page itself: browsers open a page of that size in a second or two."""

_OURS: Final = re.compile(r"[0-9a-f]{64}\.(?:png|webp)")
_WEBP: Final = slice(8, 12)


def suffix(data: bytes | None) -> str:
    """`png` or `webp`; empty for anything that a page of ours does not show."""
    if data is None:
        return ""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    return "webp" if data.startswith(b"RIFF") and data[_WEBP] == b"WEBP" else ""


def too_many(review: Review, pictures: Pictures) -> bool:
    """Whether the pictures are more than a page should hold."""
    sizes = {side.shown: side.file_bytes for side in sides(review) if not side.lost}
    total = 0
    for file, size in sizes.items():
        total += len(pictures.read(file) or b"") if size is None else size
        if total > MOST_INSIDE:
            return True
    return False


def inside(review: Review, pictures: Pictures, found: dict[Digest, str]) -> Iterator[bytes]:
    """The pictures as blocks of base64, which a browser keeps as text until one is looked at.

    Fills `found` with the suffix of each.
    """
    for file in wanted(review):
        data = pictures.read(file)
        found[file] = suffix(data)
        if data is not None and found[file]:
            yield b'<script type="text/plain" id="p-%b">' % file.encode()
            yield base64.b64encode(data)
            yield b"</script>\n"


def folder_of(page: Path) -> Path:
    """Where the pictures of the page at `page` lie."""
    return page.with_name(f"{page.stem}-pictures")


def beside(review: Review, pictures: Pictures, page: Path, found: dict[Digest, str]) -> None:
    """Put the pictures into the folder of `page`; those of an older page go. Raises `DiskError`.

    Fills `found` with the suffix of each.
    """
    folder = folder_of(page)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise DiskError(f"`{folder}` is not a folder", "move it away, or name another file for the page")
    for file in wanted(review):
        data = pictures.read(file)
        found[file] = suffix(data)
        if data is not None and found[file]:
            target = folder / f"{file}.{found[file]}"
            if not _is_there(target, len(data)):
                write_durably(target, data)
    _tidy(folder, (f"{file}.{kind}" for file, kind in found.items() if kind))


def _is_there(target: Path, size: int) -> bool:
    """Whether an earlier page put it there: named by its content, written whole or not at all."""
    return not target.is_symlink() and target.is_file() and target.stat().st_size == size


def _tidy(folder: Path, kept: Iterable[str]) -> None:
    names = set(kept)
    try:
        for path in folder.iterdir() if folder.is_dir() else ():
            if _OURS.fullmatch(path.name) and path.name not in names:
                path.unlink()
    except OSError as error:
        raise disk_error("remove", folder, error) from error
