"""Lettering: exact text or an error, never a picture with something missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vector_kit import FONTS, drawn, ink, refused


def test_text_fills_its_box_and_is_centred(tmp_path: Path) -> None:
    left, top, right, bottom = ink(drawn(tmp_path, "KEEP", padding=10))
    assert abs(left - (200 - right)) <= 1
    assert abs(top - (80 - bottom)) <= 2
    assert min(left, top) in range(9, 12)


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_a_blank_text_is_refused(text: str, tmp_path: Path) -> None:
    assert refused(tmp_path, text)[0] == "the text is blank: nothing would be drawn"


def test_a_text_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    message, hint = refused(tmp_path, "MOONLIT", font_size=60)
    assert message == "the text needs 313 x 42 pixels at size 60, but only 194 x 74 are free"
    assert hint == "make the asset larger, or leave `font_size` out"
    assert refused(tmp_path, "MOONLIT KEEP", (40, 20))[1] == "make the asset larger"


def test_a_font_size_keeps_the_baseline_whatever_hangs_below(tmp_path: Path) -> None:
    with_tail = drawn(tmp_path, "QUIT", panel="plaque", font_size=26)
    without = drawn(tmp_path, "EXIT", panel="plaque", font_size=26)
    assert np.array_equal(with_tail[:30, :20], without[:30, :20])


def test_lines_case_and_align(tmp_path: Path) -> None:
    one = drawn(tmp_path, "moon\nlit keep", case="upper", align="left", font_size=20)
    assert np.array_equal(one, drawn(tmp_path, "MOON\nLIT KEEP", align="left", font_size=20))
    left, right = ink(one[:36])[0], ink(one[:36])[2]
    moved = drawn(tmp_path, "MOON\nLIT KEEP", align="right", font_size=20)
    assert ink(moved[:36])[0] > left
    assert ink(moved[:36])[2] > right


def test_gradient_runs_from_top_to_bottom(tmp_path: Path) -> None:
    pixels = drawn(tmp_path, "HHH", gradient=["#ff0000", "#0000ff"])
    rows = pixels[(pixels[..., 3] == 255).any(axis=1)]
    solid = [row[row[:, 3] == 255][:, :3].mean(axis=0) for row in rows]
    assert solid[0][0] > 240
    assert solid[-1][2] > 240


def test_outlines_lie_around_the_letters(tmp_path: Path) -> None:
    plain = drawn(tmp_path, "O", font_size=30)
    lined = drawn(tmp_path, "O", font_size=30, outline_width=3, outline2_width=2, outline2_color="#00ff00")
    assert [abs(a - b) for a, b in zip(ink(plain), ink(lined), strict=True)] == [5, 5, 5, 5]
    assert (lined[..., 1] == 255).any()


def test_shadow_and_glow_stay_inside(tmp_path: Path) -> None:
    pixels = drawn(tmp_path, "KEEP", shadow_offset=[6, 6], shadow_blur=6, glow=9, padding=1)
    assert (pixels[[0, -1], :, 3] == 0).all()
    assert (pixels[:, [0, -1], 3] == 0).all()


def test_arch_bends(tmp_path: Path) -> None:
    up = drawn(tmp_path, "MOONLIT", (300, 200), arch=120)
    down = drawn(tmp_path, "MOONLIT", (300, 200), arch=-120)
    middle, edge = slice(130, 170), slice(0, 80)
    assert ink(up[:, middle])[1] < ink(up[:, edge])[1]
    assert ink(down[:, middle])[1] > ink(down[:, edge])[1]
    assert refused(tmp_path, "A\nB", arch=20)[0] == "`arch` bends one line, but the text has more"


def test_not_smooth_has_hard_pixels(tmp_path: Path) -> None:
    pixels = drawn(tmp_path, "GO 1", inputs={"font": str(FONTS / "press-start-2p.ttf")}, smooth=False)
    assert set(np.unique(pixels[..., 3])) == {0, 255}
    left, top, right, bottom = ink(pixels)
    block = pixels[top:bottom, left:right, 3]
    scale = (bottom - top) // 7
    assert np.array_equal(block, block[::scale, ::scale].repeat(scale, axis=0).repeat(scale, axis=1))


@pytest.mark.parametrize("shape", ["rounded", "pill", "plaque", "cut"])
def test_panels_fill_the_picture(shape: str, tmp_path: Path) -> None:
    pixels = drawn(tmp_path, "PLAY", panel=shape)
    assert ink(pixels) == (0, 0, 200, 80)
    assert pixels[0, 0, 3] < 128
    assert pixels[40, 30, 3] == 255


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"gradient": ["red"]}, "`gradient` is `['red']`, not a list of colours such as `#20304f`"),
        ({"gradient": ["#000000"] * 9}, "`gradient` has 9 colours, not 1 to 8"),
        ({"shadow_offset": [1]}, "`shadow_offset` is `[1]`, not two whole numbers: right and down"),
        (
            {"panel": "plaque", "panel_border_width": 60},
            "`panel_border_width` leaves nothing of a panel of 200 x 80 pixels",
        ),
        ({"fil": "#ffffff"}, "parameter `fil` is unknown"),
        ({"slots": {"a": 1}}, "`slots` is set, but no `template` that has any"),
        ({"line_sizes": [0]}, "`line_sizes` holds a 0"),
    ],
)
def test_refuses(parameters: Any, message: str, tmp_path: Path) -> None:
    assert refused(tmp_path, "KEEP", **parameters)[0] == message


@pytest.mark.parametrize("size", [None, (15, 80), (200, 4097)])
def test_refuses_a_size(size: Any, tmp_path: Path) -> None:
    message = f"`size` is `{size}`, not a width and a height of 16 to 4096"
    assert refused(tmp_path, "KEEP", size)[0] == message


def test_too_much_text_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "A\n" * 21)[0] == "the text is longer than 20 lines or 500 characters"
