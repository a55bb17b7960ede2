"""Who measures: the machine and the versions, as they are written into every result."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any, Final

import checkout
import psutil

_LIBRARIES: Final = ("torch", "diffusers", "transformers", "numpy", "pillow", "pyoxipng")


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, memory, graphics cards, and how busy it is now."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": [line.strip() for line in nvidia("--query-gpu=name,memory.total", "--format=csv,noheader")],
        "system": platform.platform(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Of Python, artlock, and the libraries that draw; `-` where one is not installed."""
    found = {"python": platform.python_version(), "artlock": checkout.version()}
    for name in _LIBRARIES:
        try:
            found[name] = version_of(name)
        except PackageNotFoundError:
            found[name] = "-"
    return found


def nvidia(*words: str) -> list[str]:
    """The lines that `nvidia-smi` answers; none where there is no such program or card."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    return done.stdout.strip().splitlines() if done.returncode == 0 else []


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
