"""The judge of trials: a small network that says which of the nouns a picture shows.

It learns from the training set, without the sets that are held out for measuring how good a judge it is.
Knows nothing of the model that it judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.sprite.dataset import Caption, Dataset

NOUNS: Final = tuple(Path(__file__).with_name("nouns.txt").read_text(encoding="utf-8").split("\n")[:-1])
"""The 300 nouns, written down before anything was trained."""
HELD_OUT: Final = ("simple", "outlined")
"""The styles that the judge never sees; its accuracy on them is how far it can be trusted."""
_SHIFT: Final = 3


def noun_of(caption: Caption) -> int:
    """The number of the noun that a picture shows, or -1.

    The whole name or an alias decides; else the last word of the name does, in which "sword" is both
    "broken sword" and "swords"; else a keyword, if there is just one: a "ewe" is a sheep.
    """
    known = {noun: number for number, noun in enumerate(NOUNS)}
    for name in (caption.name, *caption.aliases):
        if name in known:
            return known[name]
    last = caption.name.rpartition(" ")[2]
    if last in known or last.removesuffix("s") in known:
        return known.get(last, known.get(last.removesuffix("s"), -1))
    told = known.keys() & {*caption.keywords}
    return known[told.pop()] if len(told) == 1 else -1


class Judge(nn.Module):
    """A convolutional network over (N, 4, 32, 32) pictures, colours times alpha."""

    def __init__(self, classes: int = len(NOUNS), width: int = 32) -> None:
        super().__init__()
        widths = (4, width, 2 * width, 3 * width, 4 * width)
        layers: list[nn.Module] = []
        for number, (inward, outward) in enumerate(pairwise(widths)):
            stride = 2 if number != 2 else 1  # noqa: PLR2004 - one stage looks twice at one scale
            layers += [
                nn.Conv2d(inward, outward, 5 if number == 0 else 3, stride, padding=2 if number == 0 else 1),
                nn.BatchNorm2d(outward),
                nn.SiLU(),
            ]
        self.features = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3))
        self.classify = nn.Linear(widths[-1] * 16, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, classes) scores."""
        result: Tensor = self.classify(self.features(pictures))
        return result


def tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures as `Judge` takes them."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


@dataclass(frozen=True, slots=True)
class Lessons:
    """Pictures and nouns to learn from, and some to be examined with."""

    pictures: Tensor
    nouns: Tensor
    exam: Tensor
    answers: Tensor


def lessons(data: Dataset) -> Lessons:
    """Those pictures of `data` that show a noun; in the exam, in their own colours only."""
    nouns = np.array([noun_of(caption) for caption in data.captions])
    unseen = np.array([caption.style in HELD_OUT for caption in data.captions])
    own = np.array([not caption.color for caption in data.captions])
    learnt, asked = (nouns >= 0) & ~unseen, (nouns >= 0) & unseen & own
    return Lessons(
        tensor(data.pictures[learnt]),
        torch.from_numpy(nouns[learnt]),
        tensor(data.pictures[asked]),
        torch.from_numpy(nouns[asked]),
    )


def altered(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Mirrored, moved by a few pixels, and in other colours, at random."""
    count = len(pictures)
    mirrored = torch.rand(count, generator=random) < 0.5  # noqa: PLR2004 - half of them
    pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
    down, right = (torch.randint(-_SHIFT, _SHIFT + 1, (count,), generator=random) for _ in range(2))
    rows = (torch.arange(32)[None] + down[:, None]) % 32
    columns = (torch.arange(32)[None] + right[:, None]) % 32
    pictures = pictures.gather(2, rows[:, None, :, None].expand(-1, 4, -1, 32))
    pictures = pictures.gather(3, columns[:, None, None, :].expand(-1, 4, 32, -1))
    orders = torch.stack([torch.randperm(3, generator=random) for _ in range(count)])
    kept = torch.rand(count, generator=random) < 0.7  # noqa: PLR2004 - most keep their colours
    orders = torch.where(kept[:, None], torch.arange(3), orders)
    color = pictures[:, :3].gather(1, orders[:, :, None, None].expand(-1, -1, 32, 32))
    return torch.cat([color, pictures[:, 3:]], dim=1)


def train(data: Dataset, steps: int, batch: int = 256, seed: int = 0) -> Judge:
    """A judge that has seen `steps` batches, every noun equally often."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    taught = lessons(data)
    shares = 1 / torch.bincount(taught.nouns, minlength=len(NOUNS))[taught.nouns].float().sqrt()
    judge = Judge()
    optimizer = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.05)
    falling = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for _ in range(steps):
        chosen = torch.multinomial(shares, batch, replacement=True, generator=random)
        scores = judge(altered(taught.pictures[chosen], random))
        loss = nn.functional.cross_entropy(scores, taught.nouns[chosen], label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        falling.step()
    return judge.eval()


@torch.no_grad()
def ranks(judge: Judge, pictures: Tensor, nouns: Tensor) -> NDArray[np.int64]:
    """How many nouns the judge finds likelier than the right one; it looks at both sides."""
    scores = judge(pictures) + judge(pictures.flip(3))
    right = scores.gather(1, nouns[:, None])
    result: NDArray[np.int64] = (scores > right).sum(dim=1).numpy()
    return result


def examined(judge: Judge, data: Dataset) -> tuple[float, float]:
    """Shares of the held out pictures that the judge names at first, and among five."""
    taught = lessons(data)
    found = ranks(judge, taught.exam, taught.answers)
    return float((found == 0).mean()), float((found < 5).mean())  # noqa: PLR2004 - among five


def known(data: Dataset) -> Sequence[int]:
    """The nouns that the judge learns at least one picture of: of the others it can't say a word."""
    return sorted({int(noun) for noun in lessons(data).nouns.tolist()})


def write(judge: Judge, path: Path) -> None:
    """Keep a judge."""
    torch.save(judge.state_dict(), path)


def read(path: Path) -> Judge:
    """A kept judge."""
    state: dict[str, Any] = torch.load(path, weights_only=True)
    judge = Judge()
    judge.load_state_dict(state)
    return judge.eval()
