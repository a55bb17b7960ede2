"""A whole build with each hosted engine: paid for once, and the key in nothing that is left behind."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from contracts import gemini, gpt_image, ideogram
from contracts.kit import KEY, Bench, Script, bench_of
from contracts.pictures import picture
from contracts.providers import ALL
from contracts.server import Fault, Reply
from game import Game

JSON = {"Content-Type": "application/json"}
VARIABLES = {provider.variable for provider in ALL}
BASES = {"gpt_image": "OPENAI_BASE_URL"}
NEVER_AGAIN = (400, 401, 402, 403, 404, 413, 422)


@pytest.fixture(params=ALL, ids=lambda provider: provider.adapter)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with bench_of(request.param, tmp_path, monkeypatch) as bench:
        yield bench


def manifest(bench: Bench) -> str:
    seed = "seed = 12345" if "seed" in bench.provider.request else ""
    return f"""
        [engines.studio]
        adapter = "{bench.provider.adapter}"
        model = "{bench.provider.model}"
        base_url = "{bench.server.url}"
        timeout = 20

        [assets.knight]
        engine = "studio"
        prompt = "a moon knight"
        size = [64, 64]
        {seed}
        """


def test_what_was_paid_for_is_never_paid_for_again_and_no_key_is_left(bench: Bench, tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(manifest(bench))
    bench.server.will(*bench.provider.good(picture((64, 64)), "image/png"))
    assert game.build() == {"built": ["knight"]}
    assert "knight.png" in game.outputs()

    (game.folder / "out" / "knight.png").unlink()
    assert game.build() == {"restored": ["knight"]}
    assert len(bench.server.paid) == 1

    bench.server.will(Reply(403, f"{KEY} may not do that".encode(), {"Content-Type": "text/plain"}))
    game.write(manifest(bench).replace("a moon knight", "a sun knight"))
    failed = game.run("build", code=1)
    assert f"${bench.provider.variable} may not do that" in failed.stdout + failed.stderr
    assert len(bench.server.paid) == 2
    assert KEY not in failed.stdout + failed.stderr
    found = subprocess.run(
        ["grep", "--recursive", "--files-with-matches", "--text", KEY, game.folder, game.cache],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (found.returncode, found.stdout) == (1, "")


def test_what_can_t_pass_is_asked_for_once(bench: Bench, tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    first, more = manifest(bench).split("[assets.knight]")
    game.write(first + "".join(f"[assets.knight-{status}]{more}" for status in NEVER_AGAIN))
    # In any order, as they are asked for side by side: it is the number that counts.
    bench.server.will(*[Reply(status, b'{"error": {"message": "No."}}', JSON) for status in NEVER_AGAIN])
    assert len(game.build(code=1)["failed"]) == len(NEVER_AGAIN)
    assert len(bench.server.paid) == len(NEVER_AGAIN)


def test_a_provider_that_is_down_is_asked_again_when_it_says(bench: Bench, tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(manifest(bench))
    down = Reply(503, b"{}", {**JSON, "Retry-After": "1"})
    bench.server.will(down, *bench.provider.good(picture((64, 64)), "image/png"))
    assert game.build() == {"built": ["knight"]}
    assert len(bench.server.paid) == 2


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.DROP])
def test_a_lost_answer_is_not_paid_for_again(bench: Bench, tmp_path: Path, fault: Fault) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(manifest(bench))
    good = bench.provider.good(picture((64, 64)), "image/png")
    bench.server.will(Reply(200, b"x" * 999, JSON, fault), *good)
    failed = game.build(code=1)
    failure = failed["failures"]["knight"]
    assert failure["kind"] == "uncertain"
    assert failure["message"].endswith(". The picture may have been made, and billed")
    assert len(bench.server.paid) == 1


def wordy(bench: Bench) -> Script:
    """A good picture, with more words than a message between engine and builder may have."""
    words, data = "x" * 5_000_000, picture((64, 64))
    if bench.provider.adapter == "ideogram":
        return ideogram.good(data, "image/png", prompt=words)
    if bench.provider.adapter == "gemini":
        return (gemini.reply(gemini.candidate(gemini.inline(data, "image/png")), modelVersion=words),)
    (whole,) = gpt_image.good(data, "image/png")
    assert isinstance(whole, Reply)
    body = json.loads(whole.body)
    body["data"][0]["revised_prompt"] = words
    return (Reply(200, json.dumps(body).encode(), whole.headers),)


@pytest.mark.parametrize(
    "bench",
    [ideogram.PROVIDER, gemini.PROVIDER, gpt_image.PROVIDER],
    indirect=True,
    ids=lambda provider: provider.adapter,
)
def test_a_failure_of_ours_over_an_answer_is_not_paid_for_again(bench: Bench, tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(manifest(bench))
    bench.server.will(*wordy(bench))
    failed = game.build(code=1)
    failure = failed["failures"]["knight"]
    assert failure["kind"] == "internal"
    assert failure["message"].endswith(". The picture may have been made, and billed")
    assert len(bench.server.paid) == 1


def test_a_picture_that_came_too_small_was_paid_for(bench: Bench, tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(manifest(bench).replace("size = [64, 64]", "size = [1024, 1024]"))
    bench.server.will(*bench.provider.good(picture((512, 512)), "image/png"))
    failure = game.build(code=1)["failures"]["knight"]
    assert (failure["kind"], failure["hint"]) == ("internal", "ask for at most 512 x 512")
    assert len(bench.server.paid) == 1
    total = json.loads(game.run("report", "--json").stdout)["spends"]["total"]
    assert total == {"pictures": 1, "usd": 0.0, "unknown": 1}


def test_the_variable_s_address_wins_over_the_manifest_s(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bench.provider.adapter
    monkeypatch.setenv(BASES.get(name, f"{name.upper()}_BASE_URL"), bench.server.url)
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(manifest(bench).replace(bench.server.url, "http://nowhere.invalid"))
    bench.server.will(*bench.provider.good(picture((64, 64)), "image/png"))
    assert game.build() == {"built": ["knight"]}


def test_an_engine_that_is_killed_while_it_waits_does_not_pay_again(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES - {bench.provider.variable}:
        monkeypatch.setenv(variable, "a-neighbour-s")
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(manifest(bench))
    bench.server.will(Reply(fault=Fault.HANG), *bench.provider.good(picture((64, 64)), "image/png"))
    build = game.start("build")
    assert bench.server.called.wait(20)
    (engine,) = [
        process
        for process in psutil.Process(build.pid).children(recursive=True)
        if bench.provider.adapter in process.cmdline() and not process.children()
    ]
    seen = engine.environ()
    assert VARIABLES & set(seen) == {bench.provider.variable}
    assert "a-neighbour-s" not in seen.values()
    engine.kill()
    out, err = build.communicate(timeout=20)
    assert build.returncode == 1, (out, err)
    assert "was killed by SIGKILL while making `knight`" in out + err
    assert len(bench.server.paid) == 1
