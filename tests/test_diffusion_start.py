"""The pictures that a diffusion request starts from: made ready, or refused with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engines.diffusion import start
from engines.diffusion.start import Task
from engines.protocol import EngineError, ErrorKind, Request

RED = (200, 40, 0, 255)


def save(path: Path, color: tuple[int, ...] | int, size: tuple[int, int] = (64, 80)) -> str:
    Image.new("L" if isinstance(color, int) else "RGBA", size, color).save(path)
    return str(path)


def request(inputs: dict[str, str], **parameters: Any) -> Request:
    return Request(id="1", asset="hero", output="1.png", size=(64, 80), parameters=parameters, inputs=inputs)


def ready(folder: Path, color: tuple[int, ...], size: tuple[int, int] = (64, 80)) -> start.Start:
    return start.read(request({"image": save(folder / "image.png", color, size)}))


def pixels(image: Image.Image | None) -> NDArray[np.uint8]:
    assert image is not None
    return np.asarray(image)


def test_what_a_request_asks_for() -> None:
    assert start.task_of(request({})) is Task.TEXT
    assert start.task_of(request({"image": "a.png"}, strength=0.5)) is Task.IMAGE
    assert start.task_of(request({"image": "a.png", "mask": "b.png"})) is Task.MASK


@pytest.mark.parametrize(
    ("asked", "name"), [(request({"mask": "a.png"}), "mask"), (request({}, strength=0.0), "strength")]
)
def test_what_says_nothing_without_a_picture_is_refused(asked: Request, name: str) -> None:
    with pytest.raises(EngineError) as caught:
        start.task_of(asked)
    assert caught.value.kind is ErrorKind.BAD_REQUEST
    assert caught.value.message == f"`{name}` has no effect without `image`"
    assert caught.value.hint == "give both or neither"


def test_a_picture_of_the_size_is_taken_as_it_is(tmp_path: Path) -> None:
    noise = np.random.Generator(np.random.PCG64(1)).integers(0, 256, (80, 64, 3), "uint8")
    Image.fromarray(noise).save(tmp_path / "image.png")
    made = start.read(request({"image": str(tmp_path / "image.png")}))
    assert (made.mask, made.notes) == (None, ())
    assert np.array_equal(pixels(made.image), noise)
    assert made.keep(noise) is noise


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    made = ready(tmp_path, (200, 40, 0, 128))
    # 128 of 255 parts of the colour, 127 of white.
    assert made.image.getpixel((9, 9)) == (227, 147, 127)
    assert made.notes == ("the `image` is transparent in places: it was laid on white",)


@pytest.mark.parametrize("size", [(32, 40), (128, 160), (129, 160)])
def test_a_picture_of_the_same_shape_is_scaled(tmp_path: Path, size: tuple[int, int]) -> None:
    made = ready(tmp_path, RED, size)
    assert made.image.size == (64, 80)
    assert made.image.getpixel((63, 79)) == RED[:3]
    assert made.notes == (f"the `image` was scaled from {size[0]} x {size[1]} to 64 x 80 pixels",)


def test_what_the_mask_leaves_black_is_kept_to_the_byte(tmp_path: Path) -> None:
    ramp = np.tile(np.array([0, 1, 127, 128, 254, 255, 0, 255], np.uint8).repeat(8), (80, 1))
    Image.fromarray(ramp).save(tmp_path / "mask.png")
    image = save(tmp_path / "image.png", RED)
    made = start.read(request({"image": image, "mask": str(tmp_path / "mask.png")}))
    kept = made.keep(np.full((80, 64, 3), (0, 240, 100), np.uint8))
    # From the picture's red to the drawn green, rounded.
    expected = [(200, 40, 0), (199, 41, 0), (100, 140, 50), (100, 140, 50), (1, 239, 100), (0, 240, 100)]
    assert [tuple(kept[7, 8 * column].tolist()) for column in range(6)] == expected
    assert kept[7, 55].tolist() == [200, 40, 0]
    assert kept.dtype == np.uint8


def test_a_mask_is_scaled_too_and_may_have_colours(tmp_path: Path) -> None:
    image = save(tmp_path / "image.png", RED)
    mask = save(tmp_path / "mask.png", (255, 255, 255, 255), (16, 20))
    made = start.read(request({"image": image, "mask": mask}))
    assert (pixels(made.mask) == 255).all()
    assert pixels(made.mask).shape == (80, 64)


@pytest.mark.parametrize(
    ("image", "mask", "message", "hint"),
    [
        (
            (RED, (64, 64)),
            None,
            "`image` is 64 x 64 pixels, not within 2% of the shape of `size`",
            "crop it to that shape",
        ),
        (
            (RED, (64, 80)),
            (255, (80, 64)),
            "`mask` is 80 x 64 pixels, not within 2% of the shape of `size`",
            "crop it to that shape",
        ),
        (
            (RED, (64, 80)),
            (127, (64, 80)),
            "the `mask` is dark all over: nothing would be drawn",
            "paint white what shall be drawn anew",
        ),
        (
            (RED, (64, 80)),
            ((255, 255, 255, 0), (64, 80)),
            "the `mask` is transparent in places",
            "save it in black and white: white is drawn anew",
        ),
    ],
)
def test_what_can_not_be_meant_is_refused(
    tmp_path: Path,
    image: tuple[Any, tuple[int, int]],
    mask: tuple[Any, tuple[int, int]] | None,
    message: str,
    hint: str,
) -> None:
    inputs = {"image": save(tmp_path / "image.png", *image)}
    if mask is not None:
        inputs["mask"] = save(tmp_path / "mask.png", *mask)
    with pytest.raises(EngineError) as caught:
        start.read(request(inputs))
    assert (caught.value.kind, caught.value.message) == (ErrorKind.BAD_REQUEST, message)
    assert caught.value.hint == hint


def test_what_is_no_picture_is_told_by_the_parameter_s_name(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(EngineError) as caught:
        start.read(request({"image": str(tmp_path / "x.png")}))
    assert caught.value.message == "`image` is not a PNG, WebP or JPEG picture"
