"""The network in numpy: words and a style to one vector; latents, a time and that vector to cleaner latents.

The same arithmetic as `training/sprite/model.py`, in float64: sums may be taken in another order on
another processor, and what that changes is far too small to be seen in eight bits. Knows nothing of prompts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

_TINY: Final = 1e-5
"""What a normalisation adds to the variance."""


class Network:
    """Weights by the names that training gave them."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self._tensors = tensors
        self.deviation: Floats = tensors["deviation"]
        self.styles = len(tensors["style.weight"]) - 1
        self._depth = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))
        self._places = len(tensors["text.place.weight"])
        self._frequencies = tensors["time.weight"].shape[1] // 2

    def _linear(self, name: str, values: Floats) -> Floats:
        result: Floats = values @ self._tensors[f"{name}.weight"].T + self._tensors[f"{name}.bias"]
        return result

    def condition(self, vectors: Floats, own: Sequence[int], style: int) -> Floats:
        """(words, vector), the number of each word's own weights, a style or `styles`: (condition,)."""
        words = len(vectors)
        pooled = np.zeros((2, self._tensors["text.place.weight"].shape[1]))
        if words:
            places = np.minimum(np.arange(words)[::-1], self._places - 1)
            tokens = self._linear("text.project", vectors)
            tokens = tokens + self._tensors["text.own.weight"][list(own)]
            tokens = tokens + self._tensors["text.place.weight"][places]
            tokens = tokens + self._linear("text.inner", silu(tokens))
            scores = self._linear("text.weigh", tokens)
            shares = np.exp(scores - scores.max(axis=0))
            shares /= shares.sum(axis=0)
            pooled = shares.T @ tokens
        result: Floats = self._linear("text.outer", silu(pooled.reshape(-1)))
        result += self._tensors["style.weight"][style]
        return result

    def clean(self, noisy: Floats, time: float, conditions: Floats, guidance: float) -> Floats:
        """The latents that `noisy`, (latents,), come from, led away from the second of two conditions.

        Where there is but one condition, nothing is led, and it costs half.
        """
        spread = np.sqrt((time * self.deviation) ** 2 + (1 - time) ** 2)
        residuals = self._residuals(noisy / spread, time, conditions)
        asked, plain = residuals[0], residuals[-1]
        guess = time * self.deviation**2 / spread**2 * noisy
        result: Floats = guess + self.deviation * (1 - time) / spread * (plain + guidance * (asked - plain))
        return result

    def _residuals(self, inward: Floats, time: float, conditions: Floats) -> Floats:
        steps = np.arange(self._frequencies)
        angles = time * 1000 * np.exp(-math.log(10000) * steps / self._frequencies)
        mixed = conditions + self._linear("time", np.concatenate([np.cos(angles), np.sin(angles)]))
        mixed = silu(mixed + self._linear("settle", silu(mixed)))
        hidden = np.tile(self._linear("enter", inward), (len(conditions), 1))
        for number in range(self._depth):
            name = f"blocks.{number}"
            shift, scale, weight = np.split(self._linear(f"{name}.modulate", mixed), 3, axis=-1)
            inner = silu(self._linear(f"{name}.widen", normal(hidden) * (1 + scale) + shift))
            hidden = hidden + (1 + weight) * self._linear(f"{name}.narrow", inner)
        ended = normal(hidden) * self._tensors["norm.weight"] + self._tensors["norm.bias"]
        return self._linear("leave", ended)


def silu(values: Floats) -> Floats:
    """Each value times its logistic function."""
    result: Floats = values / (1 + np.exp(-values))
    return result


def normal(values: Floats) -> Floats:
    """Rows with the mean zero and the variance one."""
    apart = values - values.mean(axis=-1, keepdims=True)
    result: Floats = apart / np.sqrt((apart**2).mean(axis=-1, keepdims=True) + _TINY)
    return result
