"""A picture that can't be read is its engine's fault, and is made anew once the engine is mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from game import Game

HERO = '[assets.hero]\nrole = "sprite"\nseed = 1\nsize = [64, 64]\n'
SPOIL = """            data = bytearray(open(request.output, "rb").read())
            at = data.index(b"IDAT") + 40
            data[at] ^= 1
            open(request.output, "wb").write(bytes(data))
"""
DONE = "            yield Done("
BLAME = (
    "the engine `noise` made a damaged picture of `hero`\n\n"
    "hint: mend `tools/noise.py`, then build again: it is asked anew"
)


@pytest.fixture
def game(tmp_path: Path) -> Game:
    return Game(tmp_path / "game", tmp_path / "cache")


def test_a_damaged_picture_is_asked_for_anew_once_the_engine_is_mended(game: Game) -> None:
    adapter = game.folder / "tools" / "noise.py"
    whole = adapter.read_text()
    adapter.write_text(whole.replace(DONE, SPOIL + DONE))
    assert SPOIL in adapter.read_text()
    game.write(HERO)
    assert BLAME in game.run("build", code=1).stderr
    assert game.made() == ["hero"]
    adapter.write_text(whole)
    game.run("build")
    assert game.made() == ["hero"], "the damaged picture must not be recalled"
    assert (game.folder / "out" / "hero.png").exists()
    # What was paid for lies in the store still.
    assert sum(path.is_file() for path in game.cache.rglob("*") if "objects" in path.parts) >= 3


def test_a_step_that_fails_costs_no_second_picture(game: Game) -> None:
    (game.folder / "palette.png").write_bytes(b"no picture")
    game.write(HERO + 'finish = [{ quantize = { palette = "palette.png" } }]\n')
    done = game.run("build", code=1)
    assert "finish step `quantize`: " in done.stderr
    assert "damaged picture" not in done.stderr
    assert game.made() == ["hero"]
    game.write(HERO)
    game.run("build")
    assert game.made() == [], "its picture was whole"
