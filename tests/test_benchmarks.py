"""The benchmarks, each in its small run: they work, and their JSON has what the page needs. No timings."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks"
GIB = 2**30


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Emptied at the end: pytest keeps its folders, and the models are a gigabyte."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def small(name: str, folder: Path) -> Any:
    file = folder / f"{name}.json"
    done = subprocess.run(
        [sys.executable, HERE / f"{name}.py", "--small", "--json", file, "--work", folder / "work"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert name in done.stdout
    return json.loads(file.read_text())


def the_same_in_all(found: Any, name: str) -> None:
    assert found["benchmark"] == name
    assert found["command"] == f"python benchmarks/{name}.py --small"
    assert found["small"] is True
    assert found["machine"]["cores"] >= 1
    assert found["machine"]["memory_gib"] > 0
    assert set(found["versions"]) >= {"python", "torch", "diffusers", "artlock"}
    for table in found["tables"]:
        assert all(len(row) == len(table["headings"]) for row in table["rows"])


def page() -> ModuleType:
    sys.path.insert(0, str(HERE))
    try:
        spec = importlib.util.spec_from_file_location("page", HERE / "page.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(HERE))
    return module


@pytest.mark.slow
def test_isolation(folder: Path) -> None:
    pytest.importorskip("torch")
    found = small("isolation", folder)
    the_same_in_all(found, "isolation")
    results = found["results"]
    cases = results["cases"]
    assert set(cases) == {"all", "careful", "run_worker", "artlock", "plain"}
    assert len(set(results["model_bytes"].values())) == 3
    # One model fits and three do not: that is what makes it the experiment.
    assert cases["plain"]["failed"] == 0
    assert cases["plain"]["space"] < results["limit_bytes"] < 4 * GIB
    assert cases["all"]["failed"] > 0
    assert cases["all"]["errors"]
    assert cases["artlock"]["failed"] == 0
    assert cases["artlock"]["loads"] >= 3
    assert cases["artlock"]["space"] <= results["limit_bytes"]
    assert len(list((folder / "work" / "artlock" / "out").glob("*.png"))) == results["batches"]
    for case in cases.values():
        assert case["memory"] > 0
        assert case["failed"] == sum(case["errors"].values())
    assert cases["run_worker"]["loads"] == cases["run_worker"]["batches"] == 1


@pytest.mark.slow
def test_throughput(folder: Path) -> None:
    pytest.importorskip("torch")
    found = small("throughput", folder)
    the_same_in_all(found, "throughput")
    kinds = found["results"]["kinds"]
    assert [kind["pictures"] for kind in kinds.values()] == [8, 2]
    for kind in kinds.values():
        assert kind["same_bytes"], "the loop and artlock must do the same work, or the ratio means nothing"
        assert kind["ratio"] == pytest.approx(kind["loop_median"] / kind["artlock_median"])


@pytest.mark.slow
def test_routing(folder: Path) -> None:
    pytest.importorskip("torch")
    found = small("routing", folder)
    the_same_in_all(found, "routing")
    results = found["results"]
    assert results["device"] == "cpu"
    assert {name: model["steps"] for name, model in results["models"].items()} == {"medium": 40, "turbo": 4}
    for model in results["models"].values():
        assert model["memory"] > 0
        assert model["seconds_per_picture"] > 0
    assert results["switch"]["memory_before"] > results["switch"]["memory_empty"]
    assert results["switch"]["memory_closed"] == results["switch"]["memory_empty"] == 0
    assert results["story"] == {"medium": 12.4, "turbo": 3.2, "mixed": 8.7}
    assert results["mixed"]["loads"] == 2


@pytest.mark.slow
def test_portable(folder: Path) -> None:
    pytest.importorskip("torch")
    found = small("portable", folder)
    the_same_in_all(found, "portable")
    cases = found["results"]["cases"]
    assert list(cases) == ["small, 128 x 128, 1 at a time", "small, 128 x 128, 4 at a time"]
    for case in cases.values():
        (one,) = case["rounds"]
        assert case["seconds"] == one
        assert case["ratio"] == one["portable"] / one["default"] > 0


def test_check(folder: Path) -> None:
    found = small("check", folder)
    the_same_in_all(found, "check")
    cases = found["results"]["cases"]
    assert found["results"]["assets"] == 20
    assert set(cases) >= {
        "check, fresh clone",
        "check, again",
        "status",
        "build, nothing to do",
        "git status",
    }
    for case in cases.values():
        assert len(case["seconds"]) == 1
        assert case["median"] == case["seconds"][0] > 0
    # What it measured is what it says: the second check went the quick way, and nothing was ever made.
    game = folder / "work" / "game"
    assert (game / ".artlock" / "agreement").is_file()
    assert len(list((game / "out").iterdir())) == 20


def test_hook(folder: Path) -> None:
    found = small("hook", folder)
    the_same_in_all(found, "hook")
    cases = found["results"]["cases"]
    assert set(cases) == {
        "check --staged, fresh clone",
        "check --staged, after a build",
        "check --staged, again",
        "check --staged --full",
        "check --staged, nothing staged",
        "textconv, a picture of the lock",
        "textconv, an unknown picture",
        "git status",
        "python -c pass",
    }
    for case in cases.values():
        assert len(case["cpu_seconds"]) == len(case["wall_seconds"]) == 1
        assert case["cpu_median"] > 0
        assert case["wall_median"] > 0
    # What it measured is what it says: a picture was made and staged, and the hook had its memory.
    game = folder / "work" / "game"
    staged = subprocess.run(
        ["git", "diff", "--cached", "--name-only"], cwd=game, capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"assets.lock", "assets.toml", "out/items/gem-ruby.png"} <= set(staged)
    assert (game / ".artlock" / "agreement").is_file()


def test_diff(folder: Path) -> None:
    found = small("diff", folder)
    the_same_in_all(found, "diff")
    results = found["results"]
    assert (results["assets"], results["side"]) == (8, 32)
    assert set(results["cases"]) >= {
        "artlock diff, first",
        "artlock diff, again",
        "artlock diff --html, first",
        "artlock diff --html, again",
    }
    page = folder / "work" / "review" / "index.html"
    assert results["cases"]["artlock diff --html, again"]["output_bytes"] == page.stat().st_size
    for case in results["cases"].values():
        assert case["seconds"] > 0
        assert case["output_bytes"] > 0


def test_remote(folder: Path) -> None:
    found = small("remote", folder)
    the_same_in_all(found, "remote")
    places = found["results"]["places"]
    assert {name: place["objects"] for name, place in places.items()} == {"folder": 60, "S3": 40}
    for place in places.values():
        assert place["same"], "what was brought must be what was sent, or the times mean nothing"
        assert set(place["seconds"]) == {"push", "push by hand", "push again", "pull", "pull by hand"}
        assert place["push_ratio"] > 0
    assert set(found["results"]["lookups"]) == {"one listing", "a listing for each folder", "one by one"}


def test_restoring(folder: Path) -> None:
    found = small("restoring", folder)
    the_same_in_all(found, "restoring")
    cases = found["results"]["cases"]
    assert set(cases) == {
        "build, from the store",
        "by hand",
        "build, nothing to do",
        "plan, nothing to do",
        "build, from git",
    }
    assert {case["files"] for case in cases.values()} == {70}
    assert all(case["ratio"] > 0 for case in cases.values())


def test_log(folder: Path) -> None:
    found = small("log", folder)
    the_same_in_all(found, "log")
    (repository,) = found["results"]["repositories"]
    assert (repository["assets"], repository["commits"]) == (20, 30)
    assert repository["told"] == repository["versions"] == 4, "what is timed must find every version"
    assert {"artlock log hero", "git log -p -- assets.lock"} <= set(repository["cases"])
    for case in repository["cases"].values():
        assert len(case["seconds"]) == 1
        assert case["ratio"] >= 0


def test_a_limit_is_inherited() -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_AS))"
    done = subprocess.run(
        [sys.executable, HERE / "limited.py", str(GIB), sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [f"({GIB},", f"{GIB})"]


def test_the_page_shows_the_results_as_they_were_measured() -> None:
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert page().filled(text, HERE / "results") == text, "run `python benchmarks/page.py`"


def test_the_page_shows_isolation_and_throughput_in_full() -> None:
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    for name in ("isolation", "throughput"):  # `routing` needs a GPU
        found = json.loads((HERE / "results" / f"{name}.json").read_text(encoding="utf-8"))
        assert found["small"] is False
        assert found["tables"]
        assert all(table["rows"] for table in found["tables"])
        shown = text.partition(f"<!-- begin {name} -->")[2].partition(f"<!-- end {name} -->")[0]
        assert shown.strip() == page().markdown(found)


def test_a_table_in_markdown() -> None:
    found = {
        "command": "python benchmarks/x.py",
        "date": "2026-01-02T03:04:05+00:00",
        "minutes": 1.5,
        "machine": {"processor": "P", "cores": 2, "memory_gib": 4.0, "gpus": [], "load_average": 0.1},
        "versions": {"python": "3.11.7"},
        "tables": [{"title": "T", "headings": ["a", "b"], "rows": [["x", "1"]]}],
    }
    assert page().markdown(found) == (
        "`python benchmarks/x.py`, 2026-01-02, 1.5 minutes. P, 2 cores, 4.0 GiB, no GPU; load average at the "
        "start 0.1. python 3.11.7.\n\n**T**\n\n| a | b |\n| --- | ---: |\n| x | 1 |"
    )
