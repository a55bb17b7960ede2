"""The convolutions that bring edges back, in numpy: `training/sprite/sharpen.py` in float64.

Knows nothing of latents or prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engines.sprite.network import Floats, silu

PREFIX: Final = "sharpener."
_SIDE: Final = 3
"""Of every kernel."""


class Sharpener:
    """Weights by the names that training gave them, after `PREFIX`."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._tensors = tensors
        self._layers = sum(name.startswith(f"{PREFIX}inner.") for name in tensors) // 2

    def __call__(self, picture: Floats) -> Floats:
        """(height, width, 4), both even: sharper. Two by two pixels are one place."""
        height, width, channels = picture.shape
        apart = picture.reshape(height // 2, 2, width // 2, 2, channels)
        hidden = self._convolve("enter", apart.transpose(0, 2, 4, 1, 3).reshape(height // 2, width // 2, -1))
        for number in range(0, self._layers, 2):
            inner = self._convolve(f"inner.{number}", silu(hidden))
            hidden = hidden + self._convolve(f"inner.{number + 1}", silu(inner))
        mended = self._convolve("leave", silu(hidden))
        together = mended.reshape(height // 2, width // 2, channels, 2, 2).transpose(0, 3, 1, 4, 2)
        return picture + together.reshape(height, width, channels)

    def _convolve(self, name: str, values: Floats) -> Floats:
        """(height, width, channels) with a frame of zeros, so that the size stays."""
        kernel = self._tensors[f"{PREFIX}{name}.weight"]
        framed = np.pad(values, ((1, 1), (1, 1), (0, 0)))
        views = np.lib.stride_tricks.sliding_window_view(framed, (_SIDE, _SIDE), axis=(0, 1))
        height, width = values.shape[:2]
        columns = views.reshape(height * width, -1)
        result: Floats = columns @ kernel.reshape(len(kernel), -1).T + self._tensors[f"{PREFIX}{name}.bias"]
        return result.reshape(height, width, -1)
