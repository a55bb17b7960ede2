"""Trim, crop, pad and resize on pictures small enough to check by eye."""

from __future__ import annotations

import numpy as np
import pytest
from finish_kit import BLUE, CLEAR, RED, flat, noise, refused, run, show, spot
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image


def test_trim_cuts_the_clear_border() -> None:
    assert show(run("trim", spot())) == "### ###"
    assert show(run("trim", spot(), margin=1)) == "..... .###. .###. ....."


def test_trim_never_grows_a_picture() -> None:
    assert show(run("trim", spot(), margin=2)) == "....... ..###.. ..###.. ....... ......."
    assert show(run("trim", spot(), margin=99)) == show(spot())
    assert run("trim", flat(5, 4), margin=2).shape == (4, 5, 4)


def test_trim_cuts_a_coloured_border() -> None:
    pixels = flat(6, 6, (10, 10, 10, 255))
    pixels[2:4, 2:4] = RED
    pixels[0, 0] = (14, 10, 10, 255)
    assert run("trim", pixels, color="#0a0a0a").shape == (4, 4, 4)
    assert run("trim", pixels, color="#0a0a0a", tolerance=4).shape == (2, 2, 4)


def test_trim_of_nothing_is_refused() -> None:
    assert refused("trim", flat(4, 4, CLEAR)) == "the picture is all border: nothing would be left"


def test_crop() -> None:
    assert np.array_equal(run("crop", spot(), box=[2, 1, 3, 2]), flat(3, 2))
    assert refused("crop", spot(), box=[2, 1, 7, 2]) == "`box` reaches to 9 x 3, the picture to 8 x 6"
    assert refused("crop", spot(), box=[2, 1, 0, 2]) == "the result would be 0 x 2 pixels: nothing is left"
    assert refused("crop", spot(), box=[1, 2, 3]).startswith("`box` is `[1, 2, 3]`, not four whole")


def test_pad_to_a_size() -> None:
    assert show(run("pad", flat(2, 1), size=[4, 3])) == ".... .##. ...."
    assert show(run("pad", flat(2, 1), size=[4, 3], anchor="bottom-right")) == ".... .... ..##"
    assert show(run("pad", flat(2, 1), size=[5, 1], anchor="left")) == "##..."
    assert run("pad", flat(1, 1), size=[3, 1], color="#0000ff")[0].tolist() == [
        list(BLUE),
        list(RED),
        list(BLUE),
    ]
    message = "`size` is 1 x 9, less than the picture's 2 x 1"
    assert refused("pad", flat(2, 1), size=[1, 9]) == message


def test_pad_by_margins() -> None:
    assert show(run("pad", flat(1, 1), margin=[1])) == "... .#. ..."
    assert show(run("pad", flat(1, 1), margin=[0, 2])) == "..#.."
    assert show(run("pad", flat(1, 1), margin=[0, 1, 2, 3])) == "...#. ..... ....."
    assert refused("pad", flat(1, 1), margin=[1, 2, 3]) == "`margin` has 3 numbers, not one, two or four"
    assert refused("pad", flat(1, 1)) == "either `size` or `margin` is needed, and not both"
    message = "the result would be 8193 x 8193 pixels; at most 8192 on a side are made"
    assert refused("pad", flat(1, 1), margin=[4096]) == message


# resize


@pytest.mark.parametrize("method", ["nearest", "area", "lanczos"])
@pytest.mark.parametrize("size", [[3, 3], [7, 5], [16, 16], [40, 33]])
def test_resize_keeps_flat_colour(method: str, size: list[int]) -> None:
    result = run("resize", flat(16, 16), size=size, filter=method, fit="stretch")
    assert np.array_equal(result, flat(size[0], size[1]))


@pytest.mark.parametrize("method", ["area", "lanczos"])
def test_resize_makes_no_fringe(method: str) -> None:
    pixels = flat(32, 32, (0, 255, 0, 0))
    pixels[8:24, 8:24] = RED
    result = run("resize", pixels, size=[11, 11], filter=method)
    visible = result[result[..., 3] > 8]
    assert np.abs(visible[:, :3].astype(int) - RED[:3]).max() <= 8
    assert (result[result[..., 3] == 0] == 0).all()


