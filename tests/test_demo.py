"""The demo: complete, agreed with its lock, and the same bytes on any CPU."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from game import ROOT

FILES = ("assets.toml", "assets.lock", "out")
LOWERED = {
    # Each library's own switch for an older CPU: no AVX, no FMA.
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR "
    "AVX2 FMA3",
    "OPENBLAS_CORETYPE": "Nehalem",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-FMA,-FMA4,-AVX512F,-AVX512VL,-ERMS,-BMI2",
}


def artlock(folder: Path, cache: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ARTLOCK_")}
    return subprocess.run(
        [sys.executable, "-m", "buildsys", *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "ARTLOCK_CACHE_DIR": str(cache), **environ},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """The demo in a folder without a git repository: nothing can come back from git."""
    folder = tmp_path / "demo"
    folder.mkdir()
    shutil.copy(ROOT / "assets.toml", folder)
    shutil.copy(ROOT / "assets.lock", folder)
    return folder


def outputs(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted((folder / "out").rglob("*"))
        if path.is_file()
    }


def pictures(root: Path) -> list[str]:
    """One for each asset: the data of an atlas lies beside its picture."""
    return [name for name in outputs(root) if name.endswith(".png")]


def same_as_committed(folder: Path) -> None:
    made, committed = outputs(folder), outputs(ROOT)
    assert sorted(made) == sorted(committed)
    assert [name for name in committed if made[name] != committed[name]] == []
    assert (folder / "assets.lock").read_bytes() == (ROOT / "assets.lock").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("environ", [{}, LOWERED], ids=["this CPU", "an older CPU"])
def test_every_committed_byte_comes_back_from_an_empty_cache(
    demo: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    done = artlock(demo, tmp_path / "cache", "build", "--json", **environ)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["restored"], found["fresh"]) == ([], [])
    assert len(found["built"]) == len(pictures(ROOT))
    same_as_committed(demo)


@pytest.mark.slow
def test_every_entry_of_the_lock_reproduces_identical_bytes(demo: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "out", demo / "out")
    # The lock entry alone: the manifest holds nothing but the game's name.
    (demo / "assets.toml").write_text('[project]\nname = "moonlit-keep"\n')
    done = artlock(demo, tmp_path / "cache", "reproduce", "--all", "--json")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert [item for item in found if item["verdict"] != "identical-bytes"] == []
    assert len(found) == len(pictures(ROOT))


def test_the_demo_agrees_with_its_lock(tmp_path: Path) -> None:
    done = artlock(ROOT, tmp_path / "cache", "check", "--full", "--json")
    assert json.loads(done.stdout)["agree"], done.stdout


def test_the_demo_is_a_game_and_not_a_sample(tmp_path: Path) -> None:
    done = artlock(ROOT, tmp_path / "cache", "status", "--json")
    found = json.loads(done.stdout)
    engines = [asset["engine"] for asset in found["assets"]]
    assert len(engines) >= 30
    assert {"stock", "vector", "finish"} <= set(engines)
    assert len(found["elsewhere"]) >= 4
    assert found["unowned"] == []


def test_other_profiles_are_blocked_with_a_mend(tmp_path: Path) -> None:
    done = artlock(ROOT, tmp_path / "cache", "plan", "--profile", "final", "--json")
    steps = {step["name"]: step for step in json.loads(done.stdout)}
    blocked = {name: step for name, step in steps.items() if step["verdict"] == "blocked"}
    assert len(blocked) >= 4
    assert all(step["reasons"][0]["why"] == "engine" for step in blocked.values())


def test_the_credits_name_every_icon_s_author(tmp_path: Path) -> None:
    done = artlock(ROOT, tmp_path / "cache", "credits", "--json")
    credited = {name for item in json.loads(done.stdout) for name in item["assets"]}
    status = json.loads(artlock(ROOT, tmp_path / "cache", "status", "--json").stdout)
    drawn = {asset["name"] for asset in status["assets"] if asset["engine"] in ("stock", "vector")}
    assert drawn <= credited
