from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import sprite_kit as kit
import torch
from PIL import Image

from training.sprite import judge, sample, trials
from training.sprite.dataset import Caption, Dataset
from training.sprite.train import save


def caption(name: str, *aliases: str, style: str = "flat") -> Caption:
    return Caption(f"x/{name}", style, name, aliases, (), "")


def test_there_are_three_hundred_nouns() -> None:
    assert len(judge.NOUNS) == len(set(judge.NOUNS)) == 300


@pytest.mark.parametrize(
    ("shown", "noun"),
    [
        (caption("sword"), "sword"),
        (caption("broken sword"), "sword"),
        (caption("crossed swords"), "sword"),
        (caption("round potion", "potion"), "potion"),
        (caption("magnifying glass tilted left", "magnifying glass"), "magnifying glass"),
        (caption("sword smith"), None),
        (Caption("x/ewe", "flat", "ewe", (), ("female", "sheep"), ""), "sheep"),
        (Caption("x/mage", "flat", "mage", (), ("witch", "wizard"), ""), None),
    ],
)
def test_a_caption_names_a_noun_or_none(shown: Caption, noun: str | None) -> None:
    assert judge.noun_of(shown) == (-1 if noun is None else judge.NOUNS.index(noun))


def test_the_judge_learns_from_some_styles_and_is_examined_in_others() -> None:
    data = kit.dataset()
    taught = judge.lessons(data)
    assert len(taught.exam) == len(kit.SHAPES)
    assert len(taught.pictures) == 3 * 3 * len(kit.SHAPES)
    assert judge.known(data) == sorted(judge.NOUNS.index(name) for name in kit.SHAPES)
    referee = judge.train(data, 25, batch=32)
    first, five = judge.examined(referee, data)
    assert first == five == 1.0


def test_altered_pictures_keep_their_size_and_matter() -> None:
    pictures = judge.tensor(kit.dataset().pictures)
    changed = judge.altered(pictures, torch.Generator().manual_seed(0))
    assert changed.shape == pictures.shape
    assert torch.allclose(changed.sum((1, 2, 3)), pictures.sum((1, 2, 3)), rtol=1e-4)
    assert not torch.equal(changed, pictures)


def test_distances_are_those_of_the_definition() -> None:
    data = kit.dataset().pictures
    apart = trials.distances(data[:3], data)
    assert apart.shape == (3, len(data))
    assert apart[1, 1] == pytest.approx(0, abs=1e-3)
    expected = np.sqrt((((data[0].astype(float) - data[5]) / 255) ** 2).mean())
    assert apart[0, 5] == pytest.approx(expected, abs=1e-3)


def test_the_nearest_picture_may_be_a_mirrored_one() -> None:
    data = kit.dataset()
    assert trials.nearest(data.pictures[:4, :, ::-1], data)["three quarters"] == pytest.approx(0, abs=1e-3)


def test_grain_fog_and_colors_are_seen() -> None:
    crisp = kit.dataset().pictures
    grainy = np.clip(crisp.astype(int) + np.random.default_rng(0).integers(-20, 20, crisp.shape), 0, 255)
    foggy = (crisp.astype(int) // 3).astype(np.uint8)
    plain, grain = trials.sharpness(crisp), trials.sharpness(grainy.astype(np.uint8))
    assert grain["small steps"] > 3 * plain["small steps"]
    assert grain["colors"] > plain["colors"]
    assert trials.sharpness(foggy)["fog"] > plain["fog"] + 0.2


def test_a_drawer_without_chance_has_no_diversity() -> None:
    data = kit.dataset()

    def same(prompts: Sequence[str], seed: int) -> trials.Pictures:
        del seed
        return data.pictures[: len(prompts)]

    def other(prompts: Sequence[str], seed: int) -> trials.Pictures:
        return np.roll(data.pictures, seed, axis=0)[: len(prompts)]

    assert trials.diversity(same, ["sword", "key"]) == pytest.approx(0, abs=1e-3)
    assert trials.diversity(other, ["sword", "key"]) > 0.1


def test_stock_draws_what_it_knows() -> None:
    drawn = trials.stock(["red sword", "xqzzyv"], 1)
    assert drawn[0, ..., 3].max() == 255
    assert not drawn[1].any()
    assert (drawn[..., :3] <= drawn[..., 3:]).all()


def test_a_sheet_has_a_place_for_each_picture() -> None:
    data = kit.dataset()
    image = sample.sheet(data.pictures[:7], 3, ["name"] * 7)
    assert image.size == (3 * 70, 3 * 81)
    assert len(Dataset(data.pictures[:2], data.captions[:2]).captions) == 2


def test_one_command_tries_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(kit.trained(tmp_path / "data", 60), tmp_path / "checkpoint.pt")
    words = [tmp_path / "checkpoint.pt", tmp_path / "data", tmp_path / "out", "--lessons", 20]
    monkeypatch.setattr("sys.argv", ["trials", *map(str, words)])
    trials.main()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "colors.png",
        "judge.pt",
        "nouns-unnamed.png",
        "nouns.png",
        "trials.json",
    }
    numbers = json.loads((tmp_path / "out" / "trials.json").read_text())
    assert numbers["judge on styles it never saw"]["top 1"] > 0.5
    assert numbers["sprite"]["nouns the judge knows"] == len(kit.SHAPES)
    assert set(numbers["sprite"]["colors"]) == {"red", "green", "blue", "gold", "purple", "white"}
    assert 0 < numbers["sprite"]["diversity"] < 1
    assert 0 < numbers["sprite"]["nearest"]["median"] < 1
    assert numbers["pairs held out"]["pairs"] > 0
    with Image.open(tmp_path / "out" / "nouns.png") as sheet:
        assert sheet.size == (20 * 70, 15 * 81)
