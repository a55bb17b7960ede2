"""Weights files: only safetensors, and only whole ones.

A safetensors file is eight bytes with the length of a JSON header, the header, and the tensors; the header
says where each tensor lies, so a download that stopped is found without reading gigabytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

_STEMS: Final = ("diffusion_pytorch_model", "model")
_PICKLED: Final = (".bin", ".ckpt", ".pt", ".pth", ".pkl", ".msgpack", ".h5")
_MAX_HEADER: Final = 100_000_000
"""What the format itself allows."""


def files(place: Path) -> tuple[Path, ...]:
    """The weights files of a component's folder, every shard that its index names; empty where one lacks."""
    for stem in _STEMS:
        whole = place / f"{stem}.safetensors"
        if whole.is_file():
            return (whole,)
        shards = _shards(place / f"{stem}.safetensors.index.json")
        if shards and all(shard.is_file() for shard in shards):
            return shards
    return ()


def pickles(place: Path) -> tuple[Path, ...]:
    """The weights files of `place` in formats that may run code when they are read."""
    return tuple(sorted(file for file in place.iterdir() if file.name.endswith(_PICKLED)))


def damage(file: Path) -> str:
    """What is wrong with the safetensors `file`; empty where it is whole."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(_MAX_HEADER, size - 8):  # noqa: PLR2004 - `{}` is the shortest header
            return "its header is cut off"
        try:
            header = json.loads(stream.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return "its header is not one of safetensors"
    expected = 8 + length + max(ends, default=0)
    return "" if size == expected else f"it has {size} bytes, its header says {expected}"


def _shards(index: Path) -> tuple[Path, ...]:
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()
    return tuple(index.with_name(str(name)) for name in sorted(names))
