"""The values of a review: two locks compared, their pictures measured, and what a reviewer is told.

Knows nothing of git, files or pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from buildsys.digest import Digest
from buildsys.lock.model import Approval
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Json, Record

WORKING_TREE: Final = ""
"""The name of the side that is no commit: the files as they lie in the checkout."""


class Kind(StrEnum):
    """What happened to an asset between the two sides."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    """The same bytes under another name."""
    CHANGED = "changed"
    """Its pixels differ."""
    ENCODING = "encoding"
    """Its bytes differ, its pixels do not."""
    RECORD = "record"
    """The same file: only what the lock says of it differs."""


class Cause(StrEnum):
    """Why a picture was made again; several may hold at once."""

    RECIPE = "recipe"
    """What was asked for: prompt, seed, parameters, finish steps."""
    INPUT = "input"
    """The bytes of a picture or file that it is made from."""
    ENGINE = "engine"
    """Another engine, model, revision or version of the adapter."""
    ENVIRONMENT = "environment"
    """Nothing that was asked for: other versions of what it was made with."""
    HAND = "hand"
    """Nothing at all that the lock knows: it was made anew, or changed by hand."""


class Word(msgspec.Struct, frozen=True):
    """A piece of a text that changed; all pieces but the new ones are the old text, with their spaces."""

    text: str
    state: str
    """`same`, `gone` or `new`."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a recipe, or of what stands beside it, that differs."""

    name: str
    """As in the lock, dotted: `prompt`, `parameters.style`, `inputs.image`, `finish`, `engine`."""
    cause: Cause
    before: Json = None
    """None where it had none."""
    after: Json = None
    words: tuple[Word, ...] = ()
    """Of a prompt or another text: word by word."""


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """How far two pictures are apart. See `engines.measure` for each."""

    likeness: str
    """`identical-pixels`, `identical-look` (only unseen colours differ) or `different`."""
    hash_bits: int
    """Of 64, how many bits of the perceptual hashes differ."""
    psnr: float | None
    """Decibels, over colours as they are seen; None where nothing seen differs."""
    ssim: float
    """-1 to 1; 1 for equal pictures."""
    changed: float | None
    """Share of pixels that differ to the eye, 0 to 1; None where the sizes differ."""
    largest: int | None
    """The largest difference of a channel, 0 to 255; None where the sizes differ."""
    alpha: float | None
    """Share of pixels whose alpha differs, 0 to 1; None where the sizes differ."""
    box: tuple[int, int, int, int] | None
    """Left, top, width and height of what changed, in pixels of the new picture."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """An asset on one side."""

    record: Record
    approval: Approval | None = None
    """Where a person accepted this very picture."""
    frozen: bool = False
    lost: str = ""
    """Why its picture can't be shown, in words; empty where it can: `Pictures` has it."""
    edited: Digest | None = None
    """The file that lies there, in a commit, too, where it is not the one that the lock tells of."""
    cost: float | None = None
    """What its picture did cost in US dollars, where it is known."""
    file_bytes: int | None = None

    @property
    def shown(self) -> Digest:
        """The file that is shown and measured."""
        return self.edited or self.record.picture.file


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One asset that differs between the two sides."""

    kind: Kind
    before: Side | None = None
    """None where it was added."""
    after: Side | None = None
    """None where it was removed."""
    fields: tuple[Field, ...] = ()
    causes: tuple[Cause, ...] = ()
    """In the order of `Cause`, each once; empty for what was added, removed or renamed."""
    measure: Measure | None = None
    """None where there are no two pictures to hold against each other."""
    attention: float = 0.0
    """How much a reviewer should look, 0 to 1; a review is sorted by it, the most first."""
    notes: tuple[str, ...] = ()
    """What else a reviewer should know, a sentence each."""

    @property
    def name(self) -> AssetName:
        """Its name now, or the last that it had."""
        side = self.after or self.before
        assert side is not None, "a change has a side"  # noqa: S101 - whoever makes one gives it one
        return side.record.name


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One side of the review."""

    asked: str
    """As it was named: `HEAD~3`; empty for the working tree."""
    commit: str = WORKING_TREE
    """Full name of the commit; empty for the working tree."""
    subject: str = ""
    """First line of the commit's message."""
    index: bool = False
    """Whether it is what is staged for the next commit."""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What changed between two revisions."""

    before: Revision
    after: Revision
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    """Assets that both have, with nothing changed."""
    counts: Mapping[Kind, int] = {}
    cost: float | None = None
    """US dollars, of the new pictures whose cost is known; None where no cost is known."""
    project: str = ""
    """Name of the project's folder."""
    notes: tuple[str, ...] = ()
    """What holds for all of it: a shallow clone, pictures that could not be had."""


class Pictures(Protocol):
    """Where the bytes of the pictures come from: git's objects, LFS, the store, the working tree."""

    def read(self, file: Digest) -> bytes | None:
        """The bytes with the digest `file`, hashed again; None where nobody has them."""
