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
