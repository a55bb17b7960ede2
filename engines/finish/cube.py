"""Colour tables in the `.cube` format (Adobe, version 1.0): one- and three-dimensional.

Knows nothing of pictures: colours are float64 from 0 to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.parameters import bad

_MAX_BYTES: Final = 16 * 1024 * 1024
_LARGEST: Final = {1: 65536, 3: 129}


@dataclass(frozen=True, slots=True)
class Cube:
    """A table of colours, red running fastest, and the range of colours that it covers."""

    dimensions: int
    size: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    table: NDArray[np.float64]
    """(size ** dimensions, 3)."""

    def apply(self, colors: NDArray[np.float64]) -> NDArray[np.float64]:
        """`colors`, (n, 3), through the table; between its entries, linear in each dimension."""
        span = np.array(self.high) - np.array(self.low)
        place = ((colors - np.array(self.low)) / span).clip(0, 1) * (self.size - 1)
        first = np.minimum(np.floor(place).astype(np.int64), self.size - 2)
        part = place - first
        return self._line(first, part) if self.dimensions == 1 else self._trilinear(first, part)

    def _line(self, first: NDArray[np.int64], part: NDArray[np.float64]) -> NDArray[np.float64]:
        channel = np.arange(3)
        below, above = self.table[first, channel], self.table[first + 1, channel]
        return below + (above - below) * part

    def _trilinear(self, first: NDArray[np.int64], part: NDArray[np.float64]) -> NDArray[np.float64]:
        result = np.zeros_like(part)
        for corner in range(8):
            at = np.zeros(len(first), np.int64)
            weight = np.ones(len(first))
            for channel in range(3):
                step = corner >> channel & 1
                at += (first[:, channel] + step) * self.size**channel
                weight = weight * (part[:, channel] if step else 1 - part[:, channel])
            result = result + self.table[at] * weight[:, np.newaxis]
        return result


def read(path: str) -> Cube:
    """The table in the file at `path`. Raises `EngineError` with the line that is wrong."""
    if Path(path).stat().st_size > _MAX_BYTES:
        raise bad(f"the colour table is larger than {_MAX_BYTES // 2**20} MiB")
    heads: dict[str, list[str]] = {}
    rows: list[tuple[float, ...]] = []
    text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#", 1)[0].split() if not line.startswith("TITLE") else []
        if not words:
            continue
        if words[0][0].isalpha():
            heads[words[0]] = words[1:]
        else:
            rows.append(_numbers(words, f"line {number} of the colour table"))
    return _cube(heads, rows)


def _cube(heads: dict[str, list[str]], rows: list[tuple[float, ...]]) -> Cube:
    sizes = {dimensions: heads.pop(f"LUT_{dimensions}D_SIZE", None) for dimensions in (1, 3)}
    found = [(dimensions, words) for dimensions, words in sizes.items() if words]
    if len(found) != 1 or len(found[0][1]) != 1 or not found[0][1][0].isdecimal():
        raise bad("the file is not a colour table: it has no one `LUT_1D_SIZE` or `LUT_3D_SIZE`")
    dimensions, size = found[0][0], int(found[0][1][0])
    if size not in range(2, _LARGEST[dimensions] + 1):
        raise bad(f"the colour table's size is {size}, not within 2 to {_LARGEST[dimensions]}")
    if len(rows) != size**dimensions:
        raise bad(f"the colour table has {len(rows)} rows, but its size promises {size**dimensions}")
    low = _numbers(heads.pop("DOMAIN_MIN", ["0", "0", "0"]), "`DOMAIN_MIN`")
    high = _numbers(heads.pop("DOMAIN_MAX", ["1", "1", "1"]), "`DOMAIN_MAX`")
    if any(one >= other for one, other in zip(low, high, strict=True)):
        raise bad("the colour table's `DOMAIN_MIN` is not below its `DOMAIN_MAX`")
    if heads:
        raise bad(f"the colour table has a line `{min(heads)}`, which is not in the format")
    return Cube(dimensions, size, low, high, np.array(rows, np.float64))


def _numbers(words: list[str], where: str) -> tuple[float, ...]:
    try:
        values = tuple(float(word) for word in words)
    except ValueError:
        values = ()
    if len(values) != 3 or not all(map(math.isfinite, values)):  # noqa: PLR2004 - red, green, blue
        raise bad(f"{where} is not three numbers: `{' '.join(words)[:60]}`")
    return values
