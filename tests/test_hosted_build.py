"""A whole build with each hosted engine: paid for once, and the key in nothing that is left behind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from contracts.kit import KEY, Bench, bench_of
from contracts.pictures import picture
from contracts.providers import ALL
from contracts.server import Fault, Reply
from game import Game


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


def test_an_engine_that_is_killed_while_it_waits_does_not_pay_again(bench: Bench, tmp_path: Path) -> None:
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
    engine.kill()
    out, err = build.communicate(timeout=20)
    assert build.returncode == 1, (out, err)
    assert "was killed by SIGKILL while making `knight`" in out + err
    assert len(bench.server.paid) == 1
