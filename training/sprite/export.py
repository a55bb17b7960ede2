"""A checkpoint as the file that ships: `python -m training.sprite.export CHECKPOINT OUTPUT VERSION`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engines.sprite import weights
from engines.sprite.sharpener import PREFIX
from training.sprite import latents, sharpen
from training.sprite.sharpen import Sharpener


def tensors(state: dict[str, Any], sharpener: Sharpener | None = None) -> dict[str, NDArray[Any]]:
    """Everything that drawing needs."""
    components = latents.Components(**state["components"])
    found: dict[str, NDArray[Any]] = {name: value.numpy() for name, value in state["mean"].items()}
    found["components.mean"] = components.mean
    found["components.basis"] = components.basis * np.float32(components.scale)
    found["components.back"] = latents.BACK
    found["vocabulary"] = state["vocabulary"].numpy()
    found["habits"] = state["habits"].numpy()
    if sharpener:
        found |= {f"{PREFIX}{name}": value.numpy() for name, value in sharpener.state_dict().items()}
    return found


def export(checkpoint: Path, output: Path, version: str) -> None:
    """Write the running mean of the weights in `checkpoint`, and its run's sharpener, as float16."""
    state: dict[str, Any] = torch.load(checkpoint, weights_only=False)
    about = {"version": version, "steps": str(state["step"]), "batch": str(state["plan"]["batch"])}
    weights.write(output, tensors(state, sharpen.read(checkpoint.parent)), about)


if __name__ == "__main__":
    _, source, target, named = sys.argv
    export(Path(source), Path(target), named)
    print(Path(target).stat().st_size)
