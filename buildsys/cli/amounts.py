"""Amounts on a command line: sizes and durations, and the words in which they are told."""

from __future__ import annotations

import re
from typing import Final

from buildsys.errors import ArtlockError
from buildsys.journal.words import bytes_told

_SIZES: Final = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_AMOUNT: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([A-Za-z]{1,3})")


def size(text: str) -> int:
    """The bytes that `text` says: `5GB`, `500 MB`, `1.5GiB`. Raises `ArtlockError`."""
    found = _AMOUNT.fullmatch(text)
    if found is None or found[2].upper() not in _SIZES:
        raise ArtlockError(f"`{text}` is no size", "give one such as `5GB` or `500MiB`")
    return int(float(found[1]) * _SIZES[found[2].upper()])


def duration(text: str) -> float:
    """The seconds that `text` says: `30d`, `12h`, `2w`, `90m`, `0s`. Raises `ArtlockError`."""
    found = _AMOUNT.fullmatch(text)
    if found is None or found[2] not in _SECONDS:
        raise ArtlockError(f"`{text}` is no age", "give one such as `30d`, `12h` or `2w`")
    return float(found[1]) * _SECONDS[found[2]]


def told(number: int) -> str:
    """Bytes for a person; `0 B` where there are none."""
    return bytes_told(number) if number else "0 B"


def age_told(seconds: float) -> str:
    """`30 days`, `12 hours`, `90 seconds`."""
    units = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
    whole = (item for item in units if seconds >= item[0] and seconds % item[0] == 0)
    unit, word = next(whole, (1, "second"))
    number = seconds / unit
    return f"{number:g} {word}{'' if number == 1 else 's'}"
