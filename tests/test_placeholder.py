"""Stand-ins: readable, told apart, never failing for their text, the same everywhere."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import old_cpu
import pytest
from engine_child import converse
from hypothesis import given
from hypothesis import strategies as st

from engines import placeholder, png, protocol
from engines.placeholder.label import CELL, laid_out, wrapped
from engines.protocol import Done, Failure, Open, Request

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden" / "placeholder-bitwise.json"
SIZES = [(64, 64), (1024, 1024), (320, 48), (16, 16)]


def opening(staging: Path) -> Open:
    return Open(
        protocol=1,
        adapter="placeholder",
        engine="p",
        model="",
        revision="",
        staging=str(staging),
        settings={},
    )


def request(
    asset: str = "ui/play-button", size: Any = (64, 64), text: str = "no key", **values: Any
) -> Request:
    return Request(
        id="1", asset="other", prompt=asset, output="a.png", text=text, size=size, parameters=values
    )


def drawn(staging: Path, asked: Request) -> png.Pixels:
    (result,) = placeholder.load(opening(staging)).render([asked], lambda *_: None)
    assert isinstance(result, Done), result
    assert result.notes == ("a placeholder, not the asset",)
    return png.decode(staging / "a.png")


@pytest.mark.parametrize("size", [*SIZES, (1, 1), (3, 500)])
def test_is_an_opaque_picture_of_the_size_asked_for(size: tuple[int, int], tmp_path: Path) -> None:
    assert drawn(tmp_path, request(size=size)).shape == (size[1], size[0], 3)


@pytest.mark.parametrize("size", [(64, 64), (1024, 1024), (320, 48)])
def test_every_letter_of_the_name_is_seen(size: tuple[int, int], tmp_path: Path) -> None:
    lines = laid_out("ui/play-button", [], *size)
    assert "".join(line.words for line in lines) == "ui/play-button"
    with_name, without = drawn(tmp_path, request(size=size)), drawn(tmp_path, request(" ", size))
    for line in lines:
        rows = slice(line.top, line.top + CELL * line.scale)
        assert (with_name[rows] != without[rows]).any()


def test_what_is_said_changes_the_picture(tmp_path: Path) -> None:
    asked = [
        request(size=(256, 256)),
        request(size=(256, 256), text="weights missing"),
        request(size=(256, 256), role="portrait"),
        request(size=(256, 256), engine="sd35"),
        request("ui/quit-button", (256, 256)),
    ]
    assert len({drawn(tmp_path, item).tobytes() for item in asked}) == len(asked)


def test_a_letter_that_the_font_lacks_is_a_question_mark(tmp_path: Path) -> None:
    odd, plain = (drawn(tmp_path, request(size=(256, 256), text=text)) for text in ("a ☃", "a ?"))
    assert np.array_equal(odd, plain)


@given(st.text(max_size=60), st.integers(1, 20))
def test_wrapped_keeps_every_letter(text: str, room: int) -> None:
    lines = wrapped(text, room)
    assert all(len(line) <= room for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.text(max_size=40), st.text(max_size=200), st.integers(1, 1200), st.integers(1, 1200))
def test_lines_stay_inside(name: str, reason: str, width: int, height: int) -> None:
    for line in laid_out(name, ["64x64", reason], width, height):
        assert line.top >= 0
        assert line.top + CELL * line.scale <= height
        assert len(line.words) * CELL * line.scale <= width


@pytest.mark.parametrize("size", [None, (0, 5), (9000, 5)])
def test_refuses_a_size(size: Any, tmp_path: Path) -> None:
    (result,) = placeholder.load(opening(tmp_path)).render([request(size=size)], lambda *_: None)
    assert isinstance(result, Failure)
    assert result.message == f"`size` is `{size}`, not a width and a height of 1 to 8192"


def digests(staging: Path) -> dict[str, str]:
    found = {}
    for size in SIZES:
        drawn(staging, request(size=size, role="button", engine="ideogram-4"))
        found[f"{size[0]}x{size[1]}"] = hashlib.sha256((staging / "a.png").read_bytes()).hexdigest()
    return found


def test_golden_digests(tmp_path: Path) -> None:
    assert digests(tmp_path) == json.loads(GOLDEN.read_text())


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the switches are those of x86-64")
def test_golden_digests_on_an_old_cpu(tmp_path: Path) -> None:
    assert old_cpu.rerun(__file__, tmp_path) == json.loads(GOLDEN.read_text())


def test_through_a_real_child(tmp_path: Path) -> None:
    hello, (done,) = converse(opening(tmp_path), request(), tmp_path)
    assert (hello.adapter, hello.determinism) == ("placeholder", protocol.Determinism.BITWISE)
    assert isinstance(done, Done)


if __name__ == "__main__":  # the child of a test above
    old_cpu.show(digests(Path(sys.argv[1])))
