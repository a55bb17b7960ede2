"""The engines that every project has: ready, or what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from game import Game

KEYS = ("STABILITY_API_KEY", "IDEOGRAM_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY")
HOSTED = {
    "stability-sd35-medium": KEYS[0],
    "stability-sd35-turbo": KEYS[0],
    "ideogram-v1-turbo": KEYS[1],
    "ideogram-v2a-turbo": KEYS[1],
    "ideogram-v3-turbo": KEYS[1],
    "nano-banana-pro": KEYS[2],
    "gpt-image": KEYS[3],
}


@pytest.fixture
def game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Game:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
        monkeypatch.delenv(f"{key}_COMMAND", raising=False)
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write("")
    return game


def engines(game: Game) -> dict[str, dict[str, object]]:
    return {item["name"]: item for item in json.loads(game.run("engines", "--json").stdout)}


def test_a_hosted_engine_says_which_key_it_lacks(game: Game) -> None:
    found = engines(game)
    for name, key in HOSTED.items():
        assert (found[name]["ready"], found[name]["roles"] != []) == (False, True)
        assert found[name]["missing"] == f"engine `{name}` needs the key `{key}`"
        assert found[name]["hint"] == f"set the environment variable `{key}`"


@pytest.mark.parametrize("suffix", ["", "_COMMAND"])
def test_a_key_or_a_command_that_prints_one_makes_it_ready(
    game: Game, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in KEYS:
        monkeypatch.setenv(f"{key}{suffix}", "false")
    found = engines(game)
    assert [name for name in HOSTED if not found[name]["ready"]] == []


def test_dall_e_3_is_retired_and_names_its_successor(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "false")
    found = engines(game)["dalle3"]
    assert (found["ready"], found["retires"]) == (False, "2026-05-12")
    assert found["missing"] == "engine `dalle3` was retired on 2026-05-12"
    assert found["hint"] == "use `gpt-image` instead"
    game.write('[assets.a]\nengine = "dalle3"\nprompt = "a knight"')
    told = game.run("build", code=1)
    assert "engine `dalle3` was retired on 2026-05-12" in told.stdout + told.stderr
