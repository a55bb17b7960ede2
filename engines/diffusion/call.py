"""A request as the arguments of a pipeline's call, checked against what the pipeline takes.

Knows nothing of torch. A parameter that would change nothing is refused: it would sit in the recipe as a lie.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engines.protocol import EngineError, ErrorKind, Json, Request

_ARGUMENTS: Final = {
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
    "true_guidance": "true_cfg_scale",
    "max_sequence_length": "max_sequence_length",
    "clip_skip": "clip_skip",
    "skip_guidance_layers": "skip_guidance_layers",
    "skip_layer_guidance_scale": "skip_layer_guidance_scale",
    "skip_layer_guidance_start": "skip_layer_guidance_start",
    "skip_layer_guidance_stop": "skip_layer_guidance_stop",
    "strength": "strength",
}
"""Parameter to argument of the pipeline's call."""
_OURS: Final = ("text_encoder_3", "scheduler", "shift", "portable")
"""Parameters that change the pipeline, or the process, not its call."""
_SKIP: Final = "skip_layer_guidance_"
MULTIPLE: Final = 16
STRENGTH: Final = 0.6
"""Where none is given: diffusers' own for Stable Diffusion 3 and Flux. Held here, because a library's
default may change with its version, and is another one in each family."""
_SEEDS: Final = 2**64
"""torch's generator takes no more."""


@dataclass(frozen=True, slots=True)
class Taker:
    """What a pipeline's call takes."""

    pipeline: str
    """Name of its class."""
    takes: frozenset[str]
    defaults: Mapping[str, Json]


def arguments(request: Request, taker: Taker) -> dict[str, Any]:
    """Arguments of the call for `request`, without prompt and noise. Raises `EngineError` (`BAD_REQUEST`)."""
    values = {name: value for name, value in request.parameters.items() if value is not None}
    for name in values:
        _known(name, taker)
    if "steps" not in values:
        raise _bad("`steps` is missing", "give the engine `steps`")
    if "guidance" not in values and "guidance_scale" in taker.takes:
        # The library's own default may change with its version, and the recipe would not show it.
        raise _bad("`guidance` is missing", "give the engine `guidance`")
    _check_effect(request, values, taker)
    if request.negative and "negative_prompt" not in taker.takes:
        raise _bad(f"`{taker.pipeline}` takes no negative prompt", "leave `negative` out")
    found = {_ARGUMENTS[name]: value for name, value in values.items() if name in _ARGUMENTS}
    if "skip_guidance_layers" in found:
        found["skip_guidance_layers"] = [int(layer) for layer in found["skip_guidance_layers"]]
    if "strength" in taker.takes:
        found["strength"] = _strength(values)
    width, height = _size(request)
    _seed(request)
    sides = {"width": width, "height": height}
    # Some pipelines that start from a picture take their size from it.
    return found | {side: pixels for side, pixels in sides.items() if side in taker.takes}


def kinship(request: Request) -> str:
    """Equal for two requests that may be drawn together."""
    # An empty negative prompt and none are not the same to every pipeline.
    parts = [request.size, dict(request.parameters), bool(request.negative), sorted(request.inputs)]
    return json.dumps(parts, sort_keys=True)


def _known(name: str, taker: Taker) -> None:
    if name in _OURS:
        return
    if name not in _ARGUMENTS:
        close = difflib.get_close_matches(name, [*_ARGUMENTS, *_OURS], n=1)
        hint = f"did you mean `{close[0]}`?" if close else "leave it out"
        raise _bad(f"`{taker.pipeline}` takes no parameter `{name}`", hint)
    if _ARGUMENTS[name] not in taker.takes:
        raise _bad(f"`{taker.pipeline}` takes no parameter `{name}`", "leave it out")


def _check_effect(request: Request, values: Mapping[str, Json], taker: Taker) -> None:
    """Refuse what would change nothing."""
    guided = _guided(values, taker)
    if request.negative and not guided:
        raise _without_guidance("the negative prompt", values, taker)
    for name in values:
        if name.startswith("skip_") and not guided:
            raise _without_guidance(f"`{name}`", values, taker)
        if name.startswith(_SKIP) and "skip_guidance_layers" not in values:
            raise _bad(f"`{name}` has no effect without `skip_guidance_layers`", "give both or neither")


def _guided(values: Mapping[str, Json], taker: Taker) -> bool:
    """Whether the pipeline compares with the negative prompt at all, which only a guidance above 1 does."""
    if "true_cfg_scale" in taker.takes:
        strength = values.get("true_guidance", taker.defaults.get("true_cfg_scale"))
    else:
        strength = values.get("guidance", 0)
    return isinstance(strength, int | float) and strength > 1


def _without_guidance(what: str, values: Mapping[str, Json], taker: Taker) -> EngineError:
    name = "true_guidance" if "true_cfg_scale" in taker.takes else "guidance"
    said = f"`{name} = {values[name]}`" if name in values else f"no `{name}`"
    return _bad(
        f"{what} would have no effect with {said}: `{taker.pipeline}` compares only above 1",
        f"leave it out, or raise `{name}` above 1 if the model is made for it",
    )


def _strength(values: Mapping[str, Json]) -> float:
    strength, steps = float(values.get("strength", STRENGTH)), int(values["steps"])
    if strength * steps < 1:
        raise _bad(
            f"`strength = {strength:g}` of {steps} steps leaves less than one to draw",
            "raise `strength` or `steps`",
        )
    return strength


def _size(request: Request) -> tuple[int, int]:
    if request.size is None:
        raise _bad("the request names no size", "give the asset a `size`")
    width, height = request.size
    if width < MULTIPLE or height < MULTIPLE or width % MULTIPLE or height % MULTIPLE:
        raise _bad(
            f"`{width}x{height}` can't be drawn: width and height must be multiples of {MULTIPLE}",
            "choose such a size, and a `crop` or `resize` step for the rest",
        )
    return width, height


def _seed(request: Request) -> None:
    if request.seed is None:
        raise _bad("the request names no seed", "give the asset a `seed`")
    if not 0 <= request.seed < _SEEDS:
        raise _bad(f"`seed = {request.seed}` is not between 0 and 2**64 - 1", "choose a smaller seed")


def _bad(message: str, hint: str) -> EngineError:
    return EngineError(ErrorKind.BAD_REQUEST, message, hint=hint)
