"""Few colours: chosen, or from every kind of palette file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from finish_kit import flat, noise, refused, run, show, spot
from hypothesis import given
from hypothesis import strategies as st

from engines import png
from engines.finish.quantize import choose

PALETTES = {
    "a.gpl": "GIMP Palette\nName: Keep\nColumns: 2\n# night\n"
    "  0   0   0 black\n255 255 255\twhite\n200 10 20\n",
    "a.pal": "JASC-PAL\r\n0100\r\n3\r\n0 0 0\r\n255 255 255\r\n200 10 20\r\n",
    "a.hex": "000000\n#FFFFFF\n; a comment\nc80a14\n\n",
}


@pytest.mark.parametrize("name", [*PALETTES, "a.png"])
def test_quantize_to_a_palette_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "copy-without-suffix"
    if name == "a.png":
        swatches = np.array([[[0, 0, 0], [255, 255, 255], [200, 10, 20]]], np.uint8)
        path.write_bytes(png.encode(swatches))
    else:
        path.write_text(PALETTES[name], newline="")
    result = run("quantize", noise(20, 20), {"palette": path})
    seen = {tuple(color) for color in result[result[..., 3] > 0][:, :3].tolist()}
    assert seen == {(0, 0, 0), (255, 255, 255), (200, 10, 20)}


def test_quantize_refuses_a_bad_palette(tmp_path: Path) -> None:
    path = tmp_path / "p"
    for text, message in [
        ("000000\nzebra\n", "line 2 of the palette file is not a colour: `zebra`"),
        ("GIMP Palette\n1 2 300\n", "line 2 of the palette file has a value above 255: `1 2 300`"),
        ("", "the palette file holds 0 colours, not within 1 to 256"),
        (
            "\n".join(f"{n:06x}" for n in range(300)),
            "the palette file holds 300 colours, not within 1 to 256",
        ),
    ]:
        path.write_text(text)
        assert refused("quantize", flat(2, 2), {"palette": path}) == message


def test_quantize_chooses_at_most_so_many() -> None:
    for number in (2, 7, 16):
        result = run("quantize", noise(30, 30), colors=number)
        assert len(np.unique(result[result[..., 3] > 0][:, :3], axis=0)) <= number


def test_quantize_leaves_few_colours_alone() -> None:
    assert np.array_equal(run("quantize", spot(), colors=4), spot())


def test_quantize_comes_near() -> None:
    ramp = np.zeros((4, 256, 4), np.uint8)
    ramp[..., :3] = np.arange(256)[np.newaxis, :, np.newaxis]
    ramp[..., 3] = 255
    result = run("quantize", ramp, colors=16)
    assert np.abs(result.astype(int) - ramp).max() <= 14


def test_quantize_dither_mixes_to_the_mean(tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_text("000000\nffffff\n")
    for level in (64, 100, 128, 200):
        result = run("quantize", flat(64, 64, (level, level, level, 255)), {"palette": path}, dither="bayer")
        assert set(np.unique(result[..., 0])) == {0, 255}
        assert abs(result[..., 0].mean() - level) < 8


def test_quantize_alpha() -> None:
    soft = flat(3, 1)
    soft[0, :, 3] = (127, 128, 0)
    assert show(run("quantize", soft, colors=2)) == "++."
    assert show(run("quantize", soft, colors=2, alpha="snap")) == ".#."
    assert show(run("quantize", soft, colors=2, alpha="snap", threshold=100)) == "##."


@given(st.integers(2, 20), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_choose_never_exceeds(number: int, size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    unique = np.unique(rng.integers(0, 256, (size, 3)), axis=0).astype(np.int64)
    chosen = choose(unique, rng.integers(1, 50, len(unique)).astype(np.int64), number)
    assert 1 <= len(chosen) <= max(number, 1)
    assert chosen.min() >= 0
    assert chosen.max() <= 255
