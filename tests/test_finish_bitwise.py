"""Finish gives the same bytes on every CPU: golden digests, made again with the CPU's extras turned off."""

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

from engines import finish, png
from engines.protocol import Done, Open, Request

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden" / "finish-bitwise.json"

CASES: dict[str, list[list[Any]]] = {
    "plain": [],
    "trim": [["trim", {"margin": 3}]],
    "crop": [["crop", {"box": [10, 5, 60, 50]}]],
    "nearest": [["resize", {"size": [50, 33], "filter": "nearest"}]],
    "area": [["resize", {"size": [37, 61], "filter": "area", "fit": "cover"}]],
    "lanczos smaller": [["resize", {"size": [41, 29], "filter": "lanczos", "fit": "stretch"}]],
    "lanczos larger": [["resize", {"size": [233, 177], "filter": "lanczos"}]],
    "scale": [["scale", {"down": 10, "up": 7}]],
    "pad": [["pad", {"size": [128, 99], "color": "#10203040"}]],
    "quantize": [["quantize", {"colors": 12}]],
    "bayer": [["quantize", {"colors": 6, "dither": "bayer", "alpha": "snap"}]],
    "palette": [["quantize", {}]],
    "levels": [["levels", {"black": 12, "white": 240, "gamma": 1.37, "saturation": 1.7}]],
    "lut": [["lut", {"strength": 0.83}]],
    "outline": [["outline", {"width": 3, "color": "#ff00aacc"}]],
    "inside": [["outline", {"width": 2, "side": "inside", "corners": "diamond"}]],
    "alpha": [["alpha", {"color": "#404040", "softness": 90}]],
    "grayscale": [["grayscale", {"strength": 0.9, "contrast": 0.55, "opacity": 0.7}]],
    "silhouette": [["silhouette", {"color": "#102030c0"}]],
    "tile": [["tile", {"border": 15}]],
    "tile hard": [["tile", {"border": 9, "feather": 0, "axis": "vertical"}]],
    "normals": [["normals", {"strength": 7.3, "smooth": 1, "wrap": True}]],
    "normals of alpha": [["normals", {"height": "alpha", "green": "directx", "invert": True}]],
    "all": [
        ["alpha", {"color": "#202020"}],
        ["trim", {}],
        ["resize", {"size": [64, 64]}],
        ["levels", {"gamma": 0.8, "saturation": 1.3}],
        ["outline", {"width": 1, "corners": "diamond"}],
        ["quantize", {"colors": 24, "dither": "bayer"}],
    ],
}


def picture() -> png.Pixels:
    """Made with integers only, so that the test's own input is the same everywhere."""
    y, x = np.mgrid[0:80, 0:100].astype(np.int64)
    far = (x - 50) ** 2 + (y - 40) ** 2
    channels = [(x * 7 + y * 3) % 256, (x * y // 9) % 256, (far // 5) % 256, (1600 - far).clip(0, 255)]
    return np.stack(channels, axis=2).astype(np.uint8)


def digests(staging: Path) -> dict[str, list[str]]:
    """SHA-256 of the PNG, and phash, of every case."""
    (staging / "raw.png").write_bytes(png.encode(picture()))
    (staging / "p.hex").write_text("102030\nd0c0a0\n7f1020\n20a060\n")
    grid = [(r * g // 4, g * b // 4, (4 - r) * b // 4) for b in range(5) for g in range(5) for r in range(5)]
    rows = "\n".join(f"{r / 4} {g / 4} {b / 4}" for r, g, b in grid)
    (staging / "t.cube").write_text(f"LUT_3D_SIZE 5\n{rows}\n")
    files = {"palette": "p.hex", "lut": "t.cube"}
    opening = Open(
        protocol=1, adapter="finish", engine="", model="", revision="", staging=str(staging), settings={}
    )
    requests = []
    for name, steps in CASES.items():
        inputs = {"image": str(staging / "raw.png")}
        if name in files:
            inputs[f"finish.0.{'palette' if name == 'palette' else 'file'}"] = str(staging / files[name])
        requests.append(
            Request(id=name, asset=name, output=f"{name}.png", parameters={"steps": steps}, inputs=inputs)
        )
    found = {}
    for result in finish.load(opening).render(requests, lambda *_: None):
        assert isinstance(result, Done), result
        data = (staging / result.output).read_bytes()
        found[result.id] = [hashlib.sha256(data).hexdigest(), result.facts["phash"]]
    return found


def test_golden_digests(tmp_path: Path) -> None:
    assert digests(tmp_path) == json.loads(GOLDEN.read_text())


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the switches are those of x86-64")
def test_golden_digests_on_a_old_cpu(tmp_path: Path) -> None:
    assert old_cpu.rerun(__file__, tmp_path) == json.loads(GOLDEN.read_text())


if __name__ == "__main__":  # the child of the test above
    old_cpu.show(digests(Path(sys.argv[1])))
