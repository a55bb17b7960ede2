"""Levels and colour tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from finish_kit import flat, noise, refused, run

from engines.finish import tone


def test_levels_stretch() -> None:
    pixels = flat(3, 1)
    pixels[0, :, 0] = (20, 60, 100)
    assert run("levels", pixels, black=20, white=100)[0, :, 0].tolist() == [0, 128, 255]
    assert np.array_equal(run("levels", noise(9, 9)), noise(9, 9))
    assert refused("levels", pixels, black=100, white=50) == "`black` is 100, not below `white`, 50"


def test_levels_gamma_and_saturation() -> None:
    pixels = flat(1, 1, (64, 128, 255, 77))
    assert run("levels", pixels, gamma=2.0)[0, 0].tolist() == [128, 181, 255, 77]
    assert run("levels", pixels, saturation=0.0)[0, 0].tolist() == [124, 124, 124, 77]
    assert run("levels", pixels, saturation=4.0)[0, 0].tolist() == [0, 141, 255, 77]


def test_a_curve_is_drawn_once_and_nobody_can_spoil_it() -> None:
    curve = tone._curve(0, 255, 1.5)  # noqa: SLF001 - what is kept between requests
    assert tone._curve(0, 255, 1.5) is curve  # noqa: SLF001
    with pytest.raises(ValueError, match="read-only"):
        curve[0] = 1


CUBE_SWAP = 'TITLE "swap"\nLUT_3D_SIZE 2\n' + "\n".join(
    f"{b} {g} {r}" for b in (0, 1) for g in (0, 1) for r in (0, 1)
)
CUBE_INVERT = "# invert\nLUT_1D_SIZE 2\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 1 1 1\n1 1 1\n0 0 0\n"


def test_lut(tmp_path: Path) -> None:
    path = tmp_path / "t.cube"
    path.write_text(CUBE_SWAP)
    swapped = run("lut", noise(9, 9), {"file": path})
    assert np.array_equal(swapped, noise(9, 9)[..., [2, 1, 0, 3]])
    path.write_text(CUBE_INVERT)
    inverted = run("lut", noise(9, 9), {"file": path})
    assert np.array_equal(inverted[..., :3], 255 - noise(9, 9)[..., :3])
    assert np.array_equal(run("lut", noise(9, 9), {"file": path}, strength=0.0), noise(9, 9))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "the file is not a colour table: it has no one `LUT_1D_SIZE` or `LUT_3D_SIZE`"),
        ("LUT_1D_SIZE 2\n0 0 0\n", "the colour table has 1 rows, but its size promises 2"),
        ("LUT_3D_SIZE 999\n", "the colour table's size is 999, not within 2 to 129"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 1\n", "line 3 of the colour table is not three numbers: `1 1`"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 1 nan\n", "line 3 of the colour table is not three numbers: `1 1 nan`"),
        (
            "LUT_1D_SIZE 2\nDOMAIN_MAX 0 1 1\n0 0 0\n1 1 1\n",
            "the colour table's `DOMAIN_MIN` is not below its `DOMAIN_MAX`",
        ),
        (
            "LUT_1D_SIZE 2\nGAIN 3\n0 0 0\n1 1 1\n",
            "the colour table has a line `GAIN`, which is not in the format",
        ),
    ],
)
def test_lut_refuses(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "t.cube"
    path.write_text(text)
    assert refused("lut", flat(2, 2), {"file": path}) == message
