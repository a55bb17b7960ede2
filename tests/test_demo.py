"""The demo: complete, agreed with its lock, and the same bytes on any CPU."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rtoml
from game import ROOT
from PIL import Image

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


@pytest.fixture
def checkout(demo: Path) -> Path:
    """The demo with its pictures."""
    shutil.copytree(ROOT / "out", demo / "out")
    return demo


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
def test_every_entry_of_the_lock_reproduces_identical_bytes(checkout: Path, tmp_path: Path) -> None:
    # The lock entry alone: the manifest holds nothing but the game's name.
    (checkout / "assets.toml").write_text('[project]\nname = "moonlit-keep"\n')
    again = tmp_path / "again"
    done = artlock(checkout, tmp_path / "cache", "reproduce", "--all", "--json", "--to", str(again))
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert [item for item in found if item["verdict"] != "identical-bytes"] == []
    lock = rtoml.load(ROOT / "assets.lock")["assets"]
    assert [item["name"] for item in found] == sorted(lock)
    assert len(found) == len(pictures(ROOT))
    # One of several candidates, and an atlas with its data, are among them.
    assert any("candidate" in entry for entry in lock.values())
    assert any("companions" in entry for entry in lock.values())
    assert outputs(again) == outputs(ROOT)


def test_the_demo_agrees_with_its_lock(tmp_path: Path) -> None:
    done = artlock(ROOT, tmp_path / "cache", "check", "--full", "--json")
    assert json.loads(done.stdout)["agree"], done.stdout


def test_the_demo_is_a_game_and_not_a_sample(tmp_path: Path) -> None:
    done = artlock(ROOT, tmp_path / "cache", "status", "--json")
    found = json.loads(done.stdout)
    engines = [asset["engine"] for asset in found["assets"]]
    assert len(engines) >= 30
    assert {"stock", "sprite", "vector", "finish"} <= set(engines)
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
    drawn = {asset["name"] for asset in status["assets"] if asset["engine"] in ("stock", "sprite", "vector")}
    assert drawn <= credited


def manifest() -> dict[str, Any]:
    return dict(rtoml.load(ROOT / "assets.toml"))


def locked(folder: Path, name: str) -> dict[str, Any]:
    return dict(rtoml.load(folder / "assets.lock")["assets"][name])


def lettered() -> list[str]:
    """Every asset that a font writes, by the lock."""
    assets: dict[str, Any] = rtoml.load(ROOT / "assets.lock")["assets"]
    return [name for name, entry in assets.items() if "text" in entry["recipe"]]


reads = pytest.mark.skipif(
    importlib.util.find_spec("rapidocr") is None, reason="the reader of the extra `ocr` is not here"
)


@reads
def test_all_lettering_is_read_back_as_it_was_written(demo: Path, tmp_path: Path) -> None:
    names = lettered()
    assert len(names) >= 5
    assert [name for name in names if "gates" not in locked(ROOT, name)] == []
    (demo / "assets.lock").unlink()  # what it says passed would not be judged again
    done = artlock(demo, tmp_path / "cache", "build", "--json", *names)
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stdout)["built"]) == sorted(names)
    assert "engine ocr is ready" in done.stderr
    assert [name for name in names if locked(demo, name) != locked(ROOT, name)] == []


WRONG = {
    "{ tolerance = 0.1 }": '{ tolerance = 0.1, text = "Moonlit Deep" }',
    "{ tolerance = 0.05 }": '{ tolerance = 0.05, text = "Chapter Two The Drowned Gate" }',
    "lettering = {}": 'lettering = "Pray"',
}


@reads
def test_a_wrong_word_would_not_get_in(checkout: Path, tmp_path: Path) -> None:
    # The engine letters exactly, so it is the word that must stand there which is another one here.
    text = (checkout / "assets.toml").read_text()
    for gate, other in WRONG.items():
        assert text.count(gate) == 1
        text = text.replace(gate, other)
    (checkout / "assets.toml").write_text(text)
    done = artlock(checkout, tmp_path / "cache", "build", "--json", *lettered())
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert sorted(found["failed"]) == sorted(lettered())
    assert all("failed the gate `lettering`: it reads `" in found["reasons"][name] for name in lettered())
    same_as_committed(checkout)
    assert [name for name in lettered() if not (checkout / f".artlock/rejected/{name}.png").is_file()] == []


def test_the_banner_is_a_person_s_choice_and_not_the_metric_s(checkout: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    chosen = locked(checkout, "props/banner")
    number = manifest()["assets"]["props/banner"]["pick"]
    listed = json.loads(artlock(checkout, cache, "candidates", "props/banner", "--json").stdout)
    assert listed["adopted"] == number
    seeds = {one["number"]: one["seed"] for one in listed["candidates"]}
    assert seeds[number] == chosen["recipe"]["seed"]
    # The metric, left alone, takes another one; and picked again, the same bytes come back.
    for words in (["pick", "props/banner", "--clear"], ["build", "props/banner"]):
        assert artlock(checkout, cache, *words).returncode == 0
    other = locked(checkout, "props/banner")
    assert other["candidate"] != number
    assert other["file"] != chosen["file"]
    for words in (["pick", "props/banner", str(number)], ["build", "props/banner"]):
        assert artlock(checkout, cache, *words).returncode == 0
    same_as_committed(checkout)


def test_the_lantern_is_the_metric_s_choice(demo: Path, tmp_path: Path) -> None:
    (demo / "assets.lock").unlink()  # by which the winner alone would be made
    done = artlock(demo, tmp_path / "cache", "build", "props/lantern")
    assert done.returncode == 0, done.stderr
    listed = json.loads(artlock(demo, tmp_path / "cache", "candidates", "props/lantern", "--json").stdout)
    best = max(listed["candidates"], key=lambda one: one["score"][listed["choose"]])
    assert best["number"] == listed["adopted"] == locked(ROOT, "props/lantern")["candidate"]


def test_icons_are_made_from_sprites_and_of_one_size() -> None:
    icons = sorted((ROOT / "out" / "icons").glob("*.png"))
    assert len(icons) >= 6
    for path in icons:
        assert locked(ROOT, f"icons/{path.stem}")["paths"] == {"image": f"asset:items/{path.stem}"}
        with Image.open(path) as picture:
            assert picture.size == (32, 32)
            corners = {picture.getpixel(at) for at in ((0, 0), (31, 0), (0, 31), (31, 31))}
            assert corners == {(185, 138, 61, 255)}
