"""What is said of an asset that was made again. Knows nothing of how it is made or measured."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from buildsys.errors import ArtlockError, did_you_mean
from buildsys.manifest.model import AssetName
from engines.protocol import Determinism


class Likeness(StrEnum):
    """How close the new picture is to the locked one."""

    BYTES = "identical-bytes"
    PIXELS = "identical-pixels"
    """Only the file's encoding differs."""
    CLOSE = "within-tolerance"
    """It differs by no more than what may be expected; `closeness` says by how much."""
    DIFFERENT = "same-recipe-different-picture"
    IMPOSSIBLE = "impossible"
    """It can't be made here; `message` says why, `held` where the locked one is."""


ALIKE: Final = frozenset({Likeness.BYTES, Likeness.PIXELS, Likeness.CLOSE})


class Promised(StrEnum):
    """What became of the promise that the adapter's determinism class is."""

    KEPT = "kept"
    BROKEN = "broken"
    """Other pixels, where it promised the same."""
    NOTHING = "nothing"
    """It promises no pixels here: its class is `seeded` or `none`, or the environment is another one."""


class Held(StrEnum):
    """Where the locked bytes of an asset are."""

    PLACE = "place"
    """Where they belong, in the output folder."""
    STORE = "store"
    GIT = "git"
    REMOTE = "remote"
    LOST = "lost"


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """How far two pictures are from each other, as the adapter `measure` says it."""

    hash_bits: int
    """Bits of 64 in which the perceptual hashes differ."""
    psnr: float | None = None
    """Peak signal-to-noise ratio in dB; None where nothing differs to the eye, or the locked one is gone."""
    ssim: float | None = None
    """Structural similarity, 1 for pictures that look equal."""
    resized: bool = False
    """Whether the sizes differ, and these two are those of both at the smaller width and height."""
    largest: int | None = None
    """Largest difference of a channel value, 0 to 255; None where the sizes differ."""
    changed: float | None = None
    """Share of pixels that differ, 0 to 1; None where the sizes differ."""


class Metric(StrEnum):
    """A field of `Distance` that a tolerance may bound."""

    LARGEST = "largest"
    CHANGED = "changed"
    HASH_BITS = "hash_bits"
    PSNR = "psnr"
    SSIM = "ssim"

    @property
    def is_likeness(self) -> bool:
        """Whether more means closer."""
        return self in (Metric.PSNR, Metric.SSIM)


_RANGES: Final = {
    Metric.LARGEST: (0, 255),
    Metric.CHANGED: (0, 1),
    Metric.HASH_BITS: (0, 64),
    Metric.PSNR: (0, 200),
    Metric.SSIM: (-1, 1),
}


class Tolerance(msgspec.Struct, frozen=True, kw_only=True):
    """By how much a picture may differ and still pass for the same one."""

    metric: Metric
    limit: float

    @classmethod
    def read(cls, text: str) -> Tolerance:
        """The tolerance that a person wrote as `METRIC=LIMIT`. Raises `ArtlockError`."""
        name, equals, number = text.partition("=")
        if not equals:
            raise ArtlockError(f"`{text}` is no tolerance", "write a metric and its limit: `largest=1`")
        if name not in {*Metric}:
            hint = did_you_mean(name, [*Metric]) or f"use one of {', '.join(Metric)}"
            raise ArtlockError(f"`{name}` is no metric of two pictures", hint)
        metric = Metric(name)
        low, high = _RANGES[metric]
        try:
            limit = float(number)
        except ValueError:
            limit = low - 1
        if not low <= limit <= high:
            raise ArtlockError(
                f"`{number}` is no limit for `{metric}`", f"give a number from {low} to {high}"
            )
        return cls(metric=metric, limit=limit)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks of a reproduction beside the names."""

    revision: str = ""
    """The git revision whose lock is taken; empty: the lock that lies there."""
    tolerance: Tolerance | None = None
    """None: what the determinism class allows."""
    to: Path | None = None
    """A folder in which the pictures are put; None: they go with the scratch place."""
    budget: float | None = None
    """US dollars that engines may take."""
    jobs: int = 1
    remote: bool = True
    """Whether to ask the remote, where the manifest names one, for bytes that this machine lacks."""


class Closeness(msgspec.Struct, frozen=True, kw_only=True):
    """A picture held against a tolerance."""

    metric: Metric
    value: float | None
    """None: nothing differs to the eye, and PSNR has no end."""
    limit: float


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """One asset made again."""

    name: AssetName
    likeness: Likeness
    determinism: Determinism | None = None
    """What the adapter promises; None where it could not be asked."""
    promised: Promised = Promised.NOTHING
    distance: Distance | None = None
    closeness: Closeness | None = None
    """For `within-tolerance`."""
    differing: tuple[str, ...] = ()
    """Files beside the picture that came out otherwise."""
    held: Held | None = None
    """Where the locked bytes are, for `impossible`."""
    put: tuple[str, ...] = ()
    """Paths of the files that were put where a person asked for them."""
    message: str = ""
    hint: str = ""
    then: Mapping[str, str] = {}
    now: Mapping[str, str] = {}
    """The environments of the locked and of the new picture."""

    @property
    def failed(self) -> bool:
        """Whether it is other than a person may rely on: who promises nothing at all breaks nothing."""
        if self.likeness is Likeness.DIFFERENT:
            return self.determinism is not Determinism.NONE
        return self.likeness not in ALIKE
