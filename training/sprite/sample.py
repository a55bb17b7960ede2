"""Draws with a trained model in torch, many prompts at once, and puts pictures on a sheet.

What ships draws in numpy; this is what trials use while training goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from engines.sprite.bilateral import filtered
from engines.sprite.painter import CURVE, GUIDED, noise
from engines.sprite.words import NOTHING, Words, table
from engines.stock import dice
from training.sprite import latents, sharpen
from training.sprite.drawings import STYLES
from training.sprite.material import Reader
from training.sprite.model import Flow, Sizes
from training.sprite.sharpen import Sharpener

STEPS: Final = 24
_GROUND: Final = (70, 70, 80, 255)


class Sampler:
    """A model that draws."""

    def __init__(
        self, state: dict[str, Any], words: Words | None = None, sharpener: Sharpener | None = None
    ) -> None:
        self.sharpener = sharpener
        self.words = words or Words()
        self.components = latents.Components(**state["components"])
        self.flow = Flow(Sizes(**state["sizes"]), torch.from_numpy(self.components.deviation)).eval()
        self.flow.load_state_dict(state["mean"])
        vocabulary = state["vocabulary"].numpy()
        self.reader = Reader(self.words.vectors, vocabulary)
        self.habits = dict(zip(vocabulary.tolist(), state["habits"].numpy(), strict=True))

    def latents(
        self, prompts: Sequence[str], seed: int, *, style: str = "", steps: int = STEPS, guidance: float = 2.5
    ) -> NDArray[np.float32]:
        """(prompts, dimensions): from the very noise that the engine begins with."""
        read = [self.words.read(prompt) for prompt in prompts]
        styles = [STYLES.index(style) if style else self.usual(words, seed) for words in read]
        things = [
            self.words.words[words[-1]] if words else prompt
            for words, prompt in zip(read, prompts, strict=True)
        ]
        size = self.flow.sizes.latents
        begun = np.stack([noise(seed, thing, size) for thing in things]).astype(np.float32)
        return self._finished(begun, table(read), np.array(styles), _times(steps), guidance)

    @torch.no_grad()
    def _finished(
        self,
        begun: NDArray[np.float32],
        words: NDArray[np.int64],
        styles: NDArray[np.int64],
        times: Tensor,
        guidance: float,
    ) -> NDArray[np.float32]:
        said = self.flow.condition(*self.reader(words), torch.from_numpy(styles))
        nothing = torch.full((len(begun),), len(STYLES))
        silent = self.flow.condition(*self.reader(np.full_like(words, NOTHING)), nothing)
        state = torch.from_numpy(begun)
        for now, after in pairwise(times):
            column = now.expand(len(state))
            asked = self.flow.residual(state, column, said)
            if now <= GUIDED:
                plain = self.flow.residual(state, column, silent)
                asked = plain + guidance * (asked - plain)
            clean = self.flow.clean(state, column, asked)
            state = state + (after - now) * (clean - state) / (1 - now)
        result: NDArray[np.float32] = state.numpy()
        return result

    def usual(self, words: Sequence[int], seed: int) -> int:
        """The style that `seed` chooses among those that the thing is known in; else the first."""
        for word in reversed(words):
            known = np.flatnonzero(self.habits.get(word, np.zeros(1)))
            if known.size:
                return int(dice.pick(seed, "style", known.tolist()))
        return 0

    def draw(self, prompts: Sequence[str], seed: int, **choices: Any) -> NDArray[np.uint8]:  # noqa: ANN401 - those of `latents`
        """(prompts, 32, 32, 4): colours times alpha."""
        pictures = self.components.decode(self.latents(prompts, seed, **choices))
        if self.sharpener:
            with torch.no_grad():
                pictures = self.sharpener(sharpen.tensor(pictures)).permute(0, 2, 3, 1).numpy()
        return whole(filtered(pictures.astype(np.float64)))


def _times(steps: int) -> Tensor:
    return torch.linspace(0, 1, steps + 1) ** CURVE


def whole(pictures: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Eight bits; faint pixels are none, and nearly opaque ones opaque."""
    alpha = pictures[..., 3:]
    firm = np.clip((alpha - 0.12) / 0.76, 0, 1)
    color = np.clip(pictures[..., :3] / np.maximum(alpha, 0.08), 0, 1) * firm
    return np.round(np.concatenate([color, firm], axis=-1) * 255).astype(np.uint8)


def sheet(
    pictures: NDArray[np.uint8], columns: int, labels: Sequence[str] = (), enlarged: int = 2
) -> Image.Image:
    """A contact sheet of pictures whose colours are multiplied by alpha."""
    side = 32 * enlarged + 6
    height = side + (11 if labels else 0)
    image = Image.new("RGBA", (columns * side, -(-len(pictures) // columns) * height), _GROUND)
    pen = ImageDraw.Draw(image)
    for number, picture in enumerate(pictures):
        left, top = number % columns * side, number // columns * height
        one = Image.frombytes("RGBa", (32, 32), picture.tobytes()).convert("RGBA")
        image.alpha_composite(
            one.resize((32 * enlarged, 32 * enlarged), Image.Resampling.NEAREST), (left + 3, top + 3)
        )
        if labels:
            pen.text((left + 3, top + side - 2), labels[number][:12], fill=(230, 230, 230, 255))
    return image.convert("RGB")


def load(path: Path) -> Sampler:
    """The sampler of a checkpoint, with its run's sharpener."""
    state: dict[str, Any] = torch.load(path, weights_only=False)
    return Sampler(state, sharpener=sharpen.read(path.parent))
