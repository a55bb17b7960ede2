"""Lettering read back: what is allowed, what is refused, whatever its colour, and the same verdict twice."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_child import converse
from hypothesis import given
from hypothesis import strategies as st

from engines import ocr, png, vector
from engines.ocr.spelling import edits, folded
from engines.png import Pixels
from engines.protocol import Done, Failure, Open, Request, Result

HERE = importlib.util.find_spec("rapidocr") is not None
needs_extra = pytest.mark.skipif(not HERE, reason="the extra `ocr` is not here")


def plain_distance(one: str, other: str) -> int:
    """Levenshtein's distance as its definition has it."""
    if not one or not other:
        return len(one) + len(other)
    return min(
        plain_distance(one[1:], other[1:]) + (one[0] != other[0]),
        plain_distance(one[1:], other) + 1,
        plain_distance(one, other[1:]) + 1,
    )


short = st.text("abc", max_size=5)


@given(short, short)
def test_edits_are_levenshtein_s(one: str, other: str) -> None:
    assert edits(one, other, anywhere=False) == plain_distance(one, other)


@given(short, short)
def test_anywhere_is_the_best_of_every_part(one: str, other: str) -> None:
    parts = {other[start:end] for start in range(len(other) + 1) for end in range(start, len(other) + 1)}
    assert edits(one, other, anywhere=True) == min(plain_distance(one, part) for part in parts)


def test_spaces_never_count_and_capitals_only_where_asked() -> None:
    assert folded(" Game\nOver ", case=False) == "gameover"
    assert folded("Game Over", case=True) == "GameOver"
    assert folded("ﬁre Ⅳ", case=False) == "fireiv"


def opening(staging: Path, adapter: str) -> Open:
    return Open(
        protocol=1, adapter=adapter, engine=adapter, model="", revision="", staging=str(staging), settings={}
    )


def lettering(staging: Path, text: str, size: tuple[int, int] = (512, 128), **parameters: Any) -> Pixels:
    """`text` as the engine `vector` draws it."""
    inputs = {"font": parameters.pop("font")} if "font" in parameters else {}
    request = Request(
        id="1", asset="a", output="text.png", text=text, size=size, parameters=parameters, inputs=inputs
    )
    (result,) = vector.load(opening(staging, "vector")).render([request], lambda *_: None)
    assert isinstance(result, Done), result
    return png.rgba(png.decode(staging / "text.png"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One warm engine for all, as in a build."""
    return ocr.load(opening(tmp_path_factory.mktemp("ocr"), "ocr"))


def ask(engine: Any, staging: Path, picture: Pixels | bytes, **gate: Any) -> Result:
    path = staging / "in.png"
    path.write_bytes(picture if isinstance(picture, bytes) else png.encode(picture))
    request = Request(
        id="1",
        asset="a",
        output="out.png",
        parameters={"gates": [["lettering", gate]]},
        inputs={"image": str(path)},
    )
    (result,) = engine.render([request], lambda *_: None)
    return result  # type: ignore[no-any-return]  # the engine is told as `Any`, to be made only with the extra


def told(engine: Any, staging: Path, picture: Pixels, **gate: Any) -> tuple[bool, str]:
    result = ask(engine, staging, picture, **gate)
    assert isinstance(result, Done), result
    (finding,) = result.facts["gates"]
    return finding["passed"], finding["told"]


@needs_extra
def test_what_stands_there_passes(reader: Any, tmp_path: Path) -> None:
    assert told(reader, tmp_path, lettering(tmp_path, "GAME OVER"), text="Game Over") == (
        True,
        "reads `GAME OVER`, 0 letters off",
    )


@needs_extra
def test_what_does_not_stand_there_fails(reader: Any, tmp_path: Path) -> None:
    passed, words = told(reader, tmp_path, lettering(tmp_path, "GAME OVER"), text="New Game")
    assert passed is False
    assert words.startswith("reads `GAME OVER`, ")
    assert words.endswith(" letters off, more than 1 of 7; `New Game` should stand there")


@needs_extra
def test_a_picture_without_lettering_fails(reader: Any, tmp_path: Path) -> None:
    blank = np.zeros((64, 64, 4), np.uint8)
    assert told(reader, tmp_path, blank, text="GO") == (
        False,
        "has no lettering that can be read, 2 letters off, more than 0 of 2; `GO` should stand there",
    )


@needs_extra
@pytest.mark.parametrize("fill", ["#ffffff", "#000000", "#808080", "#c02020"])
def test_lettering_on_clear_ground_is_read_whatever_its_colour(
    reader: Any, tmp_path: Path, fill: str
) -> None:
    assert told(reader, tmp_path, lettering(tmp_path, "Options", fill=fill), text="options")[0] is True


@needs_extra
def test_other_lettering_is_wrong_unless_it_may_stand_there(reader: Any, tmp_path: Path) -> None:
    picture = lettering(tmp_path, "Chapter One\nThe Gate", size=(512, 256))
    assert told(reader, tmp_path, picture, text="The Gate")[0] is False
    assert told(reader, tmp_path, picture, text="The Gate", anywhere=True)[0] is True
    assert told(reader, tmp_path, picture, text="Chapter One\nThe Gate")[0] is True


@needs_extra
def test_case_counts_where_asked(reader: Any, tmp_path: Path) -> None:
    picture = lettering(tmp_path, "OPTIONS")
    assert told(reader, tmp_path, picture, text="options", case=True)[0] is False
    assert told(reader, tmp_path, picture, text="OPTIONS", case=True, tolerance=0)[0] is True


@needs_extra
def test_a_hostile_picture_fails_its_own_request(reader: Any, tmp_path: Path) -> None:
    result = ask(reader, tmp_path, b"\x89PNG\r\n\x1a\nnot at all", text="GO")
    assert isinstance(result, Failure)
    assert result.message.startswith("`the picture`")
    bad = ask(reader, tmp_path, lettering(tmp_path, "GO"), text="  ")
    assert isinstance(bad, Failure)
    assert bad.message == "gate `lettering`: `text` is empty"


@needs_extra
def test_extreme_shapes_are_read_or_not_but_never_break_it(reader: Any, tmp_path: Path) -> None:
    for shape in ((1, 1), (1, 3000), (3000, 1), (8, 4096)):
        assert told(reader, tmp_path, np.full((*shape, 4), 255, np.uint8), text="GO")[0] is False


@needs_extra
def test_it_serves_as_a_process_with_the_same_verdict(reader: Any, tmp_path: Path) -> None:
    picture = lettering(tmp_path, "Moonlit\nKeep", size=(256, 128))
    here = told(reader, tmp_path, picture, text="Moonlit Keep")
    request = Request(
        id="1",
        asset="a",
        output="out.png",
        parameters={"gates": [["lettering", {"text": "Moonlit Keep"}]]},
        inputs={"image": str(tmp_path / "in.png")},
    )
    _, (result,) = converse(opening(tmp_path, "ocr"), request, tmp_path)
    assert isinstance(result, Done)
    assert (result.facts["gates"][0]["passed"], result.facts["gates"][0]["told"]) == here
