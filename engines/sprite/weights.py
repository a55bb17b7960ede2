"""A file of tensors in the safetensors format, read into float64 and written as float16.

The format is eight bytes for the length of a JSON header, the header, and the numbers. The package of
that name is not needed for so little, and the base install does not have it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_TYPES: Final[Mapping[str, np.dtype[Any]]] = {
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "I32": np.dtype("<i4"),
}
_LENGTH: Final = 8


@dataclass(frozen=True, slots=True)
class Weights:
    """What a file holds."""

    tensors: Mapping[str, NDArray[Any]]
    """Floating point as float64, whole numbers as int64."""
    about: Mapping[str, str]
    """What is said of them: version, sizes."""


def read(path: Path) -> Weights:
    """Every tensor in the file at `path`."""
    data = path.read_bytes()
    length = int.from_bytes(data[:_LENGTH], "little")
    header: dict[str, Any] = json.loads(data[_LENGTH : _LENGTH + length])
    about = header.pop("__metadata__", {})
    tensors: dict[str, NDArray[Any]] = {}
    for name, entry in header.items():
        first, last = (_LENGTH + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[first:last], _TYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = values.astype(np.int64 if entry["dtype"] == "I32" else np.float64)
    return Weights(tensors, about)


def write(path: Path, tensors: Mapping[str, NDArray[Any]], about: Mapping[str, str]) -> None:
    """Write `path`: floating point as float16, whole numbers as 32 bits; names sorted."""
    header: dict[str, Any] = {"__metadata__": dict(sorted(about.items()))}
    parts: list[bytes] = []
    offset = 0
    for name, values in sorted(tensors.items()):
        kind = "I32" if np.issubdtype(values.dtype, np.integer) else "F16"
        part = np.ascontiguousarray(values, _TYPES[kind]).tobytes()
        header[name] = {
            "dtype": kind,
            "shape": list(values.shape),
            "data_offsets": [offset, offset + len(part)],
        }
        parts.append(part)
        offset += len(part)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH)
    path.write_bytes(len(text).to_bytes(_LENGTH, "little") + text + b"".join(parts))
