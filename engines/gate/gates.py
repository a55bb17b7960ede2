"""The gates: each measures one side of a finished picture and holds it against what was wanted.

Knows nothing of requests. What a gate finds wrong is its result, not an error; an error is a gate that asks
what can't be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engines import png
from engines.finish import palette as palettes
from engines.finish.colors import grouped, packed, unpacked
from engines.gate.finding import Check, percent
from engines.gate.seam import broken
from engines.measure import likeness
from engines.measure.distance import visible
from engines.parameters import bad
from engines.png import Pixels

_OPAQUE: Final = 255
_BAND: Final = 256
_CHUNK: Final = 4096
_HASH_BITS: Final = 10
"""What `distance` allows where nothing is asked: two of the same motif, hardly two of different ones."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged."""

    pixels: Pixels
    """RGBA."""
    length: int
    """Of its file, in bytes."""


Gate = Callable[..., list[Check]]


def size(
    subject: Subject,
    *,
    exactly: tuple[int, int] | None,
    least: tuple[int, int] | None,
    most: tuple[int, int] | None,
    multiple: int,
) -> list[Check]:
    """Width and height."""
    height, width = subject.pixels.shape[:2]
    own, fact = [width, height], f"is {width} x {height} pixels"
    checks = []
    if exactly is not None:
        passed = exactly == (width, height)
        checks.append(Check("exactly", passed, own, list(exactly), _but(fact, passed, f"not {_by(exactly)}")))
    if least is not None:
        passed = width >= least[0] and height >= least[1]
        told = _but(fact, passed, f"less than {_by(least)}")
        checks.append(Check("least", passed, own, list(least), told))
    if most is not None:
        passed = width <= most[0] and height <= most[1]
        told = _but(fact, passed, f"more than {_by(most)}")
        checks.append(Check("most", passed, own, list(most), told))
    if multiple > 1 or not checks:
        passed = not (width % multiple or height % multiple)
        told = _but(fact, passed, f"no multiple of {multiple}")
        checks.append(Check("multiple", passed, own, multiple, told))
    return checks


def length(subject: Subject, *, most: int) -> list[Check]:
    """The length of the file."""
    passed = subject.length <= most
    told = _but(f"has {subject.length} bytes", passed, f"more than {most}")
    return [Check("most", passed, subject.length, most, told)]


def alpha(subject: Subject, *, coverage: tuple[float, ...] | None, margin: int, hard: bool) -> list[Check]:
    """What is transparent, and where."""
    values = subject.pixels[..., 3]
    checks = []
    if coverage is not None:
        if len(coverage) != 2 or coverage[0] > coverage[1]:  # noqa: PLR2004 - least and most
            raise bad(f"`coverage` is `{list(coverage)}`, not the least and the most share")
        share = int(values.sum(dtype=np.int64)) / (_OPAQUE * values.size)
        passed = coverage[0] <= share <= coverage[1]
        wanted = f"not {percent(coverage[0])} to {percent(coverage[1])}"
        told = _but(f"is {percent(share)} covered", passed, wanted)
        checks.append(Check("coverage", passed, round(share, 6), list(coverage), told))
    if margin:
        free = _margin(values)
        told = _but(f"has {free} clear pixels along its edges", free >= margin, f"not {margin}")
        checks.append(Check("margin", free >= margin, free, margin, told))
    if hard:
        soft = int(((values > 0) & (values < _OPAQUE)).sum())
        told = _but(f"has {soft} half-transparent pixels", not soft, "not 0")
        checks.append(Check("hard", not soft, soft, 0, told))
    if not checks:
        clear = int((values == 0).sum())
        told = _but(f"has {clear} clear pixels", clear > 0, "not one or more")
        checks.append(Check("clear", clear > 0, clear, 1, told))
    return checks


def flat(subject: Subject, *, deviation: float) -> list[Check]:
    """How much its pixels differ."""
    found = _deviation(subject.pixels)
    passed = found >= deviation
    told = _but(f"has a deviation of {found:g} levels", passed, f"less than {deviation:g}")
    return [Check("deviation", passed, found, deviation, told)]


def palette(
    subject: Subject, *, colors: int | None, file: str | None, distance: int, share: float
) -> list[Check]:
    """How many colours it has, and how many pixels have none of the file's."""
    if colors is None and file is None:
        raise bad("either `colors` or `file` is needed")
    pixels = subject.pixels
    seen = pixels[..., 3] > 0
    checks = []
    found = grouped(packed(pixels[seen])) if seen.any() else None
    if colors is not None:
        number = len(found.values) if found else 0
        told = _but(f"has {number} colours", number <= colors, f"more than {colors}")
        checks.append(Check("colors", number <= colors, number, colors, told))
    if file is not None:
        allowed = palettes.read(file)
        off = 0.0
        if found:
            strange = _far(unpacked(found.values), allowed, distance)
            off = int(found.counts[strange].sum()) / int(found.counts.sum())
        told = f"has {percent(off)} of its pixels in colours that the palette lacks"
        told = _but(told, off <= share, f"more than {percent(share)}")
        checks.append(Check("share", off <= share, round(off, 6), share, told))
    return checks


