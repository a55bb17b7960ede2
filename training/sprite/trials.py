"""The trials: `python -m training.sprite.trials CHECKPOINT DATA OUT [--judge FILE] [--style STYLE]`.

Writes `OUT/trials.json`, the contact sheet `OUT/nouns.png` with the 300 nouns in 15 rows of 20, and
`OUT/nouns-unnamed.png` for a person who is to name them; the sheet of colours; with `--stock` also
the numbers and sheets of the engine `stock`. What each number means, the functions say.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from engines.protocol import EngineError, Request
from engines.stock.choose import choose
from engines.stock.draw import draw
from training.sprite import captions, dataset, hues, judge, sample
from training.sprite import pictures as pictures_of
from training.sprite.judge import NOUNS, Judge

Pictures = NDArray[np.uint8]
Drawer = Callable[[Sequence[str], int], Pictures]
"""Prompts and a seed to (N, 32, 32, 4) pictures, colours times alpha."""

_SEEDS: Final = (1, 2, 3, 4)
_COLORS: Final = ("red", "green", "blue", "gold", "purple", "white")
_COLORED: Final = tuple("sword potion shield gem dragon hat key fish flower car slime book".split())  # noqa: SIM905 - a list of words reads better
_TOP: Final = 5


def named(drawer: Drawer, referee: Judge, nouns: Sequence[int]) -> dict[str, float]:
    """(a) How often the judge names a picture of a noun at first, and among five; four seeds each."""
    prompts = [NOUNS[noun] for noun in nouns]
    found = np.concatenate(
        [judge.ranks(referee, judge.tensor(drawer(prompts, seed)), torch.tensor(nouns)) for seed in _SEEDS]
    )
    return {"top 1": float((found == 0).mean()), f"top {_TOP}": float((found < _TOP).mean())}


def pairs(sampler: sample.Sampler, data: dataset.Dataset) -> dict[str, float]:
    """(b) Things never seen in this style, drawn in it: how much nearer to the one held out than another is.

    `near` is the share of pairs where the held out picture is nearer to what was drawn than three in four
    of the other held out pictures of the same style.
    """
    out = captions.held_out(data.captions) & np.array([not caption.color for caption in data.captions])
    wins: list[float] = []
    for style in sorted({data.captions[number].style for number in np.flatnonzero(out)}):
        numbers = [int(number) for number in np.flatnonzero(out) if data.captions[number].style == style]
        drawn = sampler.draw([data.captions[number].name for number in numbers], 1, style=style)
        apart = distances(drawn, data.pictures[numbers])
        own = np.diag(apart)[:, None]
        wins += (apart > own).mean(axis=1).tolist()
    return {
        "pairs": len(wins),
        "nearer than others": float(np.mean(wins)),
        "near": float(np.mean(np.array(wins) > 0.75)),  # noqa: PLR2004 - three in four
    }


def distances(some: Pictures, others: Pictures) -> NDArray[np.float64]:
    """(some, others): root of the mean square of the differences, 0 to 1."""
    left, right = (
        pictures.reshape(len(pictures), -1).astype(np.float32) / 255 for pictures in (some, others)
    )
    squares = (left**2).sum(1)[:, None] + (right**2).sum(1) - 2 * left @ right.T
    result: NDArray[np.float64] = np.sqrt(np.maximum(squares, 0) / left.shape[1]).astype(np.float64)
    return result


def colors(drawer: Drawer) -> dict[str, float]:
    """(c) How much of what is drawn for "red sword" is red, by colour, over a dozen nouns and four seeds."""
    return {
        color: float(
            np.mean(
                [
                    hues.share(picture, color)
                    for seed in _SEEDS
                    for picture in drawer([f"{color} {noun}" for noun in _COLORED], seed)
                ]
            )
        )
        for color in _COLORS
    }


def sharpness(pictures: Pictures) -> dict[str, float]:
    """(d) How steep the edges are, how much is half transparent, and how many colours there are."""
    values = pictures.astype(np.float64) / 255
    steps = np.abs(np.diff(values, axis=1)).max(axis=-1)
    alpha = values[..., 3]
    seen = [len(np.unique(picture[picture[..., 3] > 127] >> 4, axis=0)) for picture in pictures]  # noqa: PLR2004 - half opaque
    return {
        "steep edges": float((steps > 0.25).mean()),  # noqa: PLR2004 - a quarter of the range
        "small steps": float(((steps > 0.02) & (steps < 0.1)).mean()),  # noqa: PLR2004 - what grain is made of
        "fog": float(((alpha > 0.1) & (alpha < 0.6)).mean()),  # noqa: PLR2004 - neither there nor not
        "colors": float(np.mean(seen)),
    }


def diversity(drawer: Drawer, nouns: Sequence[str]) -> float:
    """(e) The mean distance between pictures of a noun by different seeds."""
    several = np.stack([drawer(nouns, seed) for seed in _SEEDS], axis=1)
    over = np.triu_indices(len(_SEEDS), 1)
    return float(np.mean([distances(one, one)[over].mean() for one in several]))


def nearest(pictures: Pictures, data: dataset.Dataset) -> dict[str, float]:
    """(f) The distance to the nearest picture of the training set, itself or mirrored: quartiles."""
    least = np.minimum(
        distances(pictures, data.pictures).min(axis=1),
        distances(pictures[:, :, ::-1], data.pictures).min(axis=1),
    )
    low, middle, high = np.percentile(least, (25, 50, 75))
    return {"quarter": float(low), "median": float(middle), "three quarters": float(high)}


def stock(prompts: Sequence[str], seed: int) -> Pictures:
    """The engine `stock` as a drawer; what it finds nothing for stays empty."""
    library, searcher = pictures_of.stock()
    drawn = np.zeros((len(prompts), 32, 32, 4), np.uint8)
    for place, prompt in zip(drawn, prompts, strict=True):
        request = Request(
            id=prompt,
            asset=prompt,
            output="",
            prompt=prompt,
            seed=seed,
            size=(32, 32),
            parameters={"shadow": "none", "padding": 3},
        )
        try:
            choice = choose(searcher, library.icons, request)
        except EngineError:
            continue
        straight = draw(choice.icon, library.body(choice.icon), choice.look, (32, 32)).astype(np.int32)
        place[..., :3] = (straight[..., :3] * straight[..., 3:] + 127) // 255
        place[..., 3] = straight[..., 3]
    return drawn


def report(drawer: Drawer, referee: Judge, data: dataset.Dataset) -> dict[str, Any]:
    """Every number that needs no more than a drawer."""
    known = judge.known(data)
    drawn = drawer(NOUNS, _SEEDS[0])
    return {
        "named": named(drawer, referee, known),
        "nouns the judge knows": len(known),
        "colors": colors(drawer),
        "sharpness": sharpness(drawn),
        "diversity": diversity(drawer, NOUNS),
        "nearest": nearest(drawn, data),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Try a trained sprite model.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--judge", type=Path, help="a kept judge; trained and kept there if missing")
    parser.add_argument("--lessons", type=int, default=800)
    parser.add_argument("--style", default="")
    parser.add_argument("--guidance", type=float, default=2.5)
    parser.add_argument("--stock", action="store_true", help="the same of the engine `stock`")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    data = dataset.load(given.data)
    kept = given.judge or given.out / "judge.pt"
    if not kept.exists():
        judge.write(judge.train(data, given.lessons), kept)
    referee = judge.read(kept)
    sampler = sample.load(given.checkpoint)

    def drawer(prompts: Sequence[str], seed: int) -> Pictures:
        return sampler.draw(prompts, seed, style=given.style, guidance=given.guidance)

    first, five = judge.examined(referee, data)
    numbers = {
        "judge on styles it never saw": {"top 1": first, f"top {_TOP}": five},
        "sprite": report(drawer, referee, data),
        "pairs held out": pairs(sampler, data),
        "training pictures": sharpness(data.pictures[:: max(1, len(data.pictures) // 2000)]),
    }
    if given.stock:
        numbers["stock"] = report(stock, referee, data)
    (given.out / "trials.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    for name, drawn in (("nouns", drawer), ("stock", stock))[: 2 if given.stock else 1]:
        pictures = drawn(NOUNS, _SEEDS[0])
        sample.sheet(pictures, 20, NOUNS).save(given.out / f"{name}.png")
        sample.sheet(pictures, 20).save(given.out / f"{name}-unnamed.png")
    asked = [f"{color} {noun}" for noun in _COLORED for color in _COLORS]
    sample.sheet(drawer(asked, _SEEDS[0]), 12, asked).save(given.out / "colors.png")


if __name__ == "__main__":
    main()
