"""An environment in which this CPU passes for an old one, to prove that pictures don't depend on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent


def extras() -> list[str]:
    """What numpy makes use of on this CPU beyond its baseline."""
    config: Any = np.show_config(mode="dicts")
    return list(config["SIMD Extensions"].get("found", []))


def environment() -> dict[str, str]:
    """For numpy, glibc's mathematics and OpenBLAS; one thread for the encoder."""
    return os.environ | {
        "NPY_DISABLE_CPU_FEATURES": " ".join(extras()),
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX,-AVX512F,-ERMS,-BMI2,-AVX2_Usable,-FMA_Usable",
        "OPENBLAS_CORETYPE": "Prescott",
        "RAYON_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }


def rerun(script: str, folder: Path) -> Any:
    """What `script` (run as a program, given a folder) prints as JSON under `environment`."""
    found = subprocess.run(
        [sys.executable, script, str(folder)], cwd=ROOT, env=environment(), capture_output=True, check=True
    )
    result = json.loads(found.stdout)
    assert result.pop("extras") == [], "the CPU was not lowered"
    return result


def show(digests: Any) -> None:
    """Print `digests` for `rerun`."""
    sys.stdout.write(json.dumps({"extras": extras(), **digests}, indent=1) + "\n")