def seam(subject: Subject, *, share: float, axis: str) -> list[Check]:
    """Whether it goes on at its other side."""
    checks = []
    for name, turned, edges in (
        ("horizontal", subject.pixels, "its left and right edges"),
        ("vertical", subject.pixels.swapaxes(0, 1), "its upper and lower edges"),
    ):
        if axis in {name, "both"}:
            found = broken(turned)
            told = _but(
                f"breaks off on {percent(found)} of {edges}", found <= share, f"more than {percent(share)}"
            )
            checks.append(Check(name, found <= share, round(found, 6), share, told))
    return checks


def distance(
    subject: Subject,
    *,
    reference: str,
    hash_bits: int | None,
    ssim: float | None,
    psnr: float | None,
    changed: float | None,
) -> list[Check]:
    """How far it is from another picture; measures are those of `engines.measure.likeness`."""
    if hash_bits is ssim is psnr is changed is None:
        hash_bits = _HASH_BITS
    found = likeness.compare(subject.pixels, png.rgba(png.decode(reference, name="the reference")))
    checks = []
    if hash_bits is not None:
        bits = found["hash_bits"]
        told = _but(
            f"differs from the reference in {bits} of 64 bits", bits <= hash_bits, f"more than {hash_bits}"
        )
        checks.append(Check("hash_bits", bits <= hash_bits, bits, hash_bits, told))
    if ssim is not None:
        told = _but(f"has an SSIM of {found['ssim']:g}", found["ssim"] >= ssim, f"less than {ssim:g}")
        checks.append(Check("ssim", found["ssim"] >= ssim, found["ssim"], ssim, told))
    if psnr is not None:
        ratio = found["psnr"]
        passed = ratio is None or ratio >= psnr
        fact = "looks like the reference" if ratio is None else f"has a PSNR of {ratio:g} dB"
        checks.append(Check("psnr", passed, ratio, psnr, _but(fact, passed, f"less than {psnr:g}")))
    if changed is not None:
        part = 1.0 if found["changed"] is None else found["changed"]
        told = _but(
            f"differs in {percent(part)} of its pixels", part <= changed, f"more than {percent(changed)}"
        )
        checks.append(Check("changed", part <= changed, round(part, 6), changed, told))
    return checks


GATES: Final[dict[str, Gate]] = {
    "size": size,
    "bytes": length,
    "alpha": alpha,
    "flat": flat,
    "palette": palette,
    "seam": seam,
    "distance": distance,
}
"""A subject and the gate's parameters to its checks."""


def _but(fact: str, passed: bool, wanted: str) -> str:  # noqa: FBT001 - as a sentence has it
    return fact if passed else f"{fact}, {wanted}"


def _by(sides: Sequence[int]) -> str:
    return f"{sides[0]} x {sides[1]}"


def _margin(values: Pixels) -> int:
    """The pixels between what is visible and the nearest edge; of an empty picture, all there are."""
    seen = values > 0
    if not seen.any():
        return int(min(seen.shape)) // 2
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    height, width = seen.shape
    return int(min(rows[0], columns[0], height - 1 - rows[-1], width - 1 - columns[-1]))


def _deviation(pixels: Pixels) -> float:
    """The largest standard deviation of a channel, in levels, to 2 digits; whole sums until the end."""
    total: list[int] = [0] * 4
    squares: list[int] = [0] * 4
    for start in range(0, len(pixels), _BAND):
        band = visible(pixels[start : start + _BAND]).astype(np.int64).reshape(-1, 4)
        total = [old + new for old, new in zip(total, band.sum(axis=0).tolist(), strict=True)]
        squares = [old + new for old, new in zip(squares, (band * band).sum(axis=0).tolist(), strict=True)]
    number = int(pixels.shape[0] * pixels.shape[1])
    widest: int = max(number * square - value * value for value, square in zip(total, squares, strict=True))
    return round(math.sqrt(widest) / number, 2)


def _far(
    colors: palettes.Colors, allowed: palettes.Colors, most: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of `colors` are further than `most` from all that are `allowed`."""
    far = np.empty(len(colors), np.bool_)
    near = allowed.astype(np.int16)
    for start in range(0, len(colors), _CHUNK):
        part = colors[start : start + _CHUNK].astype(np.int16)
        away = np.abs(part[:, np.newaxis] - near).max(axis=2).min(axis=1)
        far[start : start + _CHUNK] = away > most
    return far
