"""CBOR (RFC 8949) read with bounds: a stranger's bytes become plain values or a `ValueError`, nothing else.

Knows nothing of C2PA. The usual libraries were refused: they build whatever a tag asks for. Here tags are
dropped, and what they stand on is kept; of floats and simple values only those that JSON has are known.
"""

from __future__ import annotations

import math
import struct
from typing import Any, Final, TypeAlias

Value: TypeAlias = Any

_DEEPEST: Final = 24
_MOST: Final = 100_000
"""Values in all. A claim of ten thousand actions has half of that."""

_BREAK: Final = 0xFF
_INDEFINITE: Final = 31
_INLINE: Final = 24
_SIMPLE: Final = {20: False, 21: True, 22: None, 23: None}
_FLOATS: Final = {25: ">e", 26: ">f", 27: ">d"}
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG = range(7)


def read(data: bytes) -> Value:
    """The one value in `data`. Raises `ValueError` where that is damaged, too deep or too much."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise ValueError("there is more behind the value")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0
        self._left = _MOST

    def value(self, depth: int) -> Value:
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            raise ValueError("it is too deep or too much")
        (start,) = self._take(1)
        major, info = start >> 5, start & 0x1F
        if major > _TAG:
            return self._simple(info)
        if info == _INDEFINITE:
            return self._open_ended(major, depth)
        return self._sized(major, self._number(info), depth)

    def _sized(self, major: int, number: int, depth: int) -> Value:
        if major in (_UNSIGNED, _NEGATIVE):
            return number if major == _UNSIGNED else -1 - number
        if major in (_BYTES, _TEXT):
            data = self._take(number)
            return data if major == _BYTES else data.decode()
        if major == _LIST:
            return [self.value(depth + 1) for _ in range(self._count(number))]
        if major == _MAP:
            return dict(self._pair(depth) for _ in range(self._count(number)))
        return self.value(depth + 1)

    def _take(self, length: int) -> bytes:
        if length > len(self._data) - self.at:
            raise ValueError("it ends too early")
        found = self._data[self.at : self.at + length]
        self.at += length
        return found

    def _number(self, info: int) -> int:
        if info < _INLINE:
            return info
        if info > _INLINE + 3:
            raise ValueError("a length is of no kind")
        return int.from_bytes(self._take(1 << (info - _INLINE)), "big")

    def _count(self, number: int) -> int:
        # Each takes a byte at least: a list of billions in ten bytes must not be begun.
        if number > len(self._data) - self.at:
            raise ValueError("it ends too early")
        return number

    def _pair(self, depth: int) -> tuple[str, Value]:
        key = self.value(depth + 1)
        # COSE has numbers for keys; nothing else is of use to us.
        return key if isinstance(key, str) else repr(key)[:64], self.value(depth + 1)

    def _open_ended(self, major: int, depth: int) -> Value:
        items: list[Any] = []
        if major not in (_BYTES, _TEXT, _LIST, _MAP):
            raise ValueError("a length is of no kind")
        while self._take(1)[0] != _BREAK:
            self.at -= 1
            items.append(self._pair(depth) if major == _MAP else self.value(depth + 1))
        if major == _LIST:
            return items
        if major == _MAP:
            return dict(items)
        if not all(isinstance(item, bytes if major == _BYTES else str) for item in items):
            raise ValueError("a piece of a text is none")
        return b"".join(items) if major == _BYTES else "".join(items)

    def _simple(self, info: int) -> Value:
        if info in _FLOATS:
            (number,) = struct.unpack(_FLOATS[info], self._take(1 << (info - _INLINE)))
            return number if math.isfinite(number) else None
        if info not in _SIMPLE:
            raise ValueError("a simple value is of no known kind")
        return _SIMPLE[info]
