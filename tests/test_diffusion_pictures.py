"""The diffusion adapter starts from pictures: nearer or farther, within a mask, the same bytes each time."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402 - torch first, or there is nothing to test
import sd3_small  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from PIL import Image  # noqa: E402

from engines import diffusion, protocol  # noqa: E402
from engines.diffusion import kinds  # noqa: E402
from engines.diffusion.start import Task  # noqa: E402
from engines.protocol import Done, ErrorKind, Failure, Open, Request  # noqa: E402

Load = Callable[..., protocol.Engine]
Pixels = NDArray[np.uint8]
SIDE = 64


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with all three text encoders."""
    return sd3_small.make(tmp_path_factory.mktemp("model") / "sd3", with_t5=True)


@pytest.fixture
def load(small: Path, tmp_path: Path) -> Iterator[Load]:
    before = dict(os.environ)

    def load(**settings: Any) -> protocol.Engine:
        opening = Open(
            protocol=protocol.PROTOCOL,
            adapter="diffusion",
            engine="small",
            model=str(small),
            revision="",
            staging=str(tmp_path),
            settings=settings,
        )
        return diffusion.load(opening)

    yield load
    os.environ.clear()
    os.environ.update(before)


def slope(blue: int) -> Pixels:
    """Red to the right, green downwards, and a blue of its own."""
    down, right = np.mgrid[:SIDE, :SIDE] * 4
    return np.stack([right, down, np.full_like(down, blue)], -1).astype(np.uint8)


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, str]:
    """Three pictures, and a mask of which the right half is white."""
    for number in range(3):
        Image.fromarray(slope(60 * number)).save(tmp_path / f"slope{number}.png")
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:, SIDE // 2 :] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return {name: str(tmp_path / f"{name}.png") for name in ("slope0", "slope1", "slope2", "mask")}


def request(number: int, inputs: dict[str, str], **parameters: Any) -> Request:
    return Request(
        id=str(number),
        asset="hero",
        output=f"{number}.png",
        prompt=("a moon knight", "red gem", "castle")[number],
        seed=number,
        size=(SIDE, SIDE),
        parameters={"steps": 5, "guidance": 4.5, "max_sequence_length": 32, **parameters},
        inputs=inputs,
    )


def draw(engine: protocol.Engine, staging: Path, *requests: Request) -> list[bytes]:
    results = list(engine.render(requests, lambda *_: None))
    assert [type(result) for result in results] == [Done] * len(requests), results
    return [(staging / one.output).read_bytes() for one in requests]


def pixels(engine: protocol.Engine, staging: Path, wanted: Request) -> Pixels:
    draw(engine, staging, wanted)
    with Image.open(staging / wanted.output) as image:
        return np.asarray(image)


