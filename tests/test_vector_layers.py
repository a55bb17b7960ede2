"""Blur, shift and one layer over another, in whole numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engines.vector import layers


@given(st.integers(0, 12), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_blur_keeps_the_sum_and_the_shape(radius: int, seed: int) -> None:
    cover = np.zeros((40, 44), np.uint8)
    cover[16:24, 16:28] = np.random.default_rng(seed).integers(0, 256, (8, 12))
    soft = layers.blurred(cover, radius)
    assert soft.shape == cover.shape
    assert abs(int(soft.sum()) - int(cover.sum())) <= cover.size
    assert soft.max() <= cover.max()


def test_over_agrees_with_pillow() -> None:
    rng = np.random.default_rng(1)
    back, front = (rng.integers(0, 256, (30, 30, 4), dtype=np.uint8) for _ in range(2))
    theirs = np.asarray(Image.alpha_composite(Image.fromarray(back), Image.fromarray(front)))
    assert np.abs(layers.over(back, front).astype(int) - theirs).max() <= 2


def test_shifted_clears_what_it_leaves() -> None:
    cover = np.arange(9, dtype=np.uint8).reshape(3, 3)
    assert layers.shifted(cover, 1, -1).tolist() == [[0, 3, 4], [0, 6, 7], [0, 0, 0]]
    assert layers.shifted(cover, 3, 0).tolist() == [[0, 0, 0]] * 3
