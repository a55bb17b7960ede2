"""The step `normals`: which way a surface faces, worked out by hand on ramps and bumps."""

from __future__ import annotations

import math

import numpy as np
from finish_kit import CLEAR, flat, noise, run

from engines.png import Pixels

FLAT = [128, 128, 255]


def ramp() -> Pixels:
    """Ten levels brighter with each pixel to the right."""
    pixels = flat(8, 5, (0, 0, 0, 255))
    pixels[..., :3] = (np.arange(8) * 10)[:, np.newaxis]
    return pixels


def bump() -> Pixels:
    y, x = np.mgrid[0:33, 0:33].astype(np.int64)
    high = (255 - (x - 16) ** 2 - (y - 16) ** 2).clip(0)
    return np.dstack([high, high, high, np.full_like(high, 255)]).astype(np.uint8)


def test_a_ramp_leans_left_by_its_slope() -> None:
    x = -10 / 255 * 8
    length = math.hypot(x, 1)
    wanted = [math.floor((part / length + 1) * 127.5 + 0.5) for part in (x, 0, 1)]
    made = run("normals", ramp(), strength=8)
    assert made[2, 1:-1, :3].tolist() == [wanted] * 6
    # At the border the picture goes on as it ends, so the slope is half.
    assert wanted[0] < made[2, 0, 0] < 128


def test_what_is_flat_faces_the_viewer() -> None:
    assert run("normals", flat(4, 4), strength=9)[..., :3].reshape(-1, 3).tolist() == [FLAT] * 16
    assert run("normals", noise(4, 4), strength=0)[..., :3].reshape(-1, 3).tolist() == [FLAT] * 16


def test_green_is_bright_where_a_bump_faces_up_and_with_directx_where_down() -> None:
    up, down = run("normals", bump(), strength=8), run("normals", bump(), strength=8, green="directx")
    assert (up[8, 16, 1] > 150, up[24, 16, 1] < 106) == (True, True)
    assert (down[8, 16, 1] < 106, down[24, 16, 1] > 150) == (True, True)
    assert (up[16, 8, 0] < 106, up[16, 24, 0] > 150) == (True, True)
    assert (up[..., [0, 2]] == down[..., [0, 2]]).all()


def test_inverted_a_bump_is_a_dent() -> None:
    dent = run("normals", bump(), strength=8, invert=True)
    bumped = run("normals", bump(), strength=8)
    assert (dent[8, 16, 1] < 106, bumped[8, 16, 1] > 150) == (True, True)
    assert dent[..., 2].tolist() == bumped[..., 2].tolist()


def test_wrapped_it_is_the_map_of_a_tile() -> None:
    pixels = noise(9, 12)
    pixels[..., 3] = 255
    tiled = run("normals", np.tile(pixels, (3, 3, 1)), smooth=2)
    assert run("normals", pixels, smooth=2, wrap=True).tolist() == tiled[9:18, 12:24].tolist()
    assert run("normals", pixels, smooth=2).tolist() != tiled[9:18, 12:24].tolist()


def test_what_is_clear_is_flat_and_no_cliff() -> None:
    pixels = flat(6, 6, CLEAR)
    pixels[1:5, 1:5] = (250, 250, 250, 200)
    made = run("normals", pixels, strength=50)
    assert made[..., :3].reshape(-1, 3).tolist() == [FLAT] * 36
    assert made[..., 3].tolist() == pixels[..., 3].tolist()
    rim = run("normals", pixels, strength=50, height="alpha")
    assert rim[2, 1, 0] < 60
    assert rim[2, 4, 0] > 196


def test_smoothing_takes_the_grain_out() -> None:
    pixels = noise(24, 24)
    pixels[..., 3] = 255
    rough, smooth = (run("normals", pixels, smooth=times)[..., 2].mean() for times in (0, 4))
    assert smooth > rough + 10
