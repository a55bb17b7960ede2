"""The list of steps: by which function each runs, and how a request's steps are read.

Knows nothing of files or formats. `adapter.toml` declares each step's parameters; a test holds that its
keywords are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engines import parameters
from engines.finish.geometry import crop, pad, trim
from engines.finish.key import alpha
from engines.finish.normals import normals
from engines.finish.outline import outline
from engines.finish.quantize import quantize
from engines.finish.resize import resize, scale
from engines.finish.shades import grayscale, silhouette
from engines.finish.tile import tile
from engines.finish.tone import levels, lut
from engines.parameters import bad, unknown
from engines.png import Pixels
from engines.protocol import EngineError, ErrorKind, Json

STEPS: Final[dict[str, Callable[..., Pixels]]] = {
    "trim": trim,
    "crop": crop,
    "resize": resize,
    "pad": pad,
    "quantize": quantize,
    "levels": levels,
    "lut": lut,
    "outline": outline,
    "alpha": alpha,
    "scale": scale,
    "grayscale": grayscale,
    "silhouette": silhouette,
    "tile": tile,
    "normals": normals,
}
"""RGBA pixels and the step's parameters to RGBA pixels."""

_ENCODE: Final = "encode"
_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Step:
    """One step with every parameter checked."""

    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Encoding:
    """What the `encode` step asked for."""

    format: str | None = None
    smallest: bool = False


def _declared() -> dict[str, dict[str, parameters.Parameter]]:
    steps = parameters.card(Path(__file__).parent)["steps"]
    return {name: parameters.declared(step.get("parameters", {})) for name, step in steps.items()}


DECLARED: Final = _declared()


def read_steps(values: Mapping[str, Json], inputs: Mapping[str, str]) -> tuple[list[Step], Encoding]:
    """The steps in `values["steps"]`, with the files that `inputs` names as `finish.NUMBER.PARAMETER`."""
    asked = values.get("steps", [])
    if set(values) - {"steps"} or not isinstance(asked, list) or len(asked) > _MOST:
        raise EngineError(ErrorKind.INTERNAL, f"the parameters are not a list of at most {_MOST} `steps`")
    steps = [_step(number, item, inputs) for number, item in enumerate(asked)]
    for step in steps[:-1]:
        if step.name == _ENCODE:
            raise bad("finish step `encode` is not the last", "move it to the end of `finish`")
    if steps and steps[-1].name == _ENCODE:
        values = steps.pop().values
        return steps, Encoding(values["format"], values["smallest"])
    return steps, Encoding()


def _step(number: int, item: Json, inputs: Mapping[str, str]) -> Step:
    match item:
        case [str(name), dict(given)]:
            pass
        case _:
            raise EngineError(ErrorKind.INTERNAL, f"finish step {number} is not a name and its parameters")
    if name not in DECLARED:
        raise unknown("finish step", name, DECLARED)
    prefix = f"finish.{number}."
    files = {key.removeprefix(prefix): path for key, path in inputs.items() if key.startswith(prefix)}
    where = f"finish step `{name}`: "
    return Step(name, parameters.checked(DECLARED[name], given, files, where))
