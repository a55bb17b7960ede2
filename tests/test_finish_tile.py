"""The step `tile`: what it heals, what it leaves, and that its cut meets its own end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from finish_kit import flat, noise, refused, run
from hypothesis import given, settings
from hypothesis import strategies as st
from texture_kit import grain, slope

from engines.gate.seam import broken
from engines.png import Pixels


def turned(pixels: Pixels) -> Pixels:
    return pixels.swapaxes(0, 1)


def worst(pixels: Pixels) -> float:
    return max(broken(pixels), broken(turned(pixels)))


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), side=st.sampled_from([64, 96, 128]))
def test_a_healed_texture_passes_the_seam_gate(seed: int, side: int) -> None:
    pixels = grain(side, seed, tiles=False)
    assert worst(pixels) > 0.2
    assert worst(run("tile", pixels)) <= 0.1


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_what_lies_inside_stays(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(8, 40)), data.draw(st.integers(8, 40))
    border = data.draw(st.integers(1, min(width, height) // 4))
    axis = data.draw(st.sampled_from(["both", "horizontal", "vertical"]))
    pixels = noise(height, width, data.draw(st.integers(0, 99)))
    made = run("tile", pixels, border=border, axis=axis)
    assert made.shape == pixels.shape
    across = border if axis != "vertical" else 0
    down = border if axis != "horizontal" else 0
    inner = (slice(down, height - down), slice(across, width - across))
    assert made[inner].tolist() == pixels[inner].tolist()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), border=st.integers(1, 8))
def test_the_edges_are_neighbours_from_inside(seed: int, border: int) -> None:
    pixels = noise(20, 32, seed)
    made = run("tile", pixels, border=border, axis="horizontal", feather=0)
    pairs = [np.concatenate([pixels[:, x], pixels[:, x + 1]], axis=1).tolist() for x in range(31)]
    assert np.concatenate([made[:, -1], made[:, 0]], axis=1).tolist() in pairs


def test_a_healed_tile_needs_no_second_healing_along_its_other_axis() -> None:
    pixels = grain(64, 7, tiles=False)
    across = run("tile", pixels, axis="horizontal")
    assert broken(across) <= 0.1 < broken(turned(across))
    both = run("tile", pixels)
    # Healing up and down does not open left and right again.
    assert broken(both) <= 0.1


def test_one_colour_stays_one_colour() -> None:
    pixels = flat(40, 24, (9, 8, 7, 6))
    assert run("tile", pixels).tolist() == pixels.tolist()


def test_a_slope_of_tone_is_softened_not_hidden() -> None:
    # There is no honest way to make such a picture tile; its step moves inward and is halved.
    pixels = slope(128, 64)
    made = run("tile", pixels, axis="horizontal").astype(int)
    steps = np.abs(np.diff(np.concatenate([made, made[:, :1]], axis=1)[..., 0]))
    assert steps.max() < 60


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"border": 9}, "`border` is 9 pixels, more than a quarter of the picture's 32"),
        ({"border": 4, "feather": 2}, "`feather` is 2 pixels, too many for a `border` of 4"),
    ],
)
def test_what_can_not_be_is_refused(values: dict[str, Any], message: str) -> None:
    assert refused("tile", flat(64, 32), **values) == message


def test_only_the_healed_axis_must_have_room() -> None:
    assert run("tile", noise(2, 64), border=8, axis="horizontal").shape == (2, 64, 4)
    assert refused("tile", noise(2, 64), border=8).startswith("`border` is 8 pixels")
