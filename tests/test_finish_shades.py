"""Steps that take or give colour: grayscale, silhouette; and scale, whose pixels are whole."""

from __future__ import annotations

import numpy as np
from finish_kit import CLEAR, RED, flat, noise, refused, run, spot


def test_grayscale_weighs_red_green_and_blue() -> None:
    row = np.array([[(255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 7), (9, 9, 9, 0)]], np.uint8)
    assert run("grayscale", row).tolist() == [
        [[54, 54, 54, 255], [182, 182, 182, 255], [18, 18, 18, 7], [0, 0, 0, 0]]
    ]


def test_grayscale_goes_as_far_as_it_is_told() -> None:
    one = flat(1, 1, (200, 100, 0, 200))
    assert run("grayscale", one, strength=0).tolist() == one.tolist()
    assert run("grayscale", one, strength=0.5).tolist() == [[[157, 107, 57, 200]]]
    assert run("grayscale", one, contrast=0).tolist() == [[[128, 128, 128, 200]]]
    assert run("grayscale", one, opacity=0.5).tolist() == [[[114, 114, 114, 100]]]
    assert run("grayscale", one, opacity=0).tolist() == [[[0, 0, 0, 0]]]


def test_a_silhouette_has_one_colour_and_the_picture_s_alpha() -> None:
    pixels = noise(9, 7)
    dark = run("silhouette", pixels)
    assert dark[..., 3].tolist() == pixels[..., 3].tolist()
    assert not dark[..., :3].any()
    faint = run("silhouette", spot(), color="#0102037f")
    assert {tuple(pixel) for row in faint.tolist() for pixel in row} == {(1, 2, 3, 127), CLEAR}


def test_scale_averages_whole_blocks() -> None:
    pixels = flat(4, 2, RED)
    pixels[:, 2:] = (0, 10, 20, 255)
    pixels[0, 0] = CLEAR
    assert run("scale", pixels, down=2).tolist() == [[[200, 10, 20, 191], [0, 10, 20, 255]]]
    assert run("scale", pixels, down=2, filter="nearest").tolist() == [[list(RED), [0, 10, 20, 255]]]


def test_scale_enlarges_with_hard_pixels() -> None:
    pixels = noise(3, 2)
    larger = run("scale", pixels, up=3)
    assert larger.shape == (9, 6, 4)
    assert larger[1::3, 1::3].tolist() == pixels.tolist()
    assert run("scale", larger, down=3).tolist() == run("scale", larger, down=3, filter="nearest").tolist()


def test_scale_refuses_a_rest() -> None:
    assert refused("scale", flat(9, 8), down=2) == "the picture is 9 x 8 pixels, which 2 does not divide"
    assert refused("scale", flat(200, 8), up=64).startswith("the result would be 12800 x 512 pixels")
