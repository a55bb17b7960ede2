"""Two pictures held against each other: every measure of them, and a picture of what differs.

Knows nothing of files or requests.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.finish import facts
from engines.finish.resize import resample
from engines.measure import distance
from engines.png import Pixels
from engines.protocol import Json

PIXELS: Final = "identical-pixels"
"""Every pixel is equal: two files of these differ in their encoding only."""
LOOK: Final = "identical-look"
"""Only colours that nobody sees, under full transparency, differ."""
DIFFERENT: Final = "different"

_GREY: Final = 128
_MARK: Final = (230, 0, 122)


def compare(pixels: Pixels, reference: Pixels) -> dict[str, Json]:
    """Measures of two RGBA pictures.

    `likeness`: `identical-pixels`, `identical-look` or `different`. `hash_bits`: of the 64 bits of the
    perceptual hashes, how many differ. `psnr`, `ssim`: see `distance`; rounded to 4 and 6 digits.
    `compared_at`: the size at which these two were computed. Pictures of different sizes are both brought
    to the smaller width and the smaller height first, by the area filter, and then `resized` is true and
    `changed`, `largest` and `box` are None, since no pixel of the one is any of the other. Else `changed`
    is the share of pixels that differ to the eye, 0 to 1, `largest` the largest difference of a channel,
    and `box` left, top, width and height of the changed area, or None. `image`, `reference`: what
    `engines.finish.facts` says of each.
    """
    own, other = facts.measure(pixels), facts.measure(reference)
    bits = (int(own["phash"], 16) ^ int(other["phash"], 16)).bit_count()
    resized = pixels.shape != reference.shape
    first, second = at_common_size(pixels, reference)
    change = None if resized else distance.change(first, second)
    ratio = distance.psnr(first, second)
    likeness = DIFFERENT
    if own["pixels"] == other["pixels"]:
        likeness = PIXELS
    elif change is not None and change.box is None:
        likeness = LOOK
    return {
        "likeness": likeness,
        "hash_bits": bits,
        "psnr": None if ratio is None else round(ratio, 4),
        "ssim": round(distance.ssim(first, second), 6),
        "compared_at": [first.shape[1], first.shape[0]],
        "resized": resized,
        "changed": change.share if change else None,
        "largest": change.largest if change else None,
        "box": list(change.box) if change and change.box else None,
        "image": own,
        "reference": other,
    }


def at_common_size(pixels: Pixels, reference: Pixels) -> tuple[Pixels, Pixels]:
    """Both at the smaller width and the smaller height, which loses detail but makes none up."""
    height, width = (min(sides) for sides in zip(pixels.shape[:2], reference.shape[:2], strict=True))
    return resample(pixels, width, height, "area"), resample(reference, width, height, "area")


def difference(pixels: Pixels, reference: Pixels) -> Pixels:
    """RGB: the reference pale and grey, and on it in magenta what `pixels` changes, stronger where more."""
    first, second = at_common_size(pixels, reference)
    result = np.empty((*second.shape[:2], 3), np.uint8)
    for row in range(len(result)):  # one row at a time, for the memory's sake
        grey = distance.luma(distance.laid_on(second[row : row + 1], _GREY)) // 1000
        pale = (160 + grey * 80 // 255)[..., np.newaxis]
        far = np.abs(distance.visible(first[row : row + 1]) - distance.visible(second[row : row + 1]))
        most = far.max(axis=2, keepdims=True)
        # Even a change of one level must be seen.
        strength = np.where(most > 0, 64 + most * 191 // 255, 0)
        result[row] = (pale * (255 - strength) + np.array(_MARK) * strength + 127)[0] // 255
    return result
