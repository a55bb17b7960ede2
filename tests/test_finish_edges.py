"""Outline and alpha on pictures small enough to check by eye."""

from __future__ import annotations

import numpy as np
from finish_kit import BLUE, CLEAR, RED, flat, refused, run, show

from engines.png import Pixels


def test_outline_shapes() -> None:
    dot = flat(7, 7, CLEAR)
    dot[3, 3] = RED
    assert (
        show(run("outline", dot, corners="diamond"))
        == "....... ....... ...#... ..###.. ...#... ....... ......."
    )
    assert (
        show(run("outline", dot, corners="square"))
        == "....... ....... ..###.. ..###.. ..###.. ....... ......."
    )
    assert show(run("outline", dot, width=2)) == "....... ..###.. .#####. .#####. .#####. ..###.. ......."
    result = run("outline", dot, color="#0000ff80")
    assert result[3, 3].tolist() == list(RED)
    assert result[2, 3].tolist() == [0, 0, 255, 128]


def test_outline_inside() -> None:
    result = run("outline", flat(4, 4), side="inside", color="#0000ff", corners="diamond")
    assert show(result) == show(flat(4, 4))
    assert (result[1:3, 1:3] == RED).all()
    assert (result[0] == BLUE).all()
    assert np.array_equal(run("outline", flat(3, 3, CLEAR), side="inside"), flat(3, 3, CLEAR))


def test_outline_wider_than_the_picture() -> None:
    assert show(run("outline", flat(2, 1), width=64)) == "##"


def ring() -> Pixels:
    """A red ring on blue; its hole is blue too."""
    pixels = flat(7, 7, BLUE)
    pixels[1:6, 1:6] = RED
    pixels[3, 3] = BLUE
    return pixels


def test_alpha_floods_from_the_border() -> None:
    assert show(run("alpha", ring())) == "....... .#####. .#####. .#####. .#####. .#####. ......."
    holes = show(run("alpha", ring(), contiguous=False))
    assert holes == "....... .#####. .#####. .##.##. .#####. .#####. ......."


def test_alpha_follows_a_winding_way() -> None:
    rows = ["#######", "#.....#", "#.###.#", "#.#.#.#", "#.#...#", "#.#####", "#......"]
    wall = np.array([[mark == "#" for mark in row] for row in rows])
    pixels = np.where(wall[..., np.newaxis], RED, BLUE).astype(np.uint8)
    assert show(run("alpha", pixels, color="#0000ff")) == " ".join(rows)


def test_alpha_takes_the_background_out_of_soft_edges() -> None:
    pixels = flat(5, 1, (0, 0, 0, 255))
    pixels[0, :, 0] = (0, 0, 40, 200, 200)
    result = run("alpha", pixels, color="#000000", tolerance=0, softness=80)
    assert result[0].tolist() == [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [80, 0, 0, 127],
        [200, 0, 0, 255],
        [200, 0, 0, 255],
    ]


def test_alpha_needs_a_colour_where_the_corners_differ() -> None:
    pixels = flat(4, 4)
    pixels[0, 0], pixels[0, -1] = BLUE, (9, 99, 9, 255)
    assert refused("alpha", pixels) == "the corners have no one colour"


def test_alpha_forgives_one_corner() -> None:
    pixels = ring()
    pixels[0, 0] = RED
    assert show(run("alpha", pixels)).startswith("#...... ")
