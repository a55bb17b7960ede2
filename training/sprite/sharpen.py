"""The sharpener: `python -m training.sprite.sharpen DATA RUN [--steps N]`.

Components blur what they show: a few hundred numbers have no room for every edge, and what the model is not
sure of it leaves out. This small convolutional network was shown what things look like before they were
blurred so. It is trained on the training set alone, beside the model, with the components of RUN's
checkpoint; it goes on where it stopped. `RUN/sharpener.pt` holds it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from training.sprite import captions, dataset, latents
from training.sprite.train import load, save

_NAME: Final = "sharpener.pt"
_LOG_STEPS: Final = 50
_BLUNT: Final = 0.2
"""The share of the components that are hardly ever missing."""


class Sharpener(nn.Module):
    """(N, 4, 32, 32) pictures, colours times alpha, to sharper ones: 2 by 2 pixels are one place."""

    def __init__(self, width: int = 32, depth: int = 2) -> None:
        super().__init__()
        self.enter = nn.Conv2d(16, width, 3, padding=1)
        self.inner = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2 * depth))
        self.leave = nn.Conv2d(width, 16, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.get_parameter("bias"))

    def forward(self, pictures: Tensor) -> Tensor:
        """The pictures, mended."""
        hidden = self.enter(functional.pixel_unshuffle(pictures, 2))
        for number in range(0, len(self.inner), 2):
            first, second = self.inner[number], self.inner[number + 1]
            hidden = hidden + second(functional.silu(first(functional.silu(hidden))))
        mended = self.leave(functional.silu(hidden))
        return pictures + functional.pixel_shuffle(mended, 2)


def blunted(
    exact: NDArray[np.float32], deviation: NDArray[np.float32], random: np.random.Generator
) -> NDArray[np.float32]:
    """Latents as a model might draw them: the later ones fainter, or gone; all of them a bit off."""
    count, size = exact.shape
    number = np.arange(size, dtype=np.float32)
    ends = random.uniform(_BLUNT * size, 2 * size, (count, 1))
    kept = 1 / (1 + np.exp((number - ends) * 16 / size))
    off = random.uniform(0, 0.35, (count, 1)) * deviation
    return np.asarray(exact * kept + off * random.standard_normal(exact.shape), np.float32)


def loss(mended: Tensor, right: Tensor) -> Tensor:
    """How far off pixels are, and the steps between them."""
    apart = mended - right
    steps = apart.diff(dim=2).abs().mean() + apart.diff(dim=3).abs().mean()
    return apart.abs().mean() + 0.5 * steps


def tensor(pictures: NDArray[np.floating[Any]]) -> Tensor:
    """(N, 32, 32, 4) as what torch convolves."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32))


def train(folder: Path, run: Path, steps: int, batch: int = 64, rate: float = 2e-3) -> float:
    """Train for `steps`, the last half with a falling rate; the mean loss of the last fifty."""
    state = load(run / "checkpoint.pt")
    components = latents.Components(**state["components"])
    data = dataset.load(folder)
    pictures = data.pictures[~captions.held_out(data.captions)]
    sharpener = Sharpener()
    kept: dict[str, Any] = load(run / _NAME) if (run / _NAME).exists() else {"step": 0}
    if kept["step"]:
        sharpener.load_state_dict(kept["sharpener"])
    random = np.random.default_rng(kept["step"])
    optimizer = torch.optim.AdamW(sharpener.parameters(), lr=rate, weight_decay=1e-4)
    recent: list[float] = []
    for step in range(steps):
        right = pictures[random.integers(len(pictures), size=batch)]
        dull = components.decode(blunted(components.encode(right), components.deviation, random))
        error = loss(sharpener(tensor(dull)), tensor(right.astype(np.float32) / 255))
        optimizer.zero_grad()
        error.backward()  # type: ignore[no-untyped-call]
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 50, 2 * (1 - step / steps))
        optimizer.step()
        recent = [*recent[1 - _LOG_STEPS :], error.item()]
        if (step + 1) % _LOG_STEPS == 0:
            _keep(sharpener, kept["step"] + step + 1, run)
            line = {"step": kept["step"] + step + 1, "loss": round(float(np.mean(recent)), 5)}
            with (run / "sharpener.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(line | {"time": int(time.time())}) + "\n")
    _keep(sharpener, kept["step"] + steps, run)
    return float(np.mean(recent))


def _keep(sharpener: Sharpener, step: int, run: Path) -> None:
    save({"sharpener": sharpener.state_dict(), "step": step}, run / _NAME)


def read(run: Path) -> Sharpener | None:
    """The sharpener of `run`, if there is one."""
    if not (run / _NAME).exists():
        return None
    sharpener = Sharpener()
    sharpener.load_state_dict(load(run / _NAME)["sharpener"])
    return sharpener.eval()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the sharpener of a run, or go on training it.")
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=1000)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(train(given.data, given.run, given.steps))


if __name__ == "__main__":
    main()
