from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import sprite_kit as kit
import torch
from PIL import Image

from engines.protocol import Done, Failure, Request
from engines.sprite import chance, weights
from engines.sprite.bilateral import filtered
from engines.sprite.engine import Sprite, placed
from engines.sprite.painter import Painter, Wish, eight_bits, noise
from engines.sprite.sharpener import Sharpener
from engines.sprite.words import LONGEST
from training.sprite import sample, sharpen
from training.sprite.drawings import STYLES
from training.sprite.export import tensors


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return kit.trained(tmp_path_factory.mktemp("data"), 120)


@pytest.fixture(scope="module")
def painter(state: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Painter:
    path = tmp_path_factory.mktemp("weights") / "sprite.safetensors"
    weights.write(path, tensors(state), {"version": "7"})
    return Painter(path)


def request(prompt: str = "sword", **changes: Any) -> Request:
    values: dict[str, Any] = {"id": "a", "asset": "a", "output": "a.png", "seed": 1, "size": (32, 32)}
    return Request(prompt=prompt, **(values | changes))


def made(painter: Painter, *requests: Request) -> list[Done | Failure]:
    return list(Sprite(painter).render(requests, lambda *_: None))


def picture(path: Path) -> np.typing.NDArray[np.uint8]:
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        assert image.mode == "RGBA"
        return np.asarray(image)


def test_numpy_draws_what_torch_draws(state: dict[str, Any], painter: Painter) -> None:
    halved = dict(state)
    halved["mean"] = {name: value.half().float() for name, value in state["mean"].items()}
    sampler = sample.Sampler(halved)
    words = painter.read("red sword")[0]
    said = sampler.reader(np.array([[*words, *[-1] * (LONGEST - len(words))]]))
    with torch.no_grad():
        expected = sampler.flow.condition(*said, torch.tensor([2]))[0]
        condition = painter.network.condition(
            painter.words.vectors[words].astype(np.float64), said[1][0, : len(words)].tolist(), 2
        )
        assert np.allclose(condition, expected.numpy(), atol=1e-4)
        for moment in (0.0, 0.3, 0.9):
            noisy = torch.randn(1, kit.SMALL.latents)
            time = torch.tensor([moment])
            clean = sampler.flow.clean(noisy, time, sampler.flow.residual(noisy, time, expected[None]))
            found = painter.network.clean(
                noisy[0].double().numpy(), moment, np.stack([condition, condition]), 3.0
            )
            assert np.allclose(found, clean[0].numpy(), atol=1e-3)


def test_the_trials_draw_the_very_pictures_of_the_engine(state: dict[str, Any], painter: Painter) -> None:
    halved = dict(state)
    halved["mean"] = {name: value.half().float() for name, value in state["mean"].items()}
    sampler = sample.Sampler(halved)
    prompts = ["red sword", "gem", "old key", "xqzzyv"]
    drawn = sampler.draw(prompts, 3)
    for prompt, theirs in zip(prompts, drawn, strict=True):
        ours = painter.draw(Wish(prompt=prompt, seed=3)).astype(np.float64)
        ours[..., :3] *= ours[..., 3:] / 255
        assert np.abs(ours - theirs).max() <= 2


def test_each_thing_has_noise_of_its_own_and_keeps_it_in_every_colour(painter: Painter) -> None:
    begun = {
        prompt: noise(3, painter.thing(prompt), 8).tolist()
        for prompt in ("sword", "red sword", "gem", "xqzzyv")
    }
    assert begun["sword"] == begun["red sword"]
    assert len({tuple(values) for values in begun.values()}) == 3
    assert noise(4, "sword", 8).tolist() != begun["sword"]


def test_numpy_sharpens_as_torch_does() -> None:
    torch.manual_seed(0)
    theirs = sharpen.Sharpener(width=6).eval()
    torch.nn.init.normal_(theirs.leave.weight)
    held = {f"sharpener.{name}": value.double().numpy() for name, value in theirs.state_dict().items()}
    picture = torch.rand(1, 4, 32, 32)
    with torch.no_grad():
        expected = theirs(picture)[0].permute(1, 2, 0).numpy()
    found = Sharpener(held)(picture[0].permute(1, 2, 0).double().numpy())
    assert np.allclose(found, expected, atol=1e-4)


def test_a_picture_does_not_depend_on_what_else_is_asked_for(painter: Painter, tmp_path: Path) -> None:
    asked = [request(prompt, id=prompt, output=str(tmp_path / f"{prompt}.png")) for prompt in kit.SHAPES]
    made(painter, asked[1])
    alone = (tmp_path / "sword.png").read_bytes()
    made(painter, *asked, *asked[::-1])
    assert (tmp_path / "sword.png").read_bytes() == alone


def test_seed_style_guidance_and_steps_each_make_another_picture(painter: Painter) -> None:
    plain = Wish(prompt="gem", seed=1, style="flat")
    others = [
        Wish(prompt="gem", seed=2, style="flat"),
        Wish(prompt="gem", seed=1, style="glossy"),
        Wish(prompt="gem", seed=1, style="flat", guidance=1.0),
        Wish(prompt="gem", seed=1, style="flat", steps=6),
        Wish(prompt="key", seed=1, style="flat"),
    ]
    drawn = {painter.draw(wish).tobytes() for wish in (plain, *others)}
    assert len(drawn) == 6
    assert painter.draw(plain).tobytes() in drawn


def test_no_style_is_one_that_the_thing_is_known_in(painter: Painter) -> None:
    words = painter.read("sword")[0]
    found = {painter.style(words, seed) for seed in range(40)}
    assert found == set(kit.FILLS)
    assert painter.style(painter.read("dragon")[0], 1) == STYLES[0]


def test_a_larger_picture_is_the_small_one_in_whole_steps(painter: Painter, tmp_path: Path) -> None:
    for name, size in (("small", (32, 32)), ("large", (128, 96))):
        done = made(painter, request(output=str(tmp_path / name), size=size))
        assert isinstance(done[0], Done)
    small, large = picture(tmp_path / "small"), picture(tmp_path / "large")
    assert large.shape == (96, 128, 4)
    assert np.array_equal(large[1::3, 17:112:3], small)
    assert not large[:, :16].any()
    assert not placed(small, (64, 32))[:, :16].any()


def test_a_size_that_is_no_multiple_is_refused(painter: Painter) -> None:
    (failed,) = made(painter, request(size=(48, 32)))
    assert isinstance(failed, Failure)
    assert failed.message == "48 by 32 pixels are no multiples of 32"
    assert failed.hint == "set `size` to [32, 32] and scale with the finish step `resize`"


def test_mirrored_is_mirrored(painter: Painter, tmp_path: Path) -> None:
    for mirror in ("yes", "no"):
        made(painter, request("key", output=str(tmp_path / mirror), parameters={"mirror": mirror}))
    assert np.array_equal(picture(tmp_path / "yes"), picture(tmp_path / "no")[:, ::-1])


@pytest.mark.parametrize(
    ("prompt", "notes"),
    [
        ("red sword", ()),
        ("xqzzyv", ("no word of the prompt is known: what is drawn is chance",)),
        (
            "a very old and rusty red iron sword with some green leather on a brown key",
            ("the model reads 8 words; not read: `very old rusty`",),
        ),
    ],
)
def test_what_was_not_read_is_said(
    painter: Painter, tmp_path: Path, prompt: str, notes: tuple[str, ...]
) -> None:
    (done,) = made(painter, request(prompt, output=str(tmp_path / "a.png")))
    assert isinstance(done, Done)
    assert done.notes == notes


def test_grain_goes_and_edges_stay() -> None:
    clean = np.full((32, 32, 4), 0.3)
    clean[:, 16:] = 0.8
    grainy = clean + 0.02 * np.random.default_rng(1).standard_normal(clean.shape)
    found = filtered(grainy)
    assert np.abs(found - clean).mean() < 0.5 * np.abs(grainy - clean).mean()
    assert (np.abs(found[:, 16] - found[:, 15]) > 0.4).all()
    assert np.array_equal(filtered(np.stack([clean, grainy]))[1], found)


def test_faint_pixels_are_none_and_firm_ones_opaque() -> None:
    soft = np.zeros((1, 3, 4))
    soft[0, :, 3] = (0.1, 0.5, 0.9)
    soft[0, :, 0] = (0.1, 0.25, 0.45)
    assert eight_bits(soft)[0].tolist() == [[0, 0, 0, 0], [128, 0, 0, 128], [128, 0, 0, 255]]


def test_chance_is_normal_and_the_same_as_ever() -> None:
    drawn = chance.normals(3, "sprite", 20000)
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02
    assert np.array_equal(chance.normals(3, "sprite", 7), drawn[:7])
    assert not np.array_equal(chance.normals(4, "sprite", 7), drawn[:7])
    assert drawn[:3].tolist() == pytest.approx(
        [-0.35899094499978623, -1.5089879418669905, -2.0165120284171594], abs=1e-14
    )


def test_the_file_is_what_others_call_safetensors(painter: Painter, tmp_path: Path) -> None:
    written = {"b": np.array([[1.5, -2.0]], np.float32), "a": np.array([3, 40000])}
    weights.write(tmp_path / "x", written, {"version": "1"})
    theirs = safetensors.numpy.load_file(tmp_path / "x")
    assert {name: str(value.dtype) for name, value in theirs.items()} == {"a": "int32", "b": "float16"}
    ours = weights.read(tmp_path / "x")
    assert ours.about == {"version": "1"}
    for name, value in written.items():
        assert np.array_equal(ours.tensors[name], value)
        assert np.array_equal(theirs[name], value)
    assert painter.version == "7"
