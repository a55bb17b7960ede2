"""The finish adapter as the builder meets it: whole requests, facts, and the real child process."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_child import converse
from PIL import Image

from engines import finish, png, protocol
from engines.finish import facts
from engines.finish.engine import Finish
from engines.protocol import Done, ErrorKind, Failure, Open, Request

ROOT = Path(__file__).parent.parent


def opening(staging: Path) -> Open:
    return Open(
        protocol=1,
        adapter="finish",
        engine="finish",
        model="",
        revision="",
        staging=str(staging),
        settings={},
    )


def picture(staging: Path, name: str = "raw.png") -> Path:
    pixels = np.zeros((12, 16, 4), np.uint8)
    pixels[3:9, 4:12] = (200, 150, 20, 255)
    pixels[3:9, 4] = (9, 9, 200, 128)
    (staging / name).write_bytes(png.encode(pixels))
    return staging / name


def request(staging: Path, steps: Any = (), output: str = "a.png", **inputs: str) -> Request:
    return Request(
        id="1",
        asset="a",
        output=output,
        parameters={"steps": [list(step) for step in steps]},
        inputs={
            "image": str(picture(staging)),
            **{name.replace("_", "."): path for name, path in inputs.items()},
        },
    )


def answer(staging: Path, asked: Request) -> Done | Failure:
    (result,) = finish.load(opening(staging)).render([asked], lambda *_: None)
    assert isinstance(result, Done | Failure)
    return result


def done(staging: Path, asked: Request) -> Done:
    result = answer(staging, asked)
    assert isinstance(result, Done), result
    return result


def failure(staging: Path, asked: Request) -> Failure:
    result = answer(staging, asked)
    assert isinstance(result, Failure), result
    return result


def test_without_steps_the_picture_is_encoded_again(tmp_path: Path) -> None:
    result = done(tmp_path, request(tmp_path))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "raw.png").read_bytes()
    assert result.facts == {
        "width": 16,
        "height": 12,
        "pixels": "2e7d6ddd730d5edd4ef767f04aa96a3c5bd867d6d3cba83fa1efdb9c375218e3",
        "phash": "9c00630098009c00",
        "mode": "RGBA",
        "opaque": 42 / 192,
    }


def test_tells_how_far_it_is_where_steps_take_time(tmp_path: Path) -> None:
    seconds = iter([0.0, 0.1, 0.3, 0.3, 0.4, 0.6, 0.6])
    heard: list[tuple[int, int]] = []
    asked = request(tmp_path, [("trim", {}), ("pad", {"margin": [1]}), ("trim", {}), ("trim", {})])
    engine = Finish(opening(tmp_path), clock=lambda: next(seconds))
    (result,) = engine.render([asked], lambda _, step, steps: heard.append((step, steps)))
    assert isinstance(result, Done)
    assert heard == [(1, 5), (3, 5)]


def test_an_opaque_result_is_written_as_rgb(tmp_path: Path) -> None:
    result = done(tmp_path, request(tmp_path, [("crop", {"box": [6, 4, 4, 4]})]))
    assert (result.facts["mode"], result.facts["opaque"]) == ("RGB", 1)
    assert png.decode(tmp_path / "a.png").shape == (4, 4, 3)


def test_steps_run_in_their_order(tmp_path: Path) -> None:
    asked = request(tmp_path, [("trim", {}), ("pad", {"margin": [1]}), ("resize", {"size": [20, 20]})])
    assert done(tmp_path, asked).facts["width"] == 20
    assert done(tmp_path, request(tmp_path, [("trim", {}), ("pad", {"margin": [1]})])).facts["width"] == 10


def test_webp_holds_the_same_pixels(tmp_path: Path) -> None:
    as_png = done(tmp_path, request(tmp_path))
    as_webp = done(tmp_path, request(tmp_path, [("encode", {"format": "webp"})], output="a.webp"))
    assert as_png.facts == as_webp.facts
    assert np.array_equal(png.decode(tmp_path / "a.webp"), png.decode(tmp_path / "a.png"))


def test_smallest_changes_bytes_and_no_pixel(tmp_path: Path) -> None:
    larger = ("resize", {"size": [160, 120]})
    plain = done(tmp_path, request(tmp_path, [larger, ("quantize", {"colors": 16, "alpha": "snap"})]))
    asked = [larger, ("quantize", {"colors": 16, "alpha": "snap"}), ("encode", {"smallest": True})]
    small = done(tmp_path, request(tmp_path, asked, output="b.png"))
    assert plain.facts == small.facts
    with Image.open(tmp_path / "b.png") as image:
        assert image.mode == "P"


def test_a_palette_comes_as_an_input(tmp_path: Path) -> None:
    (tmp_path / "p.hex").write_text("ff0000\n")
    asked = request(tmp_path, [("quantize", {})], finish_0_palette=str(tmp_path / "p.hex"))
    done(tmp_path, asked)
    result = png.decode(tmp_path / "a.png")
    assert (result[result[..., 3] > 0][:, :3] == (255, 0, 0)).all()


@pytest.mark.parametrize(
    ("steps", "message", "hint"),
    [
        ([("resise", {})], "finish step `resise` is unknown", "did you mean `resize`?"),
        (
            [("sharpen", {})],
            "finish step `sharpen` is unknown",
            (
                "use one of `alpha`, `crop`, `encode`, `grayscale`, `levels`, `lut`, `normals`, `outline`, "
                "`pad`, `quantize`, `resize`, `scale`, `silhouette`, `tile`, `trim`"
            ),
        ),
        (
            [("resize", {"size": [4, 4], "filtre": "area"})],
            "finish step `resize`: parameter `filtre` is unknown",
            "did you mean `filter`?",
        ),
        (
            [("resize", {"size": [4, 4], "filter": "lanczo"})],
            "finish step `resize`: `filter` `lanczo` is unknown",
            "did you mean `lanczos`?",
        ),
        ([("resize", {})], "finish step `resize`: `size` is missing", ""),
        ([("resize", {"size": [4]})], "finish step `resize`: `size` is `[4]`, not a width and a height", ""),
        ([("trim", {"margin": True})], "finish step `trim`: `margin` is `True`, not a whole number", ""),
        ([("trim", {"margin": 1.5})], "finish step `trim`: `margin` is `1.5`, not a whole number", ""),
        (
            [("outline", {"color": "red"})],
            "finish step `outline`: `color` is `red`, not a colour such as `#20304f` or `#20304f80`",
            "",
        ),
        ([("outline", {"width": 65})], "finish step `outline`: `width` is `65`, not within 1 to 64", ""),
        (
            [("levels", {"gamma": math.nan})],
            "finish step `levels`: `gamma` is `nan`, not a number",
            "",
        ),
        ([("lut", {"file": "a.cube"})], "finish step `lut`: `file` is missing", ""),
        (
            [("encode", {}), ("trim", {})],
            "finish step `encode` is not the last",
            "move it to the end of `finish`",
        ),
        (
            [("encode", {"format": "webp"})],
            "finish step `encode` says `webp`, but the asset's format is `png`",
            'set `format = "webp"` on the asset',
        ),
        (
            [("crop", {"box": [0, 0, 99, 1]})],
            "finish step `crop`: `box` reaches to 99 x 1, the picture to 16 x 12",
            "move `box` into the picture",
        ),
        (
            [("pad", {"margin": [4096, 4096]})],
            "finish step `pad`: the result would be 8208 x 8204 pixels; at most 8192 on a side are made",
            "ask for a smaller one",
        ),
    ],
)
def test_refuses(steps: Any, message: str, hint: str, tmp_path: Path) -> None:
    result = failure(tmp_path, request(tmp_path, steps))
    assert (result.kind, result.message, result.hint) == (ErrorKind.BAD_REQUEST, message, hint)


NOT_ONE = "is not a PNG, WebP or JPEG picture"


@pytest.mark.parametrize(
    ("asset", "file", "shown"),
    [
        ("gems/red", "54966985121a-red.png", "gems/red"),
        ("gems/red", "1.png", "gems/red"),
        ("icon", "54966985121a-hero", "hero"),
        ("icon", "54966985121a-photo.jpg", "photo.jpg"),
    ],
)
def test_a_message_names_the_picture_as_the_manifest_does(
    asset: str, file: str, shown: str, tmp_path: Path
) -> None:
    path = tmp_path / file
    path.write_bytes(b"mine")
    asked = replace(request(tmp_path), asset=asset, inputs={"image": str(path)})
    result = failure(tmp_path, asked)
    assert (result.message, result.hint) == (f"`{shown}` {NOT_ONE}", "save it as a PNG")


def test_a_source_that_can_not_be_used_comes_with_what_to_do(tmp_path: Path) -> None:
    whole = picture(tmp_path).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:-5])
    Image.new("1", (9000, 5)).save(tmp_path / "wide.png")
    Image.new("1", (30000, 30000)).save(tmp_path / "bomb.png")
    found = {}
    for name in ("cut", "wide", "bomb"):
        asked = replace(request(tmp_path), asset="hero", inputs={"image": str(tmp_path / f"{name}.png")})
        result = failure(tmp_path, asked)
        found[name] = (result.message, result.hint)
    assert found == {
        "cut": ("`hero` is cut off or damaged", "export it once more"),
        "wide": ("`hero` is 9000 x 5 pixels; at most 8192 on a side are decoded", "make it smaller"),
        "bomb": ("`hero` has too many pixels to be decoded", "make it smaller"),
    }


@pytest.mark.parametrize("output", ["../a.png", "x/a.png"])
def test_writes_only_into_the_staging_folder(output: str, tmp_path: Path) -> None:
    result = failure(tmp_path, request(tmp_path, output=output))
    assert result.message == f"the output `{output}` is not a plain file name"


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    assert failure(tmp_path, request(tmp_path, output="a.gif")).message == "output format `gif` is unknown"


def test_one_bad_request_leaves_the_others_alone(tmp_path: Path) -> None:
    good, bad = request(tmp_path), request(tmp_path, [("crop", {"box": [0, 0, 99, 1]})])
    results = list(finish.load(opening(tmp_path)).render([bad, good], lambda *_: None))
    assert [type(result) for result in results] == [Failure, Done]


def test_opaque_and_alpha_255_have_one_pixel_digest() -> None:
    pixels = np.full((3, 5, 3), 7, np.uint8)
    assert facts.measure(pixels)["pixels"] == facts.measure(png.rgba(pixels))["pixels"]
    assert facts.measure(pixels)["pixels"] != facts.measure(pixels.reshape(5, 3, 3))["pixels"]


# From `imagehash.phash` 4.3.2 on the same pictures.
PHASHES = {
    1: "b1c4bbfc4ea2b301",
    2: "9499f61194b16ced",
    3: "d9d1abc6b9314439",
    4: "cec183862b27d47b",
    5: "e9e1cc799c5a6194",
    6: "f4a62c8381557e7c",
    7: "93f4a6a6bc1d415a",
    8: "a1a4cb6ee1ba1c93",
}


@pytest.mark.parametrize("seed", PHASHES)
def test_phash_equals_imagehash(seed: int) -> None:
    assert facts.perceptual_hash(png.rgba(landscape(seed))) == PHASHES[seed]


def landscape(seed: int) -> png.Pixels:
    """Smooth blobs and noise."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    smooth = np.asarray(small.resize((90 + seed, 70), Image.Resampling.BILINEAR)).astype(np.int16)
    return (smooth + rng.integers(-9, 10, smooth.shape)).clip(0, 255).astype(np.uint8)


