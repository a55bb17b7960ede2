"""How the pipeline runs: device, number format, memory, threads; of a recipe, only what a whole process is.

Knows nothing of torch: it is read, and the environment made ready, before torch is imported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engines.protocol import EngineError, ErrorKind, Json

_DEVICE: Final = re.compile(r"cpu|mps|cuda:[0-9]+")

DTYPES: Final = ("float32", "bfloat16", "float16")
OFFLOADS: Final = ("none", "model", "sequential")


@dataclass(frozen=True, slots=True)
class Settings:
    """The `[settings]` of the card, checked."""

    device: str
    dtype: str
    offload: str
    threads: int
    batch: int
    cache: str
    """Absolute path, or empty for the Hub's own default."""
    portable: bool
    """Whether its pictures are the same on every CPU with AVX2. Of the recipe, and of the whole process."""


def read(table: Mapping[str, Json], parameters: Mapping[str, Json] | None = None) -> Settings:
    """`table` with defaults. Raises `EngineError` for what can't work on any machine.

    `parameters`: those of the recipe that hold for the whole process.
    """
    device = str(table.get("device", "cpu"))
    if not _DEVICE.fullmatch(device):
        hint = "write `cuda:0`" if device == "cuda" else "write `cpu`, `cuda:0` or `mps`"
        raise EngineError(ErrorKind.BAD_REQUEST, f"`{device}` is not a device", hint=hint)
    cache = str(table.get("cache") or "")
    if cache:
        cache = str(Path(cache).expanduser())
        if not Path(cache).is_absolute():
            raise EngineError(
                ErrorKind.BAD_REQUEST,
                f"`cache` is not an absolute path: `{cache}`",
                hint="start it with `/` or `~`",
            )
    offload = _choice("offload", table.get("offload") or "none", OFFLOADS)
    return Settings(
        device=device,
        dtype=_choice("dtype", table.get("dtype") or ("float32" if device == "cpu" else "bfloat16"), DTYPES),
        # On the CPU all weights are where an offload would move them: nothing to do, and nothing wrong.
        offload="none" if device == "cpu" else offload,
        threads=max(1, int(table.get("threads", 1))),
        batch=max(1, int(table.get("batch", 1))),
        cache=cache,
        portable=bool((parameters or {}).get("portable")),
    )


def _choice(name: str, value: Json, choices: tuple[str, ...]) -> str:
    if value not in choices:
        known = ", ".join(f"`{choice}`" for choice in choices)
        raise EngineError(
            ErrorKind.BAD_REQUEST, f"`{name}` can't be `{value}`", hint=f"choose one of {known}"
        )
    return str(value)


def variables(settings: Settings) -> dict[str, str]:
    """Environment variables to set before the first import of torch, diffusers or the Hub's client."""
    return {
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "DIFFUSERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": str(settings.threads),
        # Spinning threads beside another busy process made a picture up to 70 times slower.
        "OMP_WAIT_POLICY": "PASSIVE",
        # cuBLAS picks its workspace by what else runs unless it is told; without this it is not repeatable.
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        # A shell's own would win over what torch is told about TensorFloat-32.
        "NVIDIA_TF32_OVERRIDE": "0",
    }