def test_resize_to_the_same_size_changes_nothing() -> None:
    assert np.array_equal(run("resize", noise(9, 9), size=[9, 9]), noise(9, 9))


def test_resize_nearest_doubles_pixels() -> None:
    doubled = run("resize", noise(4, 5), size=[10, 8], filter="nearest")
    assert np.array_equal(doubled, noise(4, 5).repeat(2, axis=0).repeat(2, axis=1))


def test_resize_area_is_the_mean() -> None:
    pixels = np.array([[[0, 10, 20, 255], [255, 20, 40, 255], [7, 7, 7, 255], [9, 9, 9, 255]]], np.uint8)
    result = run("resize", pixels, size=[2, 1], filter="area", fit="stretch")
    assert result.tolist() == [[[128, 15, 30, 255], [8, 8, 8, 255]]]


def test_resize_lanczos_agrees_with_pillow() -> None:
    ramp = noise(40, 60)
    ramp[..., 3] = 255
    ours = run("resize", ramp, size=[23, 17], filter="lanczos", fit="stretch")
    theirs = np.asarray(Image.fromarray(ramp[..., :3]).resize((23, 17), Image.Resampling.LANCZOS))
    # Pillow clips to a byte between the axes, so pure noise differs by a few levels here and there.
    away = np.abs(ours[..., :3].astype(int) - theirs)
    assert away.max() <= 4
    assert away.mean() < 0.25


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        ("contain", "...... ...... ###### ###### ###### ...... ......"),
        ("within", "###### ###### ######"),
        ("cover", "###### ###### ###### ###### ###### ###### ######"),
        ("stretch", "###### ###### ###### ###### ###### ###### ######"),
    ],
)
def test_resize_fits(fit: str, expected: str) -> None:
    assert show(run("resize", flat(12, 6), size=[6, 7], fit=fit, filter="nearest")) == expected


def test_resize_cover_keeps_the_anchor() -> None:
    pixels = np.concatenate([flat(4, 4), flat(4, 4, BLUE)], axis=1)
    assert np.array_equal(
        run("resize", pixels, size=[2, 2], fit="cover", anchor="right", filter="area"), flat(2, 2, BLUE)
    )


def test_resize_is_bounded() -> None:
    message = "finish step `resize`: `size` is `[100000, 5]`, not within 1 to 8192"
    assert refused("resize", flat(2, 2), size=[100000, 5]) == message
    message = "the result would be 8192 x 819200 pixels; at most 8192 on a side are made"
    assert refused("resize", flat(1, 100), size=[8192, 8192], fit="cover") == message


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_resize_gives_the_size_asked_for(width: int, height: int, to_width: int, to_height: int) -> None:
    for fit in ("contain", "cover", "stretch"):
        result = run("resize", flat(width, height), size=[to_width, to_height], fit=fit)
        assert result.shape == (to_height, to_width, 4)


# scale


def test_scale_by_a_ratio() -> None:
    pixels = flat(6, 3)
    pixels[:, 3:] = (0, 0, 0, 255)
    two_thirds = run("scale", pixels, down=3, up=2)
    assert two_thirds[0].tolist() == [list(RED), list(RED), [0, 0, 0, 255], [0, 0, 0, 255]]
    assert (
        run("scale", noise(6, 9), down=6, up=4).tolist() == run("scale", noise(6, 9), down=3, up=2).tolist()
    )
    assert run("scale", noise(4, 6), down=2, up=3).shape == (6, 9, 4)
    assert run("scale", noise(4, 6), down=4, up=4).tolist() == noise(4, 6).tolist()


@pytest.mark.parametrize("up", [1, 2, 7])
def test_scale_alone_enlarges_with_hard_pixels(up: int) -> None:
    larger = run("scale", noise(3, 2), up=up)
    assert larger.tolist() == noise(3, 2).repeat(up, axis=0).repeat(up, axis=1).tolist()


def test_scale_of_sides_that_do_not_come_out_whole_is_refused() -> None:
    assert refused("scale", flat(8, 7), down=4) == "the picture is 8 x 7 pixels, which 4 does not divide"
    assert (
        refused("scale", flat(8, 7), down=4, up=2) == "the picture is 8 x 7 pixels, which 2 does not divide"
    )
    assert refused("scale", flat(200, 1), up=64).startswith("the result would be 12800 x 64 pixels")