def test_phash_cosines_have_no_rounding_at_the_edge() -> None:
    """A C library whose cosine differs in the last bit must not give another table."""
    for row in range(8):
        for column in range(32):
            exact = math.cos(math.pi * row * (2 * column + 1) / 64) * 2**20
            assert abs(exact - math.floor(exact) - 0.5) > 1e-6


def test_phash_survives_scaling_and_moves_with_content() -> None:
    base = landscape(1)
    half = np.asarray(Image.fromarray(base).resize((45, 35), Image.Resampling.LANCZOS))
    assert distance(base, half) <= 4
    assert distance(base, landscape(2)) >= 16


def distance(one: png.Pixels, other: png.Pixels) -> int:
    first, second = (int(facts.perceptual_hash(png.rgba(item)), 16) for item in (one, other))
    return (first ^ second).bit_count()


def test_through_a_real_child(tmp_path: Path) -> None:
    hello, rest = converse(opening(tmp_path), request(tmp_path, [("trim", {})]), tmp_path)
    assert (hello.adapter, hello.determinism) == ("finish", protocol.Determinism.BITWISE)
    assert set(hello.environment) == {"numpy", "pillow", "oxipng", "webp"}
    assert len(rest) == 1, "steps that take no time are not worth a message"
    assert isinstance(rest[-1], Done)
    assert (rest[-1].facts["width"], rest[-1].facts["height"]) == (8, 6)
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("size", "text"), [([8, 6], ""), ([16, 12], ""), ([8, 5], ""), ([17, 6], "17 x 6"), ([16, 13], "16 x 13")]
)
def test_a_provider_s_picture_is_brought_to_the_asset_s_size_first(
    tmp_path: Path, size: list[int], text: str
) -> None:
    steps = [["pad", {"margin": [1.0]}]]
    asked = replace(request(tmp_path), parameters={"steps": steps, "size": size})
    result = answer(tmp_path, asked)
    if text:
        assert isinstance(result, Failure)
        assert result.message == f"the raw picture is 16 x 12, less than the {text} asked for"
        return
    assert isinstance(result, Done)
    assert (result.facts["width"], result.facts["height"]) == (size[0] + 2, size[1] + 2)


def test_a_size_that_is_none_is_a_bug_of_the_builder(tmp_path: Path) -> None:
    result = answer(tmp_path, replace(request(tmp_path), parameters={"steps": [], "size": "big"}))
    assert isinstance(result, Failure)
    assert result.message == "the parameter `size` is `big`, not a width and a height"
