"""`artlock reproduce`: assets made again, how far they are from the locked ones, and what was promised."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from game import Game

from buildsys.lock.read import load
from buildsys.lock.write import save
from buildsys.manifest.cards import Cards
from buildsys.manifest.model import AssetName
from buildsys.plan import recipe

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


def test_a_broken_promise_is_told(game: Game) -> None:
    draw_otherwise(game, '{request.prompt}"', '{request.prompt}!"')
    # No tolerance excuses it.
    done = game.run("reproduce", "hero", "--tolerance", "largest=255", "--json", code=1)
    (found,) = json.loads(done.stdout)
    assert (found["verdict"], found["promised"]) == ("same-recipe-different-picture", "broken")
    assert (found["closeness"], found["failed"]) == (None, True)
    told = game.run("reproduce", "hero", code=1).stdout
    assert "  the adapter promises: the same bytes on any machine; it broke its word\n" in told
    assert "\n  then and now: noise 1, numpy " in told


def test_close_enough_in_another_environment(game: Game) -> None:
    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace('"bitwise"', '"environment"'))
    draw_otherwise(
        game,
        "            Image.from",
        "            data = bytes([data[0] ^ 1]) + data[1:]\n            Image.from",
    )
    # In the same environment it promised the same bytes.
    (found,) = json.loads(game.run("reproduce", "hero", "--json", code=1).stdout)
    assert (found["verdict"], found["promised"]) == ("same-recipe-different-picture", "broken")
    draw_otherwise(game, '{"noise": "1"}', '{"noise": "2"}')
    (found,) = json.loads(game.run("reproduce", "hero", "--json").stdout)
    assert (found["verdict"], found["promised"]) == ("within-tolerance", "nothing")
    assert found["closeness"] == {"metric": "largest", "value": 1, "limit": 1}
    assert (found["then"]["noise"], found["now"]["noise"]) == ("1", "2")
    told = game.run("reproduce", "hero").stdout
    assert "within-tolerance  hero\n  largest is 1, the limit 1\n" in told
    assert "\n  noise: 1 then, 2 now\n" in told
    game.run("reproduce", "hero", "--tolerance", "largest=0", code=1)


def test_who_promises_nothing_fails_nothing(game: Game) -> None:
    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace('"bitwise"', '"none"'))
    draw_otherwise(game, '{request.prompt}"', '{request.prompt}!"')
    done = game.run("reproduce", "hero")
    assert done.stdout.startswith("same-recipe-different-picture  hero\n")
    assert "  the adapter promises: no two alike\n" in done.stdout


def test_what_cant_be_made_is_brought_back(game: Game, tmp_path: Path) -> None:
    manifest = game.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace("sandbox =", 'retired = "2020-01-01"\nsandbox ='))
    picture = game.folder / "out" / "hero.png"
    locked = picture.read_bytes()
    (found,) = json.loads(game.run("reproduce", "hero", "--json", code=1).stdout)
    assert (found["verdict"], found["held"], found["failed"]) == ("impossible", "place", True)
    assert found["message"] == "engine `noise` was retired on 2020-01-01"
    assert "  its locked picture is in its place\n" in game.run("reproduce", "hero", code=1).stdout
    picture.unlink()
    told = game.run("reproduce", "hero", code=1).stdout
    assert told.endswith("  its locked picture is in the store; `--to DIR` takes it from there\n")
    to = tmp_path / "again"
    told = game.run("reproduce", "hero", "--to", str(to), code=1).stdout
    assert f"  its locked picture is in the store, and taken from there\n  put at {to}/out/hero.png\n" in told
    assert (to / "out" / "hero.png").read_bytes() == locked
    assert not picture.exists()
    refused = game.run("reproduce", "hero", "--to", str(to), code=2).stderr
    assert f"`{to}` is there already, and not empty" in refused
    game.cache = tmp_path / "nothing"
    told = game.run("reproduce", "hero", code=1).stdout
    assert "  its locked picture is lost: it is not in its place, in the store or in git\n" in told


def test_what_it_was_made_from_is_made_first(game: Game, tmp_path: Path) -> None:
    game.write(ASSETS + '\n    [assets.small]\n    from = "hero"\n    finish = [{ resize = [20, 12] }]\n')
    game.build()
    shutil.rmtree(game.folder / "out")
    game.cache = tmp_path / "empty"
    (found,) = json.loads(game.run("reproduce", "small", "--json").stdout)
    assert found["verdict"] == "identical-bytes"
    draw_otherwise(game, '{request.prompt}"', '{request.prompt}!"')
    (found,) = json.loads(game.run("reproduce", "small", "--json", code=1).stdout)
    assert (found["verdict"], found["held"]) == ("impossible", "lost")
    assert found["message"] == (
        "input `image` of `small` is gone: `out/hero.png` holds other bytes now, "
        "and `hero`, made again, came out otherwise"
    )


def test_finished_by_another_finish_is_impossible(game: Game) -> None:
    path = game.folder / "assets.lock"
    lock = load(path)
    record = lock.records[AssetName("hero")]
    parts = msgspec.structs.replace(record.parts, finish_version="0.9.0")
    old = msgspec.structs.replace(record, parts=parts, recipe=recipe.digest_of(parts))
    save(path, lock.updated([old]))
    (found,) = json.loads(game.run("reproduce", "hero", "--json", code=1).stdout)
    now = Cards(game.folder).load("finish").version
    assert found["message"] == (f"`hero` was finished by the adapter `finish` 0.9.0; this artlock has {now}")
