"""`artlock diff --html`, `--markdown` and `--sheet`: what is written and refused, and the contact sheet."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import page_kit as kit
import pytest
from game import Game

from buildsys.errors import MakeError
from buildsys.review.markdown import MARK as COMMENT
from buildsys.review.model import Kind, Review
from buildsys.review.page import MARK
from buildsys.review.sheet import COLUMNS, MOST, draw, layout
from engines import png

ELSEWHERE = "\n\nhint: name another file for the page"
HERO = """
[assets.hero]
role   = "sprite"
prompt = "a knight"
seed   = {seed}
size   = [16, 16]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    """A hero in a commit, and another one in the working tree."""
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(HERO.format(seed=1))
    made.build()
    made.commit()
    made.write(HERO.format(seed=2))
    made.build()
    return made


@pytest.mark.slow
def test_all_three_are_written_and_the_table_is_still_told(game: Game) -> None:
    done = game.run("diff", "--html", "review.html", "--markdown", "review.md", "--sheet", "sheet.png")
    assert "hero" in done.stdout
    page = (game.folder / "review.html").read_text()
    assert MARK in page
    assert '"name":"hero"' in page
    assert (game.folder / "review.md").read_text().startswith(COMMENT)
    sheet = png.decode(game.folder / "sheet.png")
    assert sheet.shape[1] > 2 * 160
    assert done.stderr.split()[-3:] == ["review.html", "sheet.png", "review.md"]
    again = game.run("diff", "--html", "review.html", "--folder", "--sheet", "sheet.png", "--json")
    assert [change["name"] for change in json.loads(again.stdout)["changes"]] == ["hero"]
    assert len(list((game.folder / "review-pictures").iterdir())) == 2
    assert np.array_equal(png.decode(game.folder / "sheet.png"), sheet)


@pytest.mark.slow
def test_the_comment_may_go_to_stdout(game: Game) -> None:
    words = (
        "diff",
        "--markdown",
        "-",
        "--link",
        "https://ci.example/1",
        "--sheet-link",
        "https://ci.example/s",
    )
    done = game.run(*words)
    assert done.stdout.startswith(COMMENT)
    assert "https://ci.example/1" in done.stdout
    assert "https://ci.example/s" in done.stdout
    assert "ATTENTION" not in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["--json", "--markdown", "-"],
            "`--json` and `--markdown -` are both for stdout\n\nhint: give `--markdown` a file",
        ),
        (["--folder"], "`--folder` is about a page, and none is asked for\n\nhint: add `--html FILE`"),
        (["--inline"], "`--inline` is about a page, and none is asked for\n\nhint: add `--html FILE`"),
        (
            ["--no-pictures", "--html", "x.html"],
            "`--html` shows pictures, and `--no-pictures` looks at none\n\nhint: leave one away",
        ),
        (
            ["--html", "assets.toml"],
            "`assets.toml` is not a page of `artlock diff`" + ELSEWHERE,
        ),
        (
            ["--markdown", "assets.toml"],
            "`assets.toml` is not a page of `artlock diff --markdown`" + ELSEWHERE,
        ),
        (
            ["--sheet", "out/hero.png"],
            "`out/hero.png` is not a page of `artlock diff --sheet`" + ELSEWHERE,
        ),
    ],
)
def test_what_can_not_be_written_is_refused_first(tmp_path: Path, words: list[str], expected: str) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write("")
    (game.folder / "out").mkdir()
    (game.folder / "out" / "hero.png").write_bytes(png.encode(kit.demo("items/key")))
    assert f"error: {expected}" in game.run("diff", *words, code=2).stderr


@pytest.mark.slow
def test_of_nothing_there_is_no_sheet(game: Game) -> None:
    game.commit()
    done = game.run("diff", "--sheet", "sheet.png", "--html", "review.html")
    assert "nothing differs: `sheet.png` is not written" in done.stderr
    assert not (game.folder / "sheet.png").exists()
    assert (game.folder / "review.html").exists()


def test_a_sheet_shows_what_looks_different() -> None:
    shelf = kit.Shelf()
    review = kit.believable(shelf)
    parameters, wanted = layout(review)
    assert parameters["title"] == "moonlit-keep: 8 pictures"
    titles = [parameters["cells"].get(str(number), {}).get("title", "") for number in range(16)]
    assert titles == [
        "ui/title-card", "ui/title-card", "items/gem-ruby", "items/gem-ruby", "items/bow", "items/bow",
        "ui/logo", "ui/logo", "", "items/crown", "creatures/wolf", "creatures/wolf", "items/key", "",
        "tiles/wall", "tiles/wall",
    ]  # fmt: skip
    lines = [cell["lines"] for cell in parameters["cells"].values()]
    assert lines[:2] == [["before · 1024 x 384"], ["after · 43 %"]]
    assert ["added · 96 x 96"] in lines
    assert ["after · 440 x 240"] in lines
    assert "cell.4" not in wanted  # lost
    assert parameters["cells"]["4"]["message"] == "neither git nor the store has it any more"
    assert len(wanted) == 13


def test_a_sheet_holds_no_more_than_can_be_told_apart() -> None:
    parameters, wanted = layout(kit.many(kit.Shelf(), MOST + 6))
    assert parameters["title"] == f"moonlit-keep: {MOST + 6} pictures, {MOST} of them here"
    assert len(parameters["cells"]) == len(wanted) == 2 * MOST
    assert parameters["columns"] == COLUMNS


def test_where_nothing_looks_different_all_is_shown() -> None:
    shelf = kit.Shelf()
    same = [change for change in kit.believable(shelf).changes if change.kind is Kind.RECORD]
    parameters, _ = layout(kit.review(*same))
    assert parameters["cells"]["1"]["lines"] == ["after · same file"]


def test_of_no_change_there_is_no_layout() -> None:
    with pytest.raises(MakeError) as caught:
        layout(Review(before=kit.BEFORE, after=kit.AFTER))
    assert str(caught.value) == (
        "nothing differs, so there is nothing for a sheet\n\nhint: leave `--sheet` out"
    )


@pytest.mark.slow
def test_a_sheet_is_drawn_by_the_engine_with_what_is_lost_told(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    review = kit.believable(shelf)
    crown = next(change.after for change in review.changes if change.name == "items/crown")
    assert crown is not None
    del shelf.files[crown.shown]
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "sheet.png").write_bytes(draw(review, shelf, work))
    pixels = png.decode(tmp_path / "sheet.png")
    assert pixels.shape[1] == 2 * 24 + COLUMNS * 180 - 20


def test_a_picture_that_was_changed_by_hand_is_told(tmp_path: Path) -> None:
    shelf = kit.Shelf()
    change = kit.simple(shelf, "items/key", kit.demo("items/key"), kit.demo("items/key")[::-1])
    assert change.after is not None
    edited = msgspec.structs.replace(change.after, edited=shelf.put(kit.demo("items/axe")).file)
    _, wanted = layout(kit.review(msgspec.structs.replace(change, after=edited)))
    assert wanted["cell.1"] == edited.edited
