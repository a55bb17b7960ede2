"""A build with the diffusion engine: weights identified by their bytes, pictures made again from the lock."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("torch")

import sd3_small
from game import ROOT, Game
from PIL import Image

from engines.diffusion.missing import command

ASSETS = """
    [engines.small]
    adapter = "diffusion"
    model = "./weights"
    steps = 2
    guidance = 4.5

    [assets.knight]
    role = "sprite"
    engine = "small"
    prompt = "moon knight"
    negative = "blurry"
    seed = 12345
    size = [64, 64]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    sd3_small.make(made.folder / "weights")
    made.write(ASSETS)
    return made


@pytest.mark.slow
def test_a_local_model_is_its_weights(game: Game) -> None:
    assert game.build() == {"built": ["knight"]}
    lock = game.lock()
    assert b'model = "folder"' in lock
    assert b'torch = "2.13.0' in lock

    # Moved, the weights are the same; a build has nothing to do.
    (game.folder / "weights").rename(game.folder / "models")
    game.write(ASSETS.replace("./weights", "./models"))
    assert game.build() == {"fresh": ["knight"]}

    found = json.loads(game.run("reproduce", "knight", "--json").stdout)
    assert found[0]["verdict"] == "identical-bytes"

    # Other weights are another recipe, and the old picture can't be made from them.
    shutil.rmtree(game.folder / "models")
    sd3_small.make(game.folder / "models", seed=1)
    reasons = json.loads(game.run("explain", "knight", "--json").stdout)[0]["reasons"]
    assert [reason["field"] for reason in reasons] == ["revision"]
    assert "impossible  knight" in game.run("reproduce", "knight", code=1).stdout


@pytest.mark.slow
def test_a_portable_picture_is_made_again_as_it_was_made(game: Game) -> None:
    game.write(ASSETS.replace("steps = 2", "steps = 2\n    portable = true"))
    assert game.build() == {"built": ["knight"]}
    assert b"portable = true" in game.lock()
    engine = json.loads(game.run("engines", "small", "--json").stdout)[0]
    assert engine["determinism"] == "bitwise"

    # Another way of computing is another recipe: never by itself, and never mistaken for the same.
    game.write(ASSETS)
    reasons = json.loads(game.run("explain", "knight", "--json").stdout)[0]["reasons"]
    assert [reason["field"] for reason in reasons] == ["parameters.portable"]
    # The lock says how it was made; the manifest by now says otherwise, and is not asked.
    (again,) = json.loads(game.run("reproduce", "knight", "--json").stdout)
    told = {key: again[key] for key in ("verdict", "determinism", "promised")}
    assert told == {"verdict": "identical-bytes", "determinism": "bitwise", "promised": "kept"}
    assert again["now"]["MKL_CBWR"] == "COMPATIBLE"


PICTURES = """
    [assets.hero]
    role = "sprite"
    seed = 1
    size = [64, 64]

    [assets.repaint]
    engine = "small"
    prompt = "moon knight"
    seed = 2
    size = [64, 64]
    parameters = { image = { asset = "hero" }, mask = "art/mask.png", strength = 0.5 }
"""


@pytest.mark.slow
def test_a_picture_is_made_again_when_those_it_starts_from_change(game: Game) -> None:
    engine = ASSETS.partition("[assets")[0]
    game.write(engine + PICTURES)
    mask = game.folder / "art" / "mask.png"
    mask.parent.mkdir()
    picture = Image.new("L", (64, 64), 0)
    picture.paste(255, (0, 0, 64, 32))
    picture.save(mask)
    assert game.build() == {"built": ["hero", "repaint"]}
    hero, repaint = (Image.open(game.folder / "out" / f"{name}.png") for name in ("hero", "repaint"))
    with hero, repaint:
        # What the mask leaves black is the hero's own.
        lower = (0, 32, 64, 64)
        assert repaint.convert("RGB").crop(lower).tobytes() == hero.convert("RGB").crop(lower).tobytes()
        assert repaint.convert("RGB").tobytes() != hero.convert("RGB").tobytes()

    # The same bytes, written anew and in another place, are the same mask.
    moved = mask.rename(mask.with_name("upper.png"))
    game.write(engine + PICTURES.replace("art/mask.png", "art/upper.png"))
    assert game.build() == {"fresh": ["hero", "repaint"]}
    picture.paste(0, (0, 16, 64, 32))
    picture.save(moved)
    assert game.build() == {"built": ["repaint"], "fresh": ["hero"]}

    # Another hero is another start.
    changed = PICTURES.replace("art/mask.png", "art/upper.png").replace("seed = 1", "seed = 3")
    game.write(engine + changed)
    assert game.build() == {"built": ["hero", "repaint"]}
    found = json.loads(game.run("reproduce", "repaint", "--json").stdout)
    assert found[0]["verdict"] == "identical-bytes"


@pytest.mark.parametrize("name", ["mask", "strength"])
def test_what_says_nothing_without_a_picture_is_told_by_the_plan(game: Game, name: str) -> None:
    value = {"mask": '"art/mask.png"', "strength": "0.5"}[name]
    game.write(f"{ASSETS}    parameters = {{ {name} = {value} }}\n")
    said = game.run("plan", code=2).stderr
    assert f"asset `knight` gives engine `small` `{name}` without `image`" in said
    assert f"hint: add `parameters.image = …`, or leave `{name}` out" in said


def test_missing_weights_are_told_before_anything_starts(game: Game, tmp_path: Path) -> None:
    revision = "0123456789abcdef0123456789abcdef01234567"
    model = "stabilityai/stable-diffusion-3.5-medium"
    game.write(
        ASSETS.replace('"./weights"', f'"{model}"\n    revision = "{revision}"\n    cache = "{tmp_path}"')
    )
    found = json.loads(game.run("engines", "small", "--json").stdout)[0]
    assert found["missing"] == (
        f"engine `small` has no weights: `{model}` at `0123456789ab` is not on this machine. "
        f"Licence: on its page. Gate: log in at https://huggingface.co/{model} and accept the conditions, "
        "if it has any. Login on this machine: `hf auth login`, or a read token in `HF_TOKEN`"
    )
    assert found["hint"].startswith(f"then run `hf download {model} --revision {revision} --include")


def test_the_card_s_command_is_the_engine_s() -> None:
    card = tomllib.loads((ROOT / "engines" / "diffusion" / "adapter.toml").read_text(encoding="utf-8"))
    assert card["fetch"].format(model="a/b", revision="c") == command("a/b", "c", "")


def test_an_unpinned_model_is_blocked(game: Game) -> None:
    game.write(ASSETS.replace('"./weights"', '"stabilityai/stable-diffusion-3.5-medium"'))
    found = game.run("build", code=1).stderr
    assert "does not pin a revision of `stabilityai/stable-diffusion-3.5-medium`" in found
    assert 'hint: add `revision = "<commit>"` to `[engines.small]`' in found
