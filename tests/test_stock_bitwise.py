from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parent.parent
_GOLDEN = Path(__file__).with_name("stock_golden.json")

_FEATURES = """
from numpy._core import _multiarray_umath as core
print(*(name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)))
"""


def _run(step: int, **environment: str) -> dict[str, object]:
    # The CPU level is read when a process starts, so each level needs one of its own.
    done = subprocess.run(
        [sys.executable, str(_ROOT / "tests/stock_pictures.py"), str(step)],
        env={**os.environ, "PYTHONPATH": str(_ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _lowered() -> dict[str, str]:
    """The variables that take numpy, its BLAS and the C library down to plain x86-64."""
    listing = subprocess.run(
        [
            sys.executable,
            "-c",
            _FEATURES,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        "NPY_DISABLE_CPU_FEATURES": listing.stdout.strip(),
        "OPENBLAS_CORETYPE": "Nehalem",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA,-FMA4,-BMI2,-ERMS,-SSE4_2",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "RAYON_NUM_THREADS": "1",
    }


_THREADS = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "RAYON_NUM_THREADS": "2"}


@pytest.fixture(scope="module")
def golden() -> dict[str, object]:
    found: dict[str, object] = json.loads(_GOLDEN.read_text(encoding="utf-8"))
    return found


def test_pictures_are_those_that_were_committed(golden: dict[str, object]) -> None:
    found = _run(40)
    hint = f"if that was meant: python tests/stock_pictures.py 40 > {_GOLDEN.name}, and raise the version"
    assert found["pictures"] == golden["pictures"], hint
    assert found["library"] == golden["library"], hint


@pytest.mark.parametrize("environment", [_lowered(), _THREADS], ids=["old-cpu", "two-threads"])
def test_pictures_are_the_same_on_another_cpu(golden: dict[str, object], environment: dict[str, str]) -> None:
    found = _run(40, **environment)
    assert found["pictures"] == golden["pictures"]
    assert found["library"] == golden["library"]


@pytest.mark.skipif(sys.platform != "linux", reason="the variable belongs to glibc")
def test_lowering_reaches_the_maths_library() -> None:
    # Otherwise the test above would prove nothing on this machine.
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    if " fma " not in flags:
        pytest.skip("this CPU has no FMA to take away")
    assert _run(100_000)["sines"] != _run(100_000, **_lowered())["sines"]


@pytest.mark.slow
def test_every_icon_is_the_same_on_another_cpu() -> None:
    assert _run(1)["library"] == _run(1, **_lowered())["library"]
