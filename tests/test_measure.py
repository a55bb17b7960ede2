"""Measures of two pictures, held against scikit-image's numbers; contact sheets, the same everywhere."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import old_cpu
import pytest
from engine_child import converse
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engines import measure, png, protocol
from engines.measure import distance, likeness
from engines.measure.sheet import Cell, Sheet, fitted
from engines.png import Pixels
from engines.protocol import Done, Failure, Open, Request

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden" / "measure-bitwise.json"


def opening(staging: Path) -> Open:
    return Open(
        protocol=1,
        adapter="measure",
        engine="measure",
        model="",
        revision="",
        staging=str(staging),
        settings={},
    )


def ask(staging: Path, inputs: dict[str, Any], **parameters: Any) -> Done | Failure:
    """What the engine says of `inputs`, each pixels or a file's bytes."""
    paths = {}
    for name, item in inputs.items():
        path = staging / f"in-{name}"
        path.write_bytes(item if isinstance(item, bytes) else png.encode(item))
        paths[name] = str(path)
    request = Request(id="1", asset="a", output="out.png", parameters=parameters, inputs=paths)
    (result,) = measure.load(opening(staging)).render([request], lambda *_: None)
    return result


def done(staging: Path, inputs: dict[str, Any], **parameters: Any) -> Done:
    result = ask(staging, inputs, **parameters)
    assert isinstance(result, Done), result
    return result


