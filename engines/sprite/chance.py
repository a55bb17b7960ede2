"""Chance that is the same everywhere: normal deviates from SHA-256, and choices.

Not numpy's generators: their streams may change with a version.
"""

from __future__ import annotations

import hashlib
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_BYTES = 7
"""Of a digest, for one number: 2**56 values are exact as float64 after the halving below."""


def normals(seed: int, label: str, count: int) -> NDArray[np.float64]:
    """`count` numbers from the normal distribution."""
    inverse = NormalDist().inv_cdf
    found: list[float] = []
    block = 0
    while len(found) < count:
        digest = hashlib.sha256(f"{seed}:{label}:{block}".encode()).digest()
        for first in range(0, 4 * _BYTES, _BYTES):
            whole = int.from_bytes(digest[first : first + _BYTES], "big") >> 4
            found.append(inverse((2 * whole + 1) / (1 << (8 * _BYTES - 3))))
        block += 1
    return np.array(found[:count])
