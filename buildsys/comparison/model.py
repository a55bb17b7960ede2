"""What a comparison is asked for, and what came of it.

Knows nothing of how pictures are made or measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from buildsys.digest import Digest
from buildsys.manifest.model import FinishStep, Input
from buildsys.plan.price import Bill
from buildsys.plan.record import Picture

Json: TypeAlias = Any


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What every engine is asked to draw."""

    name: str = ""
    """The asset's; empty for a prompt of the command line."""
    prompt: str = ""
    negative: str = ""
    text: str = ""
    size: tuple[int, int] | None = None
    parameters: Mapping[str, Json] = {}
    """Those that were chosen for it, not those that an engine has anyway."""
    files: Mapping[str, Input] = {}
    """The same, of type `file`."""
    finish: tuple[FinishStep, ...] = ()
    finish_files: Mapping[str, Input] = {}
    format: str = "png"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A subject, and on what to draw it."""

    subject: Subject
    engines: tuple[str, ...]
    seeds: tuple[int, ...]
    settings: tuple[Mapping[str, Json], ...] = ({},)
    """Parameters to try in turn on each engine, over those of the subject; rows, as engines are."""
    columns: int = 0
    """Pictures in a row; 0: a seed each, or as many as fit where there is one seed."""
    reference_engine: str = ""
    """Whose picture of the same seed, with the first settings, the others are held against; empty where that
    is a file."""
    reference_file: str = ""
    """What messages call the file that all are held against."""
    reference: bytes = b""
    """Its bytes."""
    retry_refused: bool = False
    """Ask again for what an engine refused before."""


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """How far a picture is from its reference, as the adapter `measure` says it."""

    likeness: str
    """`identical-bytes`, `identical-pixels`, `identical-look` or `different`."""
    hash_bits: int
    """Bits of 64 in which the perceptual hashes differ."""
    psnr: float | None
    """In dB; None for pictures that look equal."""
    ssim: float
    compared_at: tuple[int, int]
    """Size in pixels at which PSNR and SSIM were computed."""
    resized: bool
    """Whether the sizes differ, and both were brought to that one."""
    changed: float | None
    """Share of pixels that differ, 0 to 1; None where the sizes differ."""
    largest: int | None
    """Largest difference of a channel, 0 to 255."""
    box: tuple[int, int, int, int] | None
    """Left, top, width and height of the changed area."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One engine's picture of one seed, or why there is none."""

    engine: str
    seed: int | None
    """None where the engine takes none."""
    settings: Mapping[str, Json] = {}
    """Parameters that were tried."""
    file: str = ""
    """Its name in the folder of the comparison; empty where there is no picture."""
    message: str = ""
    """Why there is none."""
    hint: str = ""
    notes: tuple[str, ...] = ()
    """What the engine ignored, and what it says."""
    from_store: bool = False
    make_seconds: float | None = None
    """At work on it; of a picture from the store, when it was made, as far as the journal knows."""
    load_seconds: float | None = None
    cost: float | None = None
    """US dollars; None where nobody said."""
    picture: Picture | None = None
    file_bytes: int | None = None
    """Size of its file."""
    alpha: bool | None = None
    """Whether any pixel is transparent; None where it could not be measured."""
    opaque: float | None = None
    """Share of pixels that are opaque, 0 to 1."""
    is_reference: bool = False
    distance: Distance | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    subject: Subject
    reference: str
    """What the pictures were held against, in words."""
    entries: tuple[Entry, ...]
    """By engine, then by seed, as asked for."""
    seeds: tuple[int, ...]
    sheet: Digest
    """The contact sheet, in the store of the run."""
    expected: Bill = Bill()
    """What the pictures should have cost that the store did not have."""
    cost: Bill = Bill()
    """What they did cost."""
    reference_bytes: bytes = b""
    """Of a file that is the reference."""
    reference_size: tuple[int, int] = (0, 0)
    columns: int = 0
    """Pictures in a row, as asked for."""
