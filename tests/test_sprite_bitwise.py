"""The model draws the same pixels on every CPU and with every number of threads."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import old_cpu
import pytest

from engines.sprite import weights
from engines.sprite.painter import Painter, Wish

ROOT = Path(__file__).parent.parent
PROMPTS = ("sword", "red key", "gem", "old shield", "xqzzyv")


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the pixels of each prompt by the model in `folder`."""
    painter = Painter(folder / "sprite.safetensors")
    return {
        f"{prompt} {seed}": hashlib.sha256(painter.draw(Wish(prompt=prompt, seed=seed)).tobytes()).hexdigest()
        for prompt in PROMPTS
        for seed in (1, 2, 3)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The child that draws needs no torch.
    import sprite_kit as kit  # noqa: PLC0415

    from training.sprite.export import tensors  # noqa: PLC0415

    made = tmp_path_factory.mktemp("weights")
    weights.write(made / "sprite.safetensors", tensors(kit.trained(made, 120)), {"version": "1"})
    return made


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
