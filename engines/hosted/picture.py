"""The picture that came, kept byte for byte: what it is by its first bytes, and whether it is whole.

Nothing is made anew here. What was paid for is stored as it came; the finish engine decodes it later.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engines import png
from engines.hosted.answer import Answer
from engines.protocol import EngineError

_MIMES: Final = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/webp": ".webp",
}
_NO_CLAIM: Final = ("", "application/octet-stream", "binary/octet-stream")
_READ: Final = 4096
"""Bytes that are looked at to tell what came instead of a picture."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture in the staging folder."""

    name: str
    size: tuple[int, int]
    alpha: bool
    """Whether it has any transparency."""


def keep(data: bytes, mime: str, answer: Answer, output: str, staging: Path) -> Kept:
    """Write `data`, which the answer calls `mime`, as `output` with the suffix of what it really is.

    Raises `EngineError`: `internal` for what is no picture or another one than claimed, `uncertain` for
    a picture that is cut off or damaged.
    """
    account = answer.account
    suffix = kind_of(data)
    shown = data[:_READ].decode("utf-8", "replace")
    if not suffix:
        raise answer.unexpected(f"`{account.beginning(mime) or 'something'}` that is no picture", shown)
    if mime not in _NO_CLAIM and _MIMES.get(mime) != suffix:
        raise answer.unexpected(f"a `{suffix}` picture that it calls `{account.beginning(mime)}`", shown)
    try:
        pixels = png.decode_bytes(data, f"picture{suffix}")
    except EngineError as error:
        raise answer.torn(error.message) from error
    name = Path(output).with_suffix(suffix).name
    (staging / name).write_bytes(data)
    height, width, channels = pixels.shape
    return Kept(name, (width, height), channels == 4)  # noqa: PLR2004 - RGBA


def kind_of(data: bytes) -> str:
    """`.png`, `.jpg` or `.webp` by the first bytes; empty for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if data.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    return ".webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""
