"""Two pictures held against each other for a reviewer: numbers, and no picture of what differs.

The same numbers as `likeness`, sooner: where little differs, only that is looked at. Knows nothing of files.
"""

from __future__ import annotations

import numpy as np

from engines.finish import facts
from engines.measure import distance, likeness
from engines.png import Pixels
from engines.protocol import Json

_MARGIN = 6
"""Pixels around a change that share a window with it."""


def review(pixels: Pixels, reference: Pixels) -> dict[str, Json]:
    """Measures of two RGBA pictures: `likeness`, `hash_bits`, `psnr`, `ssim`, `changed`, `largest`, `box`.

    Each as `engines.measure.likeness.compare` tells it. `alpha`: share of pixels whose alpha differs, 0 to 1;
    None where the sizes differ.
    """
    if pixels.shape != reference.shape:
        return _of_two_sizes(pixels, reference)
    if np.array_equal(pixels, reference):
        return _told(likeness.PIXELS, 0, None, 1.0, distance.Change(0.0, 0, None), 0.0)
    change = distance.change(pixels, reference)
    bits = _bits(pixels, reference)
    if change.box is None:
        return _told(likeness.LOOK, bits, None, 1.0, change, 0.0)
    left, top, width, height = change.box
    inside = np.s_[top : top + height, left : left + width]
    alpha = np.count_nonzero(pixels[inside][..., 3] != reference[inside][..., 3])
    return _told(
        likeness.DIFFERENT,
        bits,
        distance.psnr(pixels, reference),
        _ssim(pixels, reference, change.box),
        change,
        alpha / (pixels.shape[0] * pixels.shape[1]),
    )


def _of_two_sizes(pixels: Pixels, reference: Pixels) -> dict[str, Json]:
    """No pixel of the one is any of the other: only how they look is compared, at one size."""
    first, second = likeness.at_common_size(pixels, reference)
    return _told(
        likeness.DIFFERENT,
        _bits(pixels, reference),
        distance.psnr(first, second),
        distance.ssim(first, second),
        None,
        None,
    )


def _bits(pixels: Pixels, reference: Pixels) -> int:
    first, second = (int(facts.perceptual_hash(item), 16) for item in (pixels, reference))
    return (first ^ second).bit_count()


def _ssim(pixels: Pixels, reference: Pixels, box: tuple[int, int, int, int]) -> float:
    """The mean over all windows. Those that hold nothing of the change are 1 each, and are not computed."""
    high, wide = pixels.shape[:2]
    if min(high, wide) <= _MARGIN:  # its window is a smaller one
        return distance.ssim(pixels, reference)
    left, top, width, height = box
    right, bottom = min(wide, left + width + _MARGIN), min(high, top + height + _MARGIN)
    left, top = max(0, left - _MARGIN), max(0, top - _MARGIN)
    # At the edge, a narrow change must still be as wide as a window.
    left, top = min(left, right - _MARGIN - 1), min(top, bottom - _MARGIN - 1)
    near = np.s_[top:bottom, left:right]
    windows = (right - left - _MARGIN) * (bottom - top - _MARGIN)
    total = (high - _MARGIN) * (wide - _MARGIN)
    found: float = 1 - (1 - distance.ssim(pixels[near], reference[near])) * windows / total
    return found


def _told(
    found: str,
    bits: int,
    ratio: float | None,
    ssim: float,
    change: distance.Change | None,
    alpha: float | None,
) -> dict[str, Json]:
    return {
        "likeness": found,
        "hash_bits": bits,
        "psnr": None if ratio is None else round(ratio, 4),
        "ssim": round(ssim, 6),
        "changed": change.share if change else None,
        "largest": change.largest if change else None,
        "alpha": alpha,
        "box": list(change.box) if change and change.box else None,
    }
