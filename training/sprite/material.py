"""What is learned: how to train, the training set as the model takes it, and words as it reads them.

Knows nothing of weights or steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.sprite.words import Words
from training.sprite import captions, dataset, latents
from training.sprite.model import Sizes, mask_of


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train."""

    batch: int = 512
    rate: float = 1e-3
    warm: int = 400
    memory: float = 0.999
    """Of the running mean of the weights."""
    forget: float = 0.1
    """How often a word is read by its vector alone."""
    middle: float = -0.7
    """About which time is trained most, as its logit: what a picture shows is settled early."""
    emphasis: float = 1.0
    """The power of a component's deviation by which its error counts: with 0, fine detail most of all."""
    plain: float = 0.0
    """The share of lessons that say one word, the whole name of what is shown: for the last steps, so that a
    plain noun is one clear picture and not a mixture of all that it is a part of."""
    seed: int = 0


class Material:
    """The training set as the model takes it."""

    def __init__(
        self, folder: Path, sizes: Sizes, plan: Plan, components: latents.Components | None = None
    ) -> None:
        data = dataset.load(folder)
        held = captions.held_out(data.captions)
        kept = [caption for caption, out in zip(data.captions, held, strict=True) if not out]
        pictures = data.pictures[~held]
        own = np.array([not caption.color for caption in kept])
        self.words = Words()
        self.sayings = captions.sayings(kept, self.words)
        self.vocabulary = captions.vocabulary(self.sayings, sizes.words)
        self.components = components or latents.fit(pictures[own], sizes.latents)
        self.latents = torch.from_numpy(self.components.encode(pictures))
        self.plain = captions.plain(kept, self.words)
        self.styles = np.array([said.style for said in self.sayings])
        self.share = plan.plain
        weights = captions.weights(kept)
        self.ends = np.cumsum(weights / weights.sum())
        self.random = np.random.default_rng(plan.seed)
        self.speaker = captions.Speaker(self.sayings, self.random)
        self.reader = Reader(self.words.vectors, self.vocabulary)

    def batch(self, size: int) -> tuple[Tensor, NDArray[np.int64], NDArray[np.int64]]:
        """Latents, words, styles."""
        least = round(size * self.share)
        chosen = np.searchsorted(self.ends, self.random.random(size - least)).clip(0, len(self.ends) - 1)
        words, styles = self.speaker.say(chosen)
        if least:
            plain, said = self.plain.lessons(least, self.random)
            chosen, words = np.concatenate([chosen, plain]), np.concatenate([words, said])
            styles = np.concatenate([styles, self.styles[plain]])
        return self.latents[torch.from_numpy(chosen)], words, styles


class Reader:
    """Words' numbers as what `Flow.condition` takes."""

    def __init__(self, vectors: NDArray[np.float32], vocabulary: NDArray[np.int64]) -> None:
        self.vectors = torch.from_numpy(vectors)
        own = np.zeros(len(vectors), np.int64)
        own[vocabulary] = np.arange(1, len(vocabulary) + 1)
        self.own = torch.from_numpy(own)

    def __call__(self, words: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """(N, LONGEST) to vectors, numbers of own weights, and where there is a word."""
        table = torch.from_numpy(words)
        mask = mask_of(table)
        known = table.clamp(min=0)
        return self.vectors[known], self.own[known] * mask, mask