def round_trip(model: Path, picture: Pixels) -> NDArray[np.float32]:
    """`picture` as the model's autoencoder gives it back: the nearest that any drawing comes to it."""
    vae: Any = sd3_small.library.AutoencoderKL.from_pretrained(model / "vae")
    values = torch.from_numpy(picture.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
    with torch.no_grad():
        back = vae.decode(vae.encode(values).latent_dist.mode()).sample
    shown: NDArray[np.float32] = ((back[0].permute(1, 2, 0) / 2 + 0.5).clamp(0, 1) * 255).numpy()
    return shown


def away(picture: Pixels, other: NDArray[Any]) -> float:
    return float(np.abs(picture.astype(np.float32) - other).mean())


def test_the_picture_it_starts_from_changes_what_is_drawn(
    load: Load, tmp_path: Path, pictures: dict[str, str]
) -> None:
    engine = load()
    plain = request(0, {})
    first = draw(engine, tmp_path, plain)
    ways = [
        {"image": pictures["slope0"]},
        {"image": pictures["slope1"]},
        {"image": pictures["slope0"], "mask": pictures["mask"]},
    ]
    drawn = [draw(engine, tmp_path, request(0, inputs))[0] for inputs in ways]
    assert len({*first, *drawn}) == 4
    # Every part of the recipe counts here too.
    for changes in ({"strength": 0.7}, {"steps": 6}, {"text_encoder_3": False}, {"shift": 1.0}):
        assert draw(engine, tmp_path, request(0, ways[0], **changes)) != drawn[:1]
    assert draw(engine, tmp_path, dataclasses.replace(request(0, ways[0]), prompt="gem")) != drawn[:1]
    assert draw(engine, tmp_path, dataclasses.replace(request(0, ways[0]), seed=9)) != drawn[:1]
    # What one request changed in the pipelines must not be left for the next.
    assert draw(engine, tmp_path, request(0, ways[0])) == drawn[:1]
    assert draw(engine, tmp_path, plain) == first


def test_the_less_strength_the_nearer_to_the_picture(
    load: Load, small: Path, tmp_path: Path, pictures: dict[str, str]
) -> None:
    engine = load()
    near = round_trip(small, slope(0))
    wanted = [
        request(0, {"image": pictures["slope0"]}, steps=20, strength=strength)
        for strength in (0.05, 0.3, 0.9)
    ]
    least, less, more = (away(pixels(engine, tmp_path, one), near) for one in wanted)
    # 0.4, 27 and 60 of 255 levels where this was written.
    assert least < 2
    assert least * 10 < less < more / 1.5


def test_without_a_strength_it_is_the_card_s(load: Load, tmp_path: Path, pictures: dict[str, str]) -> None:
    engine = load()
    for inputs in ({"image": pictures["slope0"]}, {"image": pictures["slope0"], "mask": pictures["mask"]}):
        plain = draw(engine, tmp_path, request(0, inputs))
        assert draw(engine, tmp_path, request(0, inputs, strength=0.6)) == plain


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_a_mask_keeps_what_is_black_to_the_byte(
    load: Load, tmp_path: Path, pictures: dict[str, str], strength: float
) -> None:
    inputs = {"image": pictures["slope1"], "mask": pictures["mask"]}
    drawn = pixels(load(), tmp_path, request(1, inputs, strength=strength))
    assert np.array_equal(drawn[:, : SIDE // 2], slope(60)[:, : SIDE // 2])
    assert away(drawn[:, SIDE // 2 :], slope(60)[:, SIDE // 2 :]) > 20


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_pictures_are_the_same_alone_and_together(
    load: Load, tmp_path: Path, pictures: dict[str, str], dtype: str, *, masked: bool
) -> None:
    mask = {"mask": pictures["mask"]} if masked else {}
    requests = [request(number, {"image": pictures[f"slope{number}"], **mask}) for number in range(3)]
    alone = draw(load(dtype=dtype), tmp_path, *requests)
    assert len(set(alone)) == 3
    together = load(dtype=dtype, batch=4)
    assert draw(together, tmp_path, *requests) == alone
    assert draw(together, tmp_path, *reversed(requests)) == alone[::-1]


def test_stray_noise_is_each_picture_s_own(load: Load, tmp_path: Path, pictures: dict[str, str]) -> None:
    # This scheduler draws from torch's global generator in every step.
    requests = [
        request(number, {"image": pictures[f"slope{number}"]}, scheduler="FlowMatchLCMScheduler")
        for number in range(2)
    ]
    assert draw(load(batch=4), tmp_path, *requests) == draw(load(), tmp_path, *requests)


def test_all_three_kinds_may_come_together(load: Load, tmp_path: Path, pictures: dict[str, str]) -> None:
    image = {"image": pictures["slope0"]}
    requests = [request(0, {}), request(1, image), request(2, {**image, "mask": pictures["mask"]})]
    engine = load(batch=4)
    alone = [draw(engine, tmp_path, one)[0] for one in requests]
    results = list(engine.render(requests, lambda *_: None))
    assert sorted((str(result.id), type(result)) for result in results) == [
        ("0", Done),
        ("1", Done),
        ("2", Done),
    ]
    assert [(tmp_path / one.output).read_bytes() for one in requests] == alone


def test_progress_counts_the_steps_that_are_drawn(load: Load, pictures: dict[str, str]) -> None:
    seen: list[tuple[str, int, int]] = []
    wanted = request(0, {"image": pictures["slope0"]}, strength=0.4)
    list(load().render([wanted], lambda *told: seen.append(told)))
    assert seen == [("0", 1, 2), ("0", 2, 2)]


@pytest.mark.parametrize(
    ("task", "name"),
    [(Task.IMAGE, "StableDiffusion3Img2ImgPipeline"), (Task.MASK, "StableDiffusion3InpaintPipeline")],
)
def test_the_weights_are_not_loaded_twice(small: Path, task: Task, name: str) -> None:
    loaded = sd3_small.library.DiffusionPipeline.from_pretrained(small)
    found = kinds.beside(loaded, task)
    assert type(found).__name__ == name
    for component in ("transformer", "vae", "text_encoder", "text_encoder_3"):
        assert getattr(found, component) is getattr(loaded, component)


BAD = ErrorKind.BAD_REQUEST


@pytest.mark.parametrize(
    ("names", "parameters", "message", "hint"),
    [
        (["mask"], {}, "`mask` has no effect without `image`", "give both or neither"),
        ([], {"strength": 0.5}, "`strength` has no effect without `image`", "give both or neither"),
        (
            ["image"],
            {"strength": 0.1},
            "`strength = 0.1` of 5 steps leaves less than one to draw",
            "raise `strength` or `steps`",
        ),
        (
            ["image"],
            {"skip_guidance_layers": [1]},
            "`StableDiffusion3Img2ImgPipeline` takes no parameter `skip_guidance_layers`",
            "leave it out",
        ),
    ],
)
def test_what_can_never_work_is_refused(
    load: Load,
    pictures: dict[str, str],
    names: list[str],
    parameters: dict[str, Any],
    message: str,
    hint: str,
) -> None:
    files = {"image": pictures["slope0"], "mask": pictures["mask"]}
    wanted = request(0, {name: files[name] for name in names}, **parameters)
    results = list(load().render([wanted, request(1, {})], lambda *_: None))
    assert results == [Failure(id="0", kind=BAD, message=message, hint=hint), Done(id="1", output="1.png")]
