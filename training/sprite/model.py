"""The network: words and a style to one vector; latents, a time and that vector to cleaner latents.

Knows nothing of pictures, files or training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.sprite.words import NOTHING

_FREQUENCIES: Final = 32
_PLACES: Final = 4
"""Places that are told apart, from the last word on."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What decides the number of weights."""

    latents: int = 256
    width: int = 576
    depth: int = 3
    expansion: int = 2
    condition: int = 384
    token: int = 256
    vector: int = 128
    words: int = 6000
    """Words with a weight of their own beside their vector; 0 stands for every other."""
    styles: int = 9


class Text(nn.Module):
    """Words to one vector. Each word is its frozen vector and, if training knows it, one of its own."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.project = nn.Linear(sizes.vector, sizes.token)
        self.own = nn.Embedding(sizes.words + 1, sizes.token)
        self.place = nn.Embedding(_PLACES, sizes.token)
        self.inner = nn.Linear(sizes.token, sizes.token)
        self.weigh = nn.Linear(sizes.token, 2)
        self.outer = nn.Linear(2 * sizes.token, sizes.condition)
        nn.init.normal_(self.own.weight, std=0.02)
        nn.init.normal_(self.place.weight, std=0.02)

    def forward(self, vectors: Tensor, own: Tensor, mask: Tensor) -> Tensor:
        """(N, L, vector), (N, L) numbers of own weights, (N, L) whether there is a word: (N, condition)."""
        behind = mask.flip(1).cumsum(1).flip(1) - 1
        places = behind.clamp(0, _PLACES - 1)
        tokens = self.project(vectors) + self.own(own) + self.place(places)
        tokens = tokens + self.inner(functional.silu(tokens))
        scores = self.weigh(tokens).masked_fill(~mask[..., None], -1e4)
        shares = functional.softmax(scores, dim=1) * mask[..., None]
        pooled = torch.einsum("nlh,nlt->nht", shares, tokens)
        result: Tensor = self.outer(functional.silu(pooled.flatten(1)))
        return result


class Block(nn.Module):
    """A residual layer whose input is shifted and scaled, and whose result is weighed, by the condition."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        inner = sizes.width * sizes.expansion
        self.norm = nn.LayerNorm(sizes.width, elementwise_affine=False)
        self.modulate = nn.Linear(sizes.condition, 3 * sizes.width)
        self.widen = nn.Linear(sizes.width, inner)
        self.narrow = nn.Linear(inner, sizes.width)
        nn.init.zeros_(self.narrow.weight)
        nn.init.zeros_(self.narrow.bias)

    def forward(self, hidden: Tensor, condition: Tensor) -> Tensor:
        """(N, width), (N, condition): (N, width)."""
        shift, scale, weight = self.modulate(condition).chunk(3, dim=-1)
        inner = functional.silu(self.widen(self.norm(hidden) * (1 + scale) + shift))
        result: Tensor = hidden + (1 + weight) * self.narrow(inner)
        return result


class Flow(nn.Module):
    """Says which clean latents noisy ones come from: what a Gaussian would say, mended.

    At time 0 there is only noise, at 1 only the picture.
    """

    deviation: Tensor

    def __init__(self, sizes: Sizes, deviation: Tensor) -> None:
        super().__init__()
        self.sizes = sizes
        self.register_buffer("deviation", deviation)
        self.text = Text(sizes)
        self.style = nn.Embedding(sizes.styles + 1, sizes.condition)
        self.time = nn.Linear(2 * _FREQUENCIES, sizes.condition)
        self.settle = nn.Linear(sizes.condition, sizes.condition)
        self.enter = nn.Linear(sizes.latents, sizes.width)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.depth))
        self.norm = nn.LayerNorm(sizes.width)
        self.leave = nn.Linear(sizes.width, sizes.latents)
        nn.init.normal_(self.style.weight, std=0.02)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def condition(self, vectors: Tensor, own: Tensor, mask: Tensor, style: Tensor) -> Tensor:
        """Of prompts and styles, the last style being none in particular: (N, condition)."""
        result: Tensor = self.text(vectors, own, mask) + self.style(style)
        return result

    def residual(self, noisy: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        """The mending, in units in which it is about one large."""
        inward = noisy / self.spread(time)
        angles = time[:, None] * 1000 * wavelengths(noisy)
        wave = torch.cat([angles.cos(), angles.sin()], dim=-1)
        mixed = condition + self.time(wave)
        mixed = functional.silu(mixed + self.settle(functional.silu(mixed)))
        hidden = self.enter(inward)
        for block in self.blocks:
            hidden = block(hidden, mixed)
        result: Tensor = self.leave(self.norm(hidden))
        return result

    def spread(self, time: Tensor) -> Tensor:
        """(N, latents): the deviation of latents that are as noisy as at `time`."""
        time = time[:, None]
        return ((time * self.deviation).square() + (1 - time).square()).sqrt()

    def clean(self, noisy: Tensor, time: Tensor, residual: Tensor) -> Tensor:
        """The latents that `residual` means."""
        spread, column = self.spread(time), time[:, None]
        guess = column * self.deviation.square() / spread.square() * noisy
        return guess + self.deviation * (1 - column) / spread * residual

    def target(self, latents: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        """The residual that would be right: `clean` the other way round."""
        spread, column = self.spread(time), time[:, None]
        guess = column * self.deviation.square() / spread.square() * noisy
        return (latents - guess) * spread / (self.deviation * (1 - column))


def wavelengths(like: Tensor) -> Tensor:
    """The frequencies that a time is told by."""
    steps = torch.arange(_FREQUENCIES, dtype=like.dtype, device=like.device)
    return torch.exp(-math.log(10000) * steps / _FREQUENCIES)


def mask_of(words: Tensor) -> Tensor:
    """Which places of a table of words hold one."""
    return words != NOTHING