def waves(height: int, width: int, seed: int = 0) -> Pixels:
    """A smooth opaque picture in whole numbers, so that every machine has the same one."""
    y, x = np.ogrid[0:height, 0:width]
    planes = [((x * x + 3 * y * (seed + 1) + 40 * part) // (7 + part)) % 256 for part in range(3)]
    return np.dstack([*planes, np.full((height, width), 255)]).astype(np.uint8)


def shifted(pixels: Pixels) -> Pixels:
    result = pixels.copy()
    rows, columns = np.ogrid[0 : len(pixels), 0 : pixels.shape[1]]
    noise = ((rows * 7 + columns * 13) % 31 - 15)[..., np.newaxis]
    result[..., :3] = (pixels[..., :3].astype(int) + noise).clip(0, 255)
    return result


def clear(height: int, width: int) -> Pixels:
    return np.zeros((height, width, 4), np.uint8)


# scikit-image 0.26.0: structural_similarity(luma, luma, data_range=255), with win_size=5 for the third, and
# peak_signal_noise_ratio(rgb, rgb, data_range=255).
@pytest.mark.parametrize(
    ("shape", "ssim", "psnr"),
    [
        ((64, 96), 0.868524248313, 29.222654261220),
        ((300, 41), 0.739496771215, 29.165611633134),
        ((5, 60), 0.745168216495, 29.332329413591),
    ],
)
def test_numbers_are_those_of_scikit_image(shape: tuple[int, int], ssim: float, psnr: float) -> None:
    first = waves(*shape)
    second = shifted(first)
    assert distance.ssim(first, second) == pytest.approx(ssim, abs=1e-9)
    assert distance.psnr(first, second) == pytest.approx(psnr, abs=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (7, 7), (129, 6), (134, 135)])
def test_a_picture_is_like_itself(shape: tuple[int, int]) -> None:
    picture = waves(*shape)
    assert distance.psnr(picture, picture) is None
    assert distance.ssim(picture, picture) == pytest.approx(1, abs=1e-12)
    assert distance.change(picture, picture) == distance.Change(0.0, 0, None)


def test_a_white_sign_is_seen_on_a_clear_ground_whatever_lies_under_it() -> None:
    blank, sign = clear(40, 40), clear(40, 40)
    sign[10:20, 5:30] = 255
    for color in (0, 255):
        sign[10:20, 5:30, :3] = color
        ratio = distance.psnr(blank, sign)
        assert ratio is not None
        assert ratio < 10
        assert distance.ssim(blank, sign) < 0.9
    assert distance.change(sign, blank).box == (5, 10, 25, 10)
    assert distance.change(sign, blank).share == 250 / 1600


def test_changed_area_across_bands() -> None:
    first = waves(300, 20)
    second = first.copy()
    second[100:280, 3:5, 1] ^= 1
    assert distance.change(first, second) == distance.Change(360 / 6000, 1, (3, 100, 2, 180))


def test_colours_that_nobody_sees_are_no_difference(tmp_path: Path) -> None:
    first, second = clear(8, 8), clear(8, 8)
    second[..., 0] = 200
    facts = done(tmp_path, {"image": first, "reference": second}, work="compare").facts
    assert facts["likeness"] == likeness.LOOK
    assert (facts["psnr"], facts["ssim"], facts["changed"], facts["box"]) == (None, 1, 0, None)
    assert facts["image"]["pixels"] != facts["reference"]["pixels"]


def test_another_encoding_of_the_same_pixels(tmp_path: Path) -> None:
    picture = waves(16, 16)
    other = io.BytesIO()
    Image.fromarray(picture).save(other, "WEBP", lossless=True, exact=True)
    for reference, said in (
        (png.encode(picture), "identical-bytes"),
        (other.getvalue(), "identical-pixels"),
        (png.encode(shifted(picture)), "different"),
    ):
        facts = done(tmp_path, {"image": picture, "reference": reference}, work="compare").facts
        assert facts["likeness"] == said


def test_different_sizes_are_brought_to_a_common_one(tmp_path: Path) -> None:
    small = waves(32, 48)
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    found = done(tmp_path, {"image": large, "reference": small}, work="compare")
    facts = found.facts
    assert (facts["resized"], facts["compared_at"]) == (True, [48, 32])
    assert (facts["changed"], facts["largest"], facts["box"]) == (None, None, None)
    assert (facts["psnr"], facts["ssim"], facts["likeness"]) == (None, 1, "different")
    assert (facts["image"]["width"], facts["reference"]["width"]) == (96, 48)


def test_sizes_that_cross_take_the_smaller_of_each_side() -> None:
    first, second = likeness.at_common_size(waves(20, 80), waves(60, 30))
    assert first.shape == second.shape == (20, 30, 4)


def test_the_picture_of_the_difference_marks_what_changed(tmp_path: Path) -> None:
    first = waves(20, 20)
    second = first.copy()
    second[4, 7, 0] ^= 1
    result = done(tmp_path, {"image": second, "reference": first}, work="compare")
    drawn = png.decode(tmp_path / result.output).astype(int)
    colored = np.argwhere(np.ptp(drawn, axis=2) > 8)
    assert colored.tolist() == [[4, 7]]


def test_without_a_reference_only_the_picture_is_measured(tmp_path: Path) -> None:
    facts = done(tmp_path, {"image": clear(4, 6)}, work="compare").facts
    assert set(facts) == {"image"}
    assert (facts["image"]["width"], facts["image"]["opaque"]) == (6, 0)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_measures_are_symmetric_and_in_range(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = random.integers(0, 256, (2, height, width, 4), dtype=np.uint8)
    one, other = likeness.compare(first, second), likeness.compare(second, first)
    for key in ("hash_bits", "psnr", "ssim", "changed", "largest", "box", "likeness"):
        assert one[key] == other[key]
    assert -1 <= one["ssim"] <= 1


@pytest.mark.parametrize(
    ("inputs", "parameters", "message"),
    [
        ({}, {"work": "compare"}, "the request has no input `image`"),
        ({}, {}, "`work` is missing"),
        ({}, {"work": "sheeet"}, "`work` `sheeet` is unknown"),
        ({"image": b"no picture"}, {"work": "compare"}, "`the picture` is not a PNG, WebP or JPEG picture"),
        ({}, {"work": "sheet"}, "`cells` are not numbered from 0 to 1023"),
        ({}, {"work": "sheet", "cells": {"x": {}}}, "`cells` are not numbered from 0 to 1023"),
        (
            {},
            {"work": "sheet", "cells": {"0": {"name": "a"}}},
            "cell 0 is no table of `lines`, `marked`, `message`, `title`",
        ),
        ({}, {"work": "sheet", "cells": {"0": {"lines": [1]}}}, "cell 0 holds what is no text"),
        (
            {},
            {"work": "sheet", "cells": {"0": {"marked": 1}}},
            "cell 0 is `marked` by what is neither true nor false",
        ),
        ({}, {"work": "score"}, "the request has no input `image`"),
        (
            {},
            {"work": "sheet", "columns": 1, "cells": {"900": {}}},
            "the sheet would be 304 x ",
        ),
    ],
)
def test_refuses(inputs: dict[str, Any], parameters: dict[str, Any], message: str, tmp_path: Path) -> None:
    result = ask(tmp_path, inputs, **parameters)
    assert isinstance(result, Failure)
    assert result.message.startswith(message)


def test_pictures_of_a_sheet_lie_in_their_places() -> None:
    red = np.zeros((10, 10, 4), np.uint8)
    red[...] = (255, 0, 0, 255)
    sheet = Sheet(title="", columns=2, side=32, cells=[Cell(title="a", picture=red), None, Cell(title="b")])
    pixels = sheet.drawn()
    found = np.argwhere((pixels == (255, 0, 0)).all(axis=2))
    assert (found.min(axis=0).tolist(), found.max(axis=0).tolist()) == ([24, 25], [53, 54])


def test_what_is_said_is_seen() -> None:
    def drawn(**values: Any) -> bytes:
        return Sheet(title="t", columns=1, side=200, cells=[Cell(**values)]).drawn().tobytes()

    said = [
        drawn(title="a"),
        drawn(title="b"),
        drawn(title="a", lines=("c",)),
        drawn(title="a", message="it broke"),
        drawn(title="a", message="it broke " * 90),
    ]
    assert len(set(said)) == len(said)
    assert drawn(title="☃") == drawn(title="?")


@pytest.mark.parametrize(
    ("shape", "shown"), [((10, 20), (70, 140)), ((300, 600), (75, 150)), ((1, 4000), (1, 150))]
)
def test_small_pictures_grow_by_whole_times(shape: tuple[int, int], shown: tuple[int, int]) -> None:
    assert fitted(waves(*shape), 150).shape[:2] == shown


def digests(staging: Path) -> dict[str, Any]:
    """A sheet, a difference and the numbers: the same on every CPU."""
    picture = waves(90, 70)
    picture[20:50, 10:60, 3] = 90
    cells = {
        "0": {"title": "sd35-medium · 7", "lines": ["90 x 70 · 1.2 s"]},
        "1": {"title": "b", "message": "no"},
    }
    sheet = done(staging, {"cell.0": picture}, work="sheet", title="moon knight", cells=cells, columns=2)
    found = {"sheet": hashlib.sha256((staging / sheet.output).read_bytes()).hexdigest()}
    compared = done(staging, {"image": picture, "reference": shifted(picture)}, work="compare")
    found["difference"] = hashlib.sha256((staging / compared.output).read_bytes()).hexdigest()
    return {**found, "facts": dict(compared.facts)}


def test_golden(tmp_path: Path) -> None:
    assert digests(tmp_path) == json.loads(GOLDEN.read_text())


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the switches are those of x86-64")
def test_golden_on_an_old_cpu(tmp_path: Path) -> None:
    assert old_cpu.rerun(__file__, tmp_path) == json.loads(GOLDEN.read_text())


def test_through_a_real_child(tmp_path: Path) -> None:
    path = tmp_path / "in.png"
    path.write_bytes(png.encode(waves(8, 8)))
    request = Request(
        id="1", asset="a", output="out.png", parameters={"work": "compare"}, inputs={"image": str(path)}
    )
    hello, (answer,) = converse(opening(tmp_path), request, tmp_path)
    assert (hello.adapter, hello.determinism) == ("measure", protocol.Determinism.BITWISE)
    assert isinstance(answer, Done)
    assert answer.facts["image"]["opaque"] == 1


if __name__ == "__main__":  # the child of a test above
    old_cpu.show(digests(Path(sys.argv[1])))
