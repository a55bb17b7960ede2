"""Palettes, read from the files that artists keep them in: GIMP, JASC, lists of hex codes, PNG swatches.

The kind is told from the content: the copy in the staging folder need not have its suffix.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engines import png
from engines.finish.colors import packed
from engines.parameters import bad

Colors: TypeAlias = NDArray[np.int64]
"""(n, 3): red, green, blue."""

MOST: Final = 256
_MAX_BYTES: Final = 1024 * 1024
_SIDE: Final = 512
_HEX: Final = re.compile(r"#?([0-9a-fA-F]{6})")
_TRIPLE: Final = re.compile(r"\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(?:\s.*)?")


def read(path: str) -> Colors:
    """Its 1 to 256 colours, in their order, each once. Raises `EngineError` where the file holds none."""
    if Path(path).stat().st_size > _MAX_BYTES:
        raise bad(f"the palette file is larger than {_MAX_BYTES // 2**20} MiB")
    data = Path(path).read_bytes()
    if data.startswith(b"\x89PNG"):
        found = _swatches(path)
    else:
        found = _listed(data.decode("utf-8-sig", errors="replace").splitlines())
    colors = list(dict.fromkeys(found))
    if not 1 <= len(colors) <= MOST:
        raise bad(f"the palette file holds {len(colors)} colours, not within 1 to {MOST}")
    return np.array(colors, np.int64)


def _swatches(path: str) -> list[tuple[int, int, int]]:
    """Every opaque colour of a picture, in reading order."""
    flat = png.rgba(png.decode(path, _SIDE)).reshape(-1, 4)
    numbers = packed(flat[flat[:, 3] == 255]).tolist()  # noqa: PLR2004 - opaque
    return [(number >> 16, number >> 8 & 255, number & 255) for number in dict.fromkeys(numbers)]


def _listed(lines: list[str]) -> list[tuple[int, int, int]]:
    kind = lines[0].strip() if lines else ""
    if kind == "GIMP Palette":
        skip = 1
    elif kind == "JASC-PAL":
        skip = 3
    else:
        skip = 0
    colors = []
    for number, line in enumerate(lines[skip:], start=skip + 1):
        bare = line.strip()
        comment = bare.startswith(("#", ";") if skip else ";") or re.match(r"(Name|Columns):", bare)
        if not bare or (comment and not (skip == 0 and _HEX.fullmatch(bare))):
            continue
        colors.append(_color(bare, number, hexadecimal=skip == 0))
    return colors


def _color(line: str, number: int, *, hexadecimal: bool) -> tuple[int, int, int]:
    found = (_HEX if hexadecimal else _TRIPLE).fullmatch(line)
    if found is None:
        raise bad(
            f"line {number} of the palette file is not a colour: `{line[:40]}`",
            "give a GIMP `.gpl`, a JASC `.pal`, a `.hex` list or a PNG of swatches",
        )
    values = tuple(bytes.fromhex(found[1])) if hexadecimal else tuple(int(part) for part in found.groups())
    if max(values) > 255:  # noqa: PLR2004 - the most that 8 bits hold
        raise bad(f"line {number} of the palette file has a value above 255: `{line[:40]}`")
    red, green, blue = values
    return red, green, blue
