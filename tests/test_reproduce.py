"""`artlock reproduce`: how far a new picture is from the locked one, by the same measures as `compare`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from game import Game

ASSETS = """
    [assets.hero]
    role = "sprite"
    prompt = "x"
    seed = 3
    size = [40, 24]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(ASSETS)
    made.build()
    return made


def draw_otherwise(game: Game, was: str, now: str) -> None:
    adapter = game.folder / "tools" / "noise.py"
    text = adapter.read_text()
    assert was in text
    adapter.write_text(text.replace(was, now))


def test_another_picture_is_measured(game: Game) -> None:
    draw_otherwise(game, '{request.prompt}"', '{request.prompt}!"')
    (found,) = json.loads(game.run("reproduce", "hero", "--json", code=1).stdout)
    distance = found["distance"]
    assert found["verdict"] == "same-recipe-different-picture"
    assert 0 < distance["hash_bits"] <= 64
    assert 0 < distance["psnr"] < 20
    assert -1 <= distance["ssim"] < 0.5
    assert (distance["resized"], distance["changed"]) == (False, pytest.approx(1, abs=0.01))
    told = game.run("reproduce", "hero", code=1).stdout
    assert (
        f"  perceptual hash differs in {distance['hash_bits']} of 64 bits, PSNR {distance['psnr']:.1f} dB, "
        f"SSIM {distance['ssim']:.3f}, largest difference {distance['largest']} of 255, "
        f"{distance['changed']:.1%} of pixels changed\n"
    ) in told


def test_without_the_locked_bytes_the_hash_alone_is_told(game: Game) -> None:
    (game.folder / "out" / "hero.png").unlink()
    draw_otherwise(game, '{request.prompt}"', '{request.prompt}!"')
    game.cache = game.cache.with_name("another")
    (found,) = json.loads(game.run("reproduce", "hero", "--json", code=1).stdout)
    assert found["distance"]["hash_bits"] > 0
    assert (found["distance"]["psnr"], found["distance"]["ssim"]) == (None, None)
