"""The model that ships draws the same pixels on every CPU and with every number of threads."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import tomllib
from pathlib import Path

import old_cpu
import pytest

from engines.sprite.engine import WEIGHTS
from engines.sprite.painter import Painter, Wish

ROOT = Path(__file__).parent.parent
PROMPTS = ("sword", "red key", "ghost", "old iron shield", "xqzzyv")


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the pixels of each prompt by the model in `folder`."""
    painter = Painter(folder / "sprite.safetensors")
    return {
        f"{prompt} {seed}": hashlib.sha256(painter.draw(Wish(prompt=prompt, seed=seed)).tobytes()).hexdigest()
        for prompt in PROMPTS
        for seed in (1, 2, 3)
    }


@pytest.fixture(scope="module")
def folder() -> Path:
    return WEIGHTS.parent


def test_the_card_names_the_weights_that_ship() -> None:
    card = tomllib.loads((WEIGHTS.parent / "adapter.toml").read_text(encoding="utf-8"))
    data = WEIGHTS.read_bytes()
    assert card["revision"] == hashlib.sha256(data).hexdigest()
    assert len(data) < 25_000_000


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="lowers an x86 CPU")
def test_an_old_cpu_draws_the_same(folder: Path) -> None:
    assert old_cpu.rerun(__file__, folder) == digests(folder)


def test_the_number_of_threads_does_not_matter(folder: Path) -> None:
    code = (
        f"import json, pathlib, test_sprite_bitwise as t\n"
        f"print(json.dumps(t.digests(pathlib.Path({str(folder)!r}))))"
    )
    found = []
    for threads in ("1", "4"):
        environment = os.environ | {
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))),
        }
        child = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
        found.append(json.loads(child.stdout))
    assert found[0] == found[1] == digests(folder)


if __name__ == "__main__":
    old_cpu.show(digests(Path(sys.argv[1])))
