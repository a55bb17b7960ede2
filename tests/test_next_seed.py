"""Whole builds where a failed gate tries the next seed, and where a rejected set is drawn anew."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from game import Game
from moods import HERO, Studio
from PIL import Image

from buildsys.manifest.candidates import seeds

NAME = "knight"
SEEDS = seeds(7, 8)
KNIGHT = """
[assets.knight]
role = "sprite"
prompt = "a knight"
seed = 7
size = [16, 16]
candidates = 8
choose = "first"
"""
GATES = 'gates = { distance = { reference = "like.png", hash_bits = 0 } }\n'


@pytest.fixture
def game(tmp_path: Path) -> Game:
    return Game(tmp_path / "game", tmp_path / "cache")


def wanted(game: Game, seed: int, luck: str = "") -> None:
    """Let only the picture of `seed` pass."""
    data = hashlib.shake_256(f"{seed} a knight{luck}".encode()).digest(16 * 16 * 3)
    Image.frombytes("RGB", (16, 16), data).save(game.folder / "like.png")


def labels(*numbers: int) -> list[str]:
    return [f"{NAME}#{number}" for number in numbers]


def shown(game: Game) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(game.run("candidates", NAME, "--json").stdout)
    return table


def test_the_second_seed_passes_and_no_other_is_made_or_measured(game: Game) -> None:
    game.write(KNIGHT + GATES)
    wanted(game, SEEDS[1])
    done = game.run("build", "--json")
    assert json.loads(done.stdout)["built"] == [NAME]
    assert game.made() == labels(1, 2)
    assert "note: candidate 2 of 8 was chosen, 1 out: see `.artlock/candidates/knight.png`" in done.stderr
    found = shown(game)
    assert found["adopted"] == 2
    assert [one["message"] for one in found["candidates"]] == [None, None, *["not made"] * 6]
    assert [bool(one["faults"]) for one in found["candidates"][:2]] == [True, False]
    assert [one["score"] for one in found["candidates"]] == [None] * 8
    assert game.run("candidates", NAME).stdout.count("not made") == 6
    assert game.build()["fresh"] == [NAME]
    # One that was not needed can be picked all the same; and the choice is still known.
    game.write(KNIGHT)
    game.run("pick", NAME, "5")
    assert game.build()["built"] == [NAME]
    assert game.made() == [NAME]
    game.write(KNIGHT + GATES)
    game.build()
    assert game.made() == []
    assert shown(game)["adopted"] == 2


def test_none_passes_after_all_were_tried(game: Game) -> None:
    game.write(KNIGHT + GATES)
    wanted(game, 99)
    found = game.build(code=1)
    assert found["failed"] == [NAME]
    assert found["reasons"][NAME].startswith("none of the 8 candidates of `knight` passed its gates\n  1: ")
    assert game.made() == labels(*range(1, 9))
    assert game.build(code=1)["blocked"] == [NAME]
    # The engine would draw the same pictures again.
    assert game.build("--rebuild", NAME, code=1)["blocked"] == [NAME]
    assert game.made() == []


def test_without_gates_it_is_one_picture(game: Game) -> None:
    game.write(KNIGHT)
    assert game.build()["built"] == [NAME]
    assert game.made() == labels(1)
    assert shown(game)["adopted"] == 1


def test_what_a_kill_left_is_not_made_again(game: Game) -> None:
    game.write(KNIGHT + GATES + "parameters = { seconds = 0.4 }\n")
    wanted(game, SEEDS[3])
    build = game.start("build")
    until = time.monotonic() + 60
    while not (game.count.exists() and len(game.count.read_text().split()) >= 3):
        assert time.monotonic() < until
        time.sleep(0.02)
    build.kill()
    build.communicate()
    assert set(game.made()) <= set(labels(1, 2, 3, 4))
    game.build()
    # Only what was being drawn, or stored, when the kill came.
    assert set(game.made()) <= set(labels(3, 4))
    assert shown(game)["adopted"] == 4


def test_what_may_pass_fails_the_asset_before_the_next_seed(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.engines(HERO + 'candidates = 3\nchoose = "first"\n', alpha="price = 0.02\n")
    (planned,) = json.loads(studio.run("plan", "--json").stdout)
    assert planned["cost"] == pytest.approx(0.06)
    studio.told(**{"alpha__hero#1": "transient"})
    assert studio.build(code=1)["failed"] == ["hero"]
    assert studio.asked() == ["alpha hero#1"]
    studio.told()
    assert studio.build("--budget", "0.02")["built"] == ["hero"]
    assert studio.asked() == ["alpha hero#1"]


@pytest.mark.parametrize("choose", ["first", "contrast"])
def test_rebuild_draws_a_rejected_set_anew_where_the_engine_varies(game: Game, choose: str) -> None:
    tools, luck = game.folder / "tools", game.folder.parent / "luck.txt"
    (tools / "noise.toml").write_text((tools / "noise.toml").read_text().replace('"bitwise"', '"none"'))
    adapter = (tools / "noise.py").read_text()
    drawn = '{request.prompt}".encode()'
    assert drawn in adapter
    (tools / "noise.py").write_text(
        adapter.replace(drawn, f'{{request.prompt}}{{open({str(luck)!r}).read()}}".encode()')
    )
    game.write(KNIGHT.replace("first", choose).replace("8", "3") + GATES)
    wanted(game, SEEDS[1], "good")
    luck.write_text("bad")
    assert game.build(code=1)["failed"] == [NAME]
    assert game.made() == labels(1, 2, 3)
    luck.write_text("good")
    assert game.build(code=1)["blocked"] == [NAME]
    # The pictures that there are, held against the gates once more.
    assert game.build("--retry-refused", code=1)["failed"] == [NAME]
    assert game.made() == []
    assert game.build("--rebuild", NAME)["built"] == [NAME]
    assert game.made() == (labels(1, 2) if choose == "first" else labels(1, 2, 3))
    assert shown(game)["adopted"] == 2
    assert game.build()["fresh"] == [NAME]
    (game.folder / "out" / "knight.png").unlink()
    assert game.build()["restored"] == [NAME]
