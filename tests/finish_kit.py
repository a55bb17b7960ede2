"""Small pictures and one-step runs for the tests of finish steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.finish import steps
from engines.png import Pixels
from engines.protocol import EngineError

CLEAR = (0, 0, 0, 0)
RED = (200, 10, 20, 255)
BLUE = (0, 0, 255, 255)


def flat(width: int, height: int, color: tuple[int, ...] = RED) -> Pixels:
    return np.full((height, width, 4), color, np.uint8)


def spot() -> Pixels:
    """A 3 x 2 red block at (2, 1) on a clear 8 x 6 canvas."""
    pixels = flat(8, 6, CLEAR)
    pixels[1:3, 2:5] = RED
    return pixels


def noise(height: int, width: int, seed: int = 3) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)


def run(name: str, pixels: Pixels, files: dict[str, Path] | None = None, **values: Any) -> Pixels:
    inputs = {f"finish.0.{key}": str(path) for key, path in (files or {}).items()}
    (step,), _ = steps.read_steps({"steps": [[name, values]]}, inputs)
    return steps.STEPS[name](pixels, **step.values)


def refused(name: str, pixels: Pixels, files: dict[str, Path] | None = None, **values: Any) -> str:
    with pytest.raises(EngineError) as caught:
        run(name, pixels, files, **values)
    return caught.value.message


def show(pixels: Pixels) -> str:
    """Rows of `#` for opaque, `.` for clear, `+` for between."""
    marks = np.where(pixels[..., 3] == 255, "#", np.where(pixels[..., 3] == 0, ".", "+"))
    return " ".join("".join(row) for row in marks)
