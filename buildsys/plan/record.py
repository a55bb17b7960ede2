"""What is known of an asset that was made: the recipe's parts, and what came out.

A `Record` is one table of the lock; the plan compares it with what is asked for now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.digest import Digest
from buildsys.manifest.model import AssetName, FinishStep, Input

Json: TypeAlias = Any


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe: all that a person chose for an asset, resolved. Its digest is the recipe digest."""

    adapter: str
    adapter_version: str
    model: str = ""
    revision: str = ""
    prompt: str = ""
    negative: str = ""
    text: str = ""
    seed: int | None = None
    candidate: int | None = None
    """Number of the candidate, from 2, where no seed tells it from the others."""
    size: tuple[int, int] | None = None
    parameters: Mapping[str, Json] = {}
    inputs: Mapping[str, Digest] = {}
    """Parameter name to the digest of the bytes."""
    finish: tuple[FinishStep, ...] = ()
    finish_version: str = ""
    """Version of the finish adapter, whose encoder every picture passes."""
    format: str = "png"
    metadata: str = ""
    """What kind of source the picture tells that it is; empty where it tells nothing of itself."""


_ASSET: Final = "asset:"


def told(item: Input) -> str:
    """Where an input comes from, as the lock tells it: a path, or `asset:` and a name."""
    return f"{_ASSET}{item.asset}" if item.asset else item.path


def asset_of(path: str) -> AssetName | None:
    """The asset that an input came from, of what the lock tells; None for a file."""
    return AssetName(path.removeprefix(_ASSET)) if path.startswith(_ASSET) else None


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the picture owes a mention."""

    title: str
    author: str
    licence: str
    source: str


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What the finished file is, measured by the finish engine."""

    file: Digest
    """SHA-256 of the file."""
    pixels: Digest
    """SHA-256 of `RGBA`, a zero byte, width and height as big-endian 32-bit, and the 8-bit pixels."""
    phash: str
    """64-bit perceptual hash, 16 hexadecimal digits."""
    width: int
    height: int


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One asset in the lock."""

    name: AssetName
    recipe: Digest
    parts: Parts
    engine: str
    """Name of the engine that made it, `finish` for a derived asset; not part of the recipe."""
    output: str
    """Path relative to the project, with `/`."""
    picture: Picture
    raw: Digest
    """SHA-256 of what the engine handed over before finishing."""
    paths: Mapping[str, str] = {}
    """Parameter name to the path or asset that its input came from, for a reader."""
    sent: Mapping[str, Json] = {}
    """What the provider says it used: rewritten prompt, seed."""
    credits: tuple[Credit, ...] = ()
    environment: Mapping[str, str] = {}
    """What it was made with; never part of the recipe."""
    companions: Mapping[str, Digest] = {}
    """Of an atlas: SHA-256 of each further file, by what stands in place of the suffix of `output`."""
    instead_of: str = ""
    """The engine that was asked for, where `engine`, one of its fallback, made it."""
    asked: Digest | None = None
    """What was asked for, then: a recipe; or, where there are candidates, the choice of one of them."""
    candidate: int = 0
    """Number of the candidate that was chosen; 0 where there was nothing to choose."""
    gates: Digest | None = None
    """The digest of the gates that it passed; never part of the recipe."""
