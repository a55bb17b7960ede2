"""Measurements of a finished picture: what the lock keeps of it, and what a comparison starts from."""

from __future__ import annotations

import hashlib
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engines import png
from engines.png import Pixels
from engines.protocol import Json

_SIDE: Final = 32
_LOW: Final = 8
_BITS: Final = 20
_GREY: Final = 128


def measure(pixels: Pixels) -> dict[str, Json]:
    """`width`, `height`, `pixels`, `phash`, `mode`, `opaque`, as `docs/architecture.md` lists them."""
    height, width, channels = pixels.shape
    full = png.rgba(pixels)
    return {
        "width": width,
        "height": height,
        "pixels": pixel_digest(full),
        "phash": perceptual_hash(full),
        "mode": "RGB" if channels == 3 else "RGBA",  # noqa: PLR2004 - no alpha
        "opaque": int((full[..., 3] == 255).sum()) / (width * height),  # noqa: PLR2004 - opaque
    }


def pixel_digest(pixels: Pixels) -> str:
    """SHA-256 of the RGBA bytes and the size: equal where two files show exactly the same."""
    height, width = pixels.shape[:2]
    head = b"RGBA\0" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return hashlib.sha256(head + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def perceptual_hash(pixels: Pixels) -> str:
    """64 bits as hexadecimal: which of the 8 x 8 lowest frequencies exceed their median.

    Algorithm of Krawetz, "Looks Like It" (2011), as the package imagehash has it, so that its values can be
    compared with those; transparent parts are laid on mid grey first. The cosine transform is in integers:
    on an equal pair of frequencies, a float's last bit would decide, and that differs by CPU.
    """
    flat = np.ascontiguousarray(pixels[..., :3])
    if not (pixels[..., 3] == 255).all():  # noqa: PLR2004 - not opaque: else nothing of the ground is seen
        # At most 255 * 255 + 127, which 16 bits hold.
        alpha = pixels[..., 3:].astype(np.uint16)
        flat = ((flat * alpha + _GREY * (255 - alpha) + 127) // 255).astype(np.uint8)
    grey = Image.fromarray(flat).convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    wave = _cosines()
    low = (wave @ (wave @ np.asarray(grey, np.int64)).T).T.reshape(-1)
    order = np.sort(low)
    # Compared with twice the median, which for 64 values is the mean of the two in the middle.
    bits = 2 * low > order[31] + order[32]
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def _cosines() -> NDArray[np.int64]:
    """The 8 lowest rows of the 32-point cosine transform, in units of 2**-20: sums stay below 2**59."""
    rows = [
        [
            round(math.cos(math.pi * row * (2 * column + 1) / (2 * _SIDE)) * 2**_BITS)
            for column in range(_SIDE)
        ]
        for row in range(_LOW)
    ]
    return np.array(rows, np.int64)
