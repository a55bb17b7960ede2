"""Pictures as a few hundred numbers: the principal components of their brightness, colour and alpha.

Brightness counts more than colour, for the eye finds shapes in it. Knows nothing of captions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MIX: Final = np.array(
    [[0.25, 0.5, 0.25, 0], [0.5, 0, -0.5, 0], [-0.25, 0.5, -0.25, 0], [0, 0, 0, 1]], np.float32
)
"""Red, green, blue, alpha to brightness, orange to blue, green to purple, alpha."""
_WEIGHTS: Final = np.array([2.0, 1.0, 1.0, 0.7], np.float32)
_FORWARD: Final = (_MIX.T * _WEIGHTS).astype(np.float32)
_BACK: Final = np.linalg.inv(_FORWARD.astype(np.float64)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Components:
    """A basis, ordered by how much of the pictures it holds."""

    mean: Floats
    """(4096,)."""
    basis: Floats
    """(4096, dimensions), orthonormal."""
    deviation: Floats
    """(dimensions,): of the latents; the mean of their squares is one."""
    scale: float
    """What latents are multiplied by."""

    def encode(self, pictures: NDArray[np.uint8]) -> Floats:
        """(N, 32, 32, 4) to (N, dimensions)."""
        flat = weighted(pictures)
        flat -= self.mean
        return np.asarray(flat @ self.basis / self.scale, np.float32)

    def decode(self, latents: Floats) -> Floats:
        """(N, dimensions) to (N, 32, 32, 4), colours times alpha, about 0 to 1."""
        flat = (latents * self.scale) @ self.basis.T + self.mean
        return np.asarray(flat.reshape(-1, 32, 32, 4) @ _BACK, np.float32)


def weighted(pictures: NDArray[np.uint8]) -> Floats:
    """(N, 32, 32, 4) to (N, 4096): in the space in which distances count."""
    flat = (pictures.astype(np.float32) / 255) @ _FORWARD
    return np.asarray(flat, np.float32).reshape(len(pictures), -1)


def fit(pictures: NDArray[np.uint8], dimensions: int, *, most: int = 6000, rounds: int = 4) -> Components:
    """The first `dimensions` components of `pictures`, of `most` of them where there are more.

    By subspace iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4): all 4,096 components of the
    covariance take minutes, and nobody asks for the last ones.
    """
    random = np.random.default_rng(0)
    if len(pictures) > most:
        pictures = pictures[np.sort(random.choice(len(pictures), most, replace=False))]
    flat = weighted(pictures)
    mean = flat.mean(axis=0)
    flat -= mean
    width = min(dimensions + 32, *flat.shape)
    span = random.standard_normal((flat.shape[1], width)).astype(np.float32)
    for _ in range(rounds):
        span, _ = np.linalg.qr(flat.T @ (flat @ span))
    _, values, turned = np.linalg.svd(flat @ span, full_matrices=False)
    vectors = (span @ turned.T)[:, :dimensions]
    deviation = values[:dimensions] / np.sqrt(len(flat))
    # The sign of a component is the solver's whim: its largest entry is made positive.
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
    scale = float(np.sqrt((deviation**2).mean()))
    return Components(
        mean.astype(np.float32),
        np.ascontiguousarray(vectors, np.float32),
        (deviation / scale).astype(np.float32),
        scale,
    )
