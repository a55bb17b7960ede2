from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sprite_kit as kit
import torch

from training.sprite import dataset, latents, sample, sharpen
from training.sprite.material import Material, Plan
from training.sprite.train import Run, load, save


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that just began, beside its training set in `data`."""
    dataset.write(kit.dataset(), tmp_path / "data")
    plan = Plan(batch=16, warm=4)
    begun = Run(Material(tmp_path / "data", kit.SMALL, plan), kit.SMALL, plan)
    begun.advance(1e-3)
    (tmp_path / "run").mkdir()
    save(begun.state(), tmp_path / "run" / "checkpoint.pt")
    return tmp_path / "run"


def test_a_new_sharpener_leaves_everything_as_it_is() -> None:
    pictures = sharpen.tensor(kit.dataset().pictures.astype(np.float32) / 255)
    assert torch.equal(sharpen.Sharpener()(pictures), pictures)


def test_a_trained_one_brings_edges_back_and_goes_on_where_it_stopped(run: Path) -> None:
    data = run.parent / "data"
    first = sharpen.train(data, run, 20, batch=16)
    second = sharpen.train(data, run, 100, batch=16)
    assert second < first
    assert load(run / "sharpener.pt")["step"] == 120
    components = latents.Components(**load(run / "checkpoint.pt")["components"])
    right = kit.dataset().pictures
    random = np.random.default_rng(7)
    dull = components.decode(sharpen.blunted(components.encode(right), components.deviation, random))
    sharpener = sharpen.read(run)
    assert sharpener is not None
    exact = sharpen.tensor(right.astype(np.float32) / 255)
    with torch.no_grad():
        before = sharpen.loss(sharpen.tensor(dull), exact)
        assert sharpen.loss(sharpener(sharpen.tensor(dull)), exact) < before


def test_a_sampler_uses_the_sharpener_of_its_run(run: Path) -> None:
    plain = sample.load(run / "checkpoint.pt").draw(["sword"], 1)
    sharpen.train(run.parent / "data", run, 20, batch=16)
    assert not np.array_equal(sample.load(run / "checkpoint.pt").draw(["sword"], 1), plain)


def test_blunted_latents_lose_their_last_components_most() -> None:
    exact = np.ones((400, 256), np.float32)
    found = sharpen.blunted(exact, np.zeros(256, np.float32), np.random.default_rng(0))
    assert found[:, 0].min() > 0.9
    assert found[:, 255].mean() < found[:, 128].mean() < 1
    assert (np.diff(found.mean(axis=0)) <= 0).all()
