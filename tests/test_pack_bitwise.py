"""An atlas is the same bytes on every CPU: golden digests, made again with the CPU's extras turned off."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import old_cpu
import pytest
from pack_kit import EVERY, framed, packed

from engines.png import Pixels

GOLDEN = Path(__file__).parent / "golden" / "pack-bitwise.json"

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "whole": {"trim": False, "padding": 0},
    "power of two": {"power_of_two": True, "extrude": 1},
    "square": {"square": True, "padding": 5},
    "pages": {"max_size": 64},
    "turned": {"formats": ["texturepacker"], "rotate": True},
}


def pictures() -> dict[str, Pixels]:
    """Made with integers only, so that the test's own input is the same everywhere."""
    found = {}
    for number in range(24):
        width, height = 5 + number * 7 % 29, 4 + number * 11 % 31
        y, x = np.ogrid[0:height, 0:width]
        planes = [(x * x * (number + 1) + 3 * y * y + 40 * part) % 256 for part in range(3)]
        pixels = np.dstack([*planes, np.full((height, width), 255)]).astype(np.uint8)
        found[f"set/piece-{chr(97 + number // 3)}-{number % 3}"] = framed(
            pixels, number % 4, 1, 2, number % 3
        )
    return found


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of every case."""
    found = {}
    for name, parameters in CASES.items():
        done = packed(folder / name, pictures(), **{"formats": list(EVERY), **parameters})
        for file in ["atlas.png", *done.companions.values()]:
            found[f"{name}: {file}"] = hashlib.sha256((folder / name / file).read_bytes()).hexdigest()
    return found


def test_golden_digests(tmp_path: Path) -> None:
    assert digests(tmp_path) == json.loads(GOLDEN.read_text())


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the switches are those of x86-64")
def test_golden_digests_on_an_old_cpu(tmp_path: Path) -> None:
    assert old_cpu.rerun(__file__, tmp_path) == json.loads(GOLDEN.read_text())


if __name__ == "__main__":  # the child of the test above
    old_cpu.show(digests(Path(sys.argv[1])))
