"""`artlock prompts`: what would be sent, what was sent, and what CLIP would not read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from game import Game
from test_tokens import MERGES

ASSETS = """
[variables]
metal = "{one of: iron|silver|gold}"

[styles.keep]
prompt = "{prompt}, moonlit keep"
[styles.night]
inherits = "keep"
prompt = "{prompt},\\nat night"

[roles.poster]
final = "noise"

[assets.hero]
role = "sprite"
style = "night"
prompt = "{metal} knight"
seed = 1
size = [32, 32]

[assets.plain]
role = "sprite"
seed = 1
size = [32, 32]

[assets.icon]
from = "hero"

[assets.title]
engine = "vector"
text = "Keep"
size = [64, 32]
parameters = { font = "bundled:fonts/cinzel-bold.ttf" }

[assets.cover]
role = "poster"
prompt = "the keep"
seed = 3
size = [32, 32]
"""

LONG = "moon " * 80 + "knight at the end"

BIG = f"""
[engines.big]
adapter = "diffusion"
model = "./model"
steps = 4

[assets.hero]
engine = "big"
prompt = "{LONG}"
negative = "fog"
seed = 1
size = [64, 64]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    return Game(tmp_path / "game", tmp_path / "cache")


def found(game: Game, *words: str) -> dict[str, Any]:
    return {item["name"]: item for item in json.loads(game.run("prompts", "--json", *words).stdout)}


def test_every_text_as_it_would_be_sent(game: Game) -> None:
    game.write(ASSETS)
    said = game.run("prompts")
    assert said.stdout == (
        "hero  noise\n"
        "  prompt     silver knight, moonlit keep,\n"
        "             at night\n"
        "\n"
        "title  vector\n"
        "  text       Keep\n"
        "\n"
        "cover  no engine in this profile\n"
        "  prompt     the keep\n"
    )
    assert said.stderr == "\n3 assets with texts, 0 longer than CLIP reads\n"
    assert game.made() == []


def test_the_same_for_a_program(game: Game) -> None:
    game.write(ASSETS)
    assert found(game, "hero", "plain") == {
        "hero": {
            "name": "hero",
            "engine": "noise",
            "prompt": "silver knight, moonlit keep,\nat night",
            "negative": "",
            "text": "",
            "locked": None,
            "cuts": [],
        }
    }


def test_an_unknown_asset(game: Game) -> None:
    game.write(ASSETS)
    assert (
        "asset `heor` is not in the manifest\n\nhint: did you mean `hero`?"
        in game.run("prompts", "heor", code=2).stderr
    )


def test_no_asset_has_a_text(game: Game) -> None:
    game.write("")
    said = game.run("prompts")
    assert (said.stdout, said.stderr) == ("", "no asset has a text\n")


def test_what_was_sent_and_what_the_provider_made_of_it(game: Game) -> None:
    adapter = game.folder / "tools" / "noise.py"
    code = adapter.read_text()
    adapter.write_text(
        code.replace(
            "output=request.output)\n",
            'output=request.output, sent={"prompt": request.prompt + ", 8k\\x1b[31m"})\n',
        )
    )
    text = '[assets.hero]\nrole = "sprite"\nprompt = "{}"\nseed = 1\nsize = [32, 32]\n'
    game.write(text.format("moon knight"))
    game.build()
    assert found(game)["hero"]["locked"] == {
        "engine": "noise",
        "prompt": "moon knight",
        "negative": "",
        "text": "",
        "rewritten": "moon knight, 8k\x1b[31m",
    }
    game.write(text.format("sun knight"))
    assert game.run("prompts").stdout == (
        "hero  noise\n"
        "  prompt     sun knight\n"
        "  locked     moon knight\n"
        "  rewritten  moon knight, 8k\\x1b[31m\n"
    )


def test_a_long_prompt_is_told_by_the_card_where_the_model_is_not_here(game: Game) -> None:
    game.write(BIG)
    (cut,) = found(game)["hero"]["cuts"]
    assert (cut["field"], cut["tokens"], cut["exact"], cut["limit"]) == ("prompt", 86, False, 77)
    assert cut["unseen"] == "moon moon moon moon moon knight at the end"
    assert cut["message"] == (
        "CLIP reads 77 of the about 86 tokens of the prompt, about without "
        "`moon moon moon moon moon knight at the end`; a T5 reads on, up to `max_sequence_length`"
    )
    said = game.run("prompts")
    assert f"  warning    {cut['message']}\n" in said.stdout
    assert said.stderr == "\n1 asset with texts, 1 longer than CLIP reads\n"


def model(game: Game, tokenizer: str) -> Path:
    folder = game.folder / "model"
    (folder / "tokenizer").mkdir(parents=True)
    index = {"_class_name": "Pipeline", "tokenizer": ["transformers", tokenizer], "vae": [None, None]}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder / "tokenizer"


def test_a_model_that_is_here_counts_exactly(game: Game) -> None:
    game.write(BIG)
    tokenizer = model(game, "CLIPTokenizer")
    (tokenizer / "merges.txt").write_text(MERGES)
    (cut,) = found(game)["hero"]["cuts"]
    assert (cut["tokens"], cut["exact"]) == (2 + 80 + 1 + 2 + 3 + 3, True)
    assert cut["message"].startswith("CLIP reads 77 of the 91 tokens of the prompt, without `moon moon")
    (tokenizer / "tokenizer_config.json").write_text('{"model_max_length": 91}')
    assert found(game)["hero"]["cuts"] == []


def test_a_model_of_the_hub_counts_exactly_too(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = "a" * 40
    game.write(BIG.replace('"./model"', f'"some/model"\nrevision = "{commit}"'))
    model(game, "CLIPTokenizerFast").joinpath("merges.txt").write_text(MERGES)
    snapshots = game.folder / "hub" / "models--some--model" / "snapshots"
    snapshots.mkdir(parents=True)
    (game.folder / "model").rename(snapshots / commit)
    monkeypatch.setenv("HF_HUB_CACHE", str(game.folder / "hub"))
    assert found(game)["hero"]["cuts"][0]["exact"]


def test_a_model_without_clip_has_no_such_limit(game: Game) -> None:
    game.write(BIG)
    model(game, "Qwen2Tokenizer")
    assert found(game)["hero"]["cuts"] == []


@pytest.mark.parametrize("index", ["", "[]", "{}", '{"tokenizer": []}', "[" * 100_000])
def test_an_odd_model_is_no_bug(game: Game, index: str) -> None:
    game.write(BIG)
    (game.folder / "model").mkdir()
    (game.folder / "model" / "model_index.json").write_text(index)
    assert len(found(game)["hero"]["cuts"]) <= 1
