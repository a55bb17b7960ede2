"""From a prompt to pixels: which words count, which style, the way from noise to a picture, eight bits.

Knows nothing of requests or files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.sprite import chance, weights
from engines.sprite.bilateral import filtered
from engines.sprite.network import Floats, Network
from engines.sprite.sharpener import PREFIX, Sharpener
from engines.sprite.words import LONGEST, Words
from engines.stock import dice

SIDE: Final = 32
STYLES: Final = ("painted", "glossy", "flat", "cartoon", "classic", "simple", "soft", "naive", "outlined")
CURVE: Final = 1.5
"""Steps are short at first, where it is settled what a picture shows."""
GUIDED: Final = 0.6
"""Until when guidance leads. By then all but detail is settled, and led further it would be too strong: the
later components came out 1.7 times as large as in the drawings, as grain."""
_FAINTEST: Final = 0.12
_FIRMEST: Final = 0.88
"""Alpha below and above which a pixel is clear or opaque: the edges of what was learned are soft."""


_ALIKE: Final = 0.5
"""Cosine of two words from which on one may stand for the other: chateau for castle (0.56), a mansion for a
house (0.66), but no tome for an ogre (0.36)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to draw."""

    prompt: str
    seed: int
    style: str = "auto"
    guidance: float = 2.5
    steps: int = 24


class Painter:
    """Weights and words, read once."""

    def __init__(self, path: Path, words: Words | None = None) -> None:
        held = weights.read(path)
        self.version = held.about["version"]
        self.words = words or Words()
        self.network = Network(held.tensors)
        self._mean, self._basis = held.tensors["components.mean"], held.tensors["components.basis"]
        self._back = held.tensors["components.back"]
        vocabulary = held.tensors["vocabulary"].tolist()
        self._own = {word: number for number, word in enumerate(vocabulary, 1)}
        self._habits = held.tensors["habits"]
        self._things = [vocabulary[row] for row in np.flatnonzero(self._habits.any(axis=1))]
        sharp = any(name.startswith(PREFIX) for name in held.tensors)
        self._sharpen = Sharpener(held.tensors) if sharp else None
        self._silence = self.network.condition(np.zeros((0, 1)), (), self.network.styles)

    def read(self, prompt: str) -> tuple[list[int], list[int]]:
        """The words that are drawn, and those that were too many."""
        words = self.words.read(prompt)
        return words[-LONGEST:], words[:-LONGEST]

    def learned(self, words: list[int]) -> bool:
        """Whether the word that names the thing is one that training knew."""
        return words[-1] in self._own

    def thing(self, prompt: str) -> str:
        """What names the thing: the last known word, else all of `prompt`."""
        words, _ = self.read(prompt)
        return self.words.words[words[-1]] if words else prompt

    def stand_in(self, words: list[int]) -> int | None:
        """The known thing that is drawn where the last of `words`, which names it, was never learned.

        By its vector alone such a word gave a dark blob: what training saw of such vectors is one in ten.
        None where the word was learned, or no thing is near enough.
        """
        if not words or self.learned(words) or not self._things:
            return None
        vectors = self.words.vectors
        near = vectors[self._things].astype(np.float64) @ vectors[words[-1]].astype(np.float64)
        # Rounded, so that the last bits of a sum, which differ by CPU, choose nothing.
        alike = np.round(near / vectors.shape[1], 6)
        best = int(np.argmax(alike))
        return self._things[best] if alike[best] >= _ALIKE else None

    def style(self, words: list[int], seed: int) -> str:
        """The one that `seed` chooses among those that the thing is known in; else the first."""
        for word in reversed(words):
            if word in self._own:
                known = np.flatnonzero(self._habits[self._own[word] - 1])
                if known.size:
                    return STYLES[dice.pick(seed, "style", known.tolist())]
        return STYLES[0]

    def latents(self, wish: Wish) -> Floats:
        """(latents,): a picture as the network thinks of it."""
        words, _ = self.read(wish.prompt)
        if (other := self.stand_in(words)) is not None:
            words = [*words[:-1], other]
        style = self.style(words, wish.seed) if wish.style == "auto" else wish.style
        asked = self.network.condition(
            self.words.vectors[words].astype(np.float64),
            [self._own.get(word, 0) for word in words],
            STYLES.index(style),
        )
        conditions = np.stack([asked, self._silence])
        state = noise(wish.seed, self.thing(wish.prompt), len(self.network.deviation))
        times = (np.arange(wish.steps + 1) / wish.steps) ** CURVE
        for step in range(wish.steps):
            now, after = float(times[step]), float(times[step + 1])
            led = conditions if now <= GUIDED else conditions[:1]
            clean = self.network.clean(state, now, led, wish.guidance)
            state = state + (after - now) * (clean - state) / (1 - now)
        return state

    def draw(self, wish: Wish) -> NDArray[np.uint8]:
        """(32, 32, 4): colours not multiplied by alpha; clear pixels are black."""
        flat = self._basis @ self.latents(wish) + self._mean
        picture = flat.reshape(SIDE, SIDE, 4) @ self._back
        return eight_bits(filtered(self._sharpen(picture) if self._sharpen else picture))


def noise(seed: int, thing: str, size: int) -> Floats:
    """(size,): what a picture of `thing` begins with.

    Each thing has noise of its own, for noise that suits a sword may spoil an axe; a red sword and a blue
    one have the same, and come out alike.
    """
    state: Floats = chance.normals(seed, f"sprite {thing}", size) * calm(size)
    return state


def calm(size: int) -> Floats:
    """How large the noise of each component is that a picture begins with.

    The first decide what it shows, and are left as they were trained. Of the later ones little noise is
    enough: what is not learned of them stays in the picture as grain.
    """
    place = np.arange(size) / size
    result: Floats = 0.3 + 0.7 / (1 + np.exp((place - 0.35) * 10))
    return result


def eight_bits(picture: Floats) -> NDArray[np.uint8]:
    """Colours times alpha and alpha, about 0 to 1, as what a file holds; faint pixels are none."""
    alpha = picture[..., 3:]
    firm = np.clip((alpha - _FAINTEST) / (_FIRMEST - _FAINTEST), 0, 1)
    color = np.clip(picture[..., :3] / np.maximum(alpha, 0.08), 0, 1)
    result = np.round(np.concatenate([color, firm], axis=-1) * 255).astype(np.uint8)
    result[result[..., 3] == 0] = 0
    return result
