"""Presets of hosted engines, built with from end to end: kept as they came, paid once, and no key left."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts.ideogram import good
from contracts.kit import KEY, Bench, bench_of
from contracts.pictures import MIME, picture
from contracts.providers import ALL
from contracts.server import Reply
from game import Game
from PIL import Image

from buildsys.lock.read import load
from buildsys.manifest.engines import presets
from buildsys.manifest.model import AssetName

PRESETS = {
    "ideogram": "ideogram-v1-turbo",
    "stability": "stability-sd35-medium",
    "gemini": "nano-banana-pro",
    "gpt_image": "gpt-image",
}
VARIABLES = {"gpt_image": "OPENAI_BASE_URL"}
PRICES = {"ideogram": 0.02, "stability": 0.035, "gemini": 0.134}
JSON = {"Content-Type": "application/json"}
UNSAFE = {"message": "Flagged.", "code": "moderation_blocked", "type": "image_generation_user_error"}
REFUSALS: dict[str, tuple[int, dict[str, Any], str]] = {
    "ideogram": (422, {"error": "Flagged."}, "it was not billed: Flagged."),
    "stability": (
        403,
        {"id": "1", "name": "content_moderation", "errors": ["Flagged."]},
        "it was not billed",
    ),
    "gemini": (200, {"promptFeedback": {"blockReason": "SAFETY"}}, "it may have been billed: the prompt"),
    "gpt_image": (400, {"error": UNSAFE}, "it may have been billed: `moderation_blocked`, Flagged."),
}


@pytest.fixture(params=ALL, ids=lambda provider: provider.adapter)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    name = request.param.adapter
    model = presets().table["engines"][PRESETS[name]]["model"]
    with bench_of(dataclasses.replace(request.param, model=model), tmp_path, monkeypatch) as bench:
        monkeypatch.setenv(VARIABLES.get(name, f"{name.upper()}_BASE_URL"), bench.server.url)
        yield bench


@pytest.fixture
def game(bench: Bench, tmp_path: Path) -> Game:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(manifest(bench))
    return game


def manifest(bench: Bench, finish: str = "") -> str:
    seed = "seed = 12345" if "seed" in bench.provider.request else ""
    return f"""
        [assets.knight]
        engine = "{PRESETS[bench.provider.adapter]}"
        prompt = "a moon knight"
        size = [64, 64]
        {seed}
        {finish}
        """


def assert_no_key(game: Game, *texts: str) -> None:
    assert not [text for text in texts if KEY in text]
    game.cache.mkdir(exist_ok=True)
    found = subprocess.run(
        ["grep", "--recursive", "--files-with-matches", "--text", KEY, game.folder, game.cache],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (found.returncode, found.stdout) == (1, "")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_larger_picture_is_kept_as_it_came_and_brought_to_the_size(
    bench: Bench, game: Game, kind: str
) -> None:
    came = picture((97, 96), kind)
    bench.server.will(*bench.provider.good(came, MIME[kind]))
    first = game.run("build")
    with Image.open(game.folder / "out" / "knight.png") as made:
        assert (made.size, made.format) == ((64, 64), "PNG")
    raw = hashlib.sha256(came).hexdigest()
    assert f'raw = "{raw}"' in game.lock().decode()
    assert (game.cache / "v1" / "objects" / raw[:2] / raw[2:]).read_bytes() == came

    assert game.build() == {"fresh": ["knight"]}
    game.write(manifest(bench, "finish = [{ resize = [32, 32] }]"))
    assert game.build() == {"built": ["knight"]}
    with Image.open(game.folder / "out" / "knight.png") as made:
        assert made.size == (32, 32)
    assert len(bench.server.paid) == 1
    with sqlite3.connect(game.folder / ".artlock" / "journal.db") as journal:
        costs = [cost for (cost,) in journal.execute("SELECT cost FROM action WHERE cost > 0")]
    assert costs == [PRICES[bench.provider.adapter]] if bench.provider.adapter in PRICES else len(costs) <= 1
    assert_no_key(game, first.stdout, first.stderr)


def test_a_rewritten_prompt_is_in_the_lock_beside_the_one_that_was_sent(bench: Bench, game: Game) -> None:
    if bench.provider.adapter != "ideogram":
        pytest.skip("this provider does not say how it rewrote a prompt")
    game.write(
        """
        [styles.keep]
        prompt = "{prompt}, moonlit keep"

        [assets.knight]
        engine = "ideogram-v1-turbo"
        style = "keep"
        prompt = "{one of: a moon|a sun} knight"
        size = [64, 64]
        seed = 12345
        parameters = { magic_prompt = "on" }
        """
    )
    (now,) = json.loads(game.run("prompts", "--json").stdout)
    bench.server.will(*good(picture((64, 64)), "image/png", prompt="A knight under a full moon", seed=99))
    assert game.build() == {"built": ["knight"]}
    assert bench.server.paid[0].body["image_request"]["prompt"] == now["prompt"]
    record = load(game.folder / "assets.lock").records[AssetName("knight")]
    assert record.parts.prompt == now["prompt"]
    assert record.parts.prompt in ("a moon knight, moonlit keep", "a sun knight, moonlit keep")
    assert dict(record.sent) == {"seed": 99, "prompt": "A knight under a full moon"}
    (then,) = json.loads(game.run("prompts", "--json").stdout)
    assert then["locked"]["prompt"] == now["prompt"]
    assert then["locked"]["rewritten"] == "A knight under a full moon"
    assert "  rewritten  A knight under a full moon\n" in game.run("prompts").stdout
    # It made nothing stale: what was asked for is what the recipe holds.
    assert game.build() == {"fresh": ["knight"]}


def test_a_provider_that_asks_to_wait_is_asked_once_more(bench: Bench, game: Game) -> None:
    slow = Reply(429, b'{"error": "slow down"}', {**JSON, "Retry-After": "1"})
    bench.server.will(slow, *bench.provider.good(picture((64, 64)), "image/png"))
    assert game.build() == {"built": ["knight"]}
    assert len(bench.server.paid) == 2


def test_a_refusal_is_told_with_what_it_may_have_cost(bench: Bench, game: Game) -> None:
    status, body, words = REFUSALS[bench.provider.adapter]
    bench.server.will(Reply(status, json.dumps(body).encode(), JSON))
    failed = game.run("build", code=1)
    assert f"{bench.provider.name} refused it, and {words}" in failed.stdout + failed.stderr
    assert "hint: change the prompt" in failed.stdout + failed.stderr
    assert len(bench.server.paid) == 1


def test_an_empty_account_is_told_once_and_in_plain_words(bench: Bench, game: Game) -> None:
    said = json.dumps({"error": f"no credits left for {KEY}"}).encode()
    bench.server.will(Reply(402, said, JSON))
    failed = game.run("build", code=1)
    told = failed.stdout + failed.stderr
    assert f"the account at {bench.provider.name} is used up (402)" in told
    assert "look at the account's balance and limits" in told
    assert len(bench.server.paid) == 1
    assert_no_key(game, told)


def test_a_command_that_prints_the_key_does_for_it(
    bench: Bench, game: Game, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{KEY}\nnotes\n")
    monkeypatch.delenv(bench.provider.variable)
    monkeypatch.setenv(f"{bench.provider.variable}_COMMAND", f"cat {secret}")
    bench.server.will(Reply(403, f"{KEY} may not do that".encode(), {"Content-Type": "text/plain"}))
    failed = game.run("build", code=1)
    assert f"${bench.provider.variable} may not do that" in failed.stdout + failed.stderr
    assert_no_key(game, failed.stdout, failed.stderr)

    secret.unlink()
    failed = game.run("build", code=1)
    told = failed.stdout + failed.stderr
    assert f"the command in `{bench.provider.variable}_COMMAND` failed with exit code 1: cat: " in told
    assert len(bench.server.paid) == 1
