"""How far two pictures of one size are from each other, for people who reproduce an asset."""

from __future__ import annotations

import math

import numpy as np

from engines.parameters import bad
from engines.png import Pixels
from engines.protocol import Json


def compare(pixels: Pixels, reference: Pixels) -> dict[str, Json]:
    """`psnr`, `largest`, `changed` of two RGBA pictures.

    `psnr`: 10 log10(255² / mean squared error) in dB over all four channels, colours weighed by their
    alpha, since nobody sees what is transparent; None for equal pictures. `largest`: of all channel
    differences, 0 to 255. `changed`: share of pixels that differ, 0 to 1.
    """
    if pixels.shape != reference.shape:
        raise bad("the reference has another size")
    new, old = _visible(pixels), _visible(reference)
    difference = np.abs(new - old)
    squares = int((difference.astype(np.int64) ** 2).sum())
    mean = squares / difference.size
    return {
        "psnr": None if not squares else round(10 * math.log10(255**2 / mean), 2),
        "largest": int(difference.max(initial=0)),
        "changed": int(difference.any(axis=2).sum()) / (difference.shape[0] * difference.shape[1]),
    }


def _visible(pixels: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Premultiplied, in whole numbers."""
    alpha = pixels[..., 3:].astype(np.int32)
    return np.concatenate([(pixels[..., :3] * alpha + 127) // 255, alpha], axis=2)
