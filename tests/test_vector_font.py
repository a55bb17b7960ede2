"""Only the given font, every character of it, and a credit."""

from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from vector_kit import FONTS, answer, drawn, ink, refused, request

from engines.protocol import Done
from engines.vector import font as fonts


def test_every_bundled_font_draws_every_basic_character(tmp_path: Path) -> None:
    marks = "".join(map(chr, range(33, 127)))
    for path in sorted(FONTS.glob("*.ttf")):
        pixels = drawn(tmp_path, f"{marks[:47]}\n{marks[47:]}", (900, 90), {"font": str(path)})
        assert ink(pixels)[2] > 600, path.name


def test_every_bundled_font_is_credited_and_licensed() -> None:
    table = (FONTS / "LICENCES.md").read_text()
    for path in sorted(FONTS.glob("*.ttf")):
        credit = fonts.read(str(path)).credit
        assert credit.licence == "OFL-1.1"
        assert credit.author != "unknown"
        assert credit.source.startswith(("https://", "http://"))
        assert f"| `{path.name}` | " in table
    assert sum(path.stat().st_size for path in FONTS.iterdir()) < 1_500_000


def test_the_font_is_credited(tmp_path: Path) -> None:
    result = answer(tmp_path, request("KEEP"))
    assert isinstance(result, Done)
    (credit,) = result.credits
    assert (credit.title, credit.author, credit.licence) == ("Cinzel Bold", "Natanael Gama", "OFL-1.1")
    assert credit.source == "https://www.ndiscovered.com"


def test_kerning_is_on(tmp_path: Path) -> None:
    font = TTFont(FONTS / "cinzel-bold.ttf")
    advances = sum(font["hmtx"][font.getBestCmap()[ord(mark)]][0] for mark in "AVAVAV") / 10
    left, _, right, _ = ink(drawn(tmp_path, "AVAVAV", (1000, 200), font_size=100))
    assert right - left < advances - 30


def test_a_missing_character_is_named(tmp_path: Path) -> None:
    message, hint = refused(tmp_path, "KEEP ☃日")
    assert message == (
        "the font `Cinzel Bold` has no `☃` (U+2603 SNOWMAN), `日` (U+65E5 CJK UNIFIED IDEOGRAPH-65E5)"
    )
    assert hint == "choose another `font`, or leave the character out of the text"
    assert refused(tmp_path, "A\tB")[0] == "the font `Cinzel Bold` has no `\t` (U+0009 control)"


def test_refuses_what_is_no_font(tmp_path: Path) -> None:
    path = tmp_path / "f.ttf"
    path.write_bytes(b"hello")
    assert (
        refused(tmp_path, "A", inputs={"font": str(path)})[0] == "`f.ttf` is not a TrueType or OpenType font"
    )


@pytest.mark.parametrize("part", [0.01, 0.3, 0.6, 0.95])
def test_refuses_a_cut_font(part: float, tmp_path: Path) -> None:
    data = (FONTS / "cinzel-bold.ttf").read_bytes()
    path = tmp_path / "f.ttf"
    path.write_bytes(data[: int(len(data) * part)])
    assert refused(tmp_path, "KEEP", inputs={"font": str(path)})[0]
