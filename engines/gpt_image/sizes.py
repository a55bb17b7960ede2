"""The sizes that OpenAI's image models make: three for the older ones, any by rule for the newer.

From the SDK's description of November 2026. Knows nothing of requests.
"""

from __future__ import annotations

from typing import Final

from engines import parameters
from engines.hosted import ratio

_STANDARD: Final = ((1024, 1024), (1536, 1024), (1024, 1536))
_STEP: Final = 16
_STEEPEST: Final = 3
_LONGEST: Final = 3840
_MOST: Final = 3840 * 2160


def is_free(model: str) -> bool:
    """Whether `model` makes any size by rule: the second generation. Of 2.6, only its name says so."""
    return model.startswith("gpt-image-2")


def written(size: tuple[int, int] | None, model: str) -> str:
    """`size` as `model` takes it, or a larger one of the same shape; `auto` for none.

    Raises `EngineError` (`bad_request`) with a size that would do.
    """
    if size is None:
        return "auto"
    if not is_free(model):
        size = ratio.covering(size, _STANDARD, model)
    elif faults := _faults(size):
        raise parameters.bad(f"`{model}` makes no {size[0]} x {size[1]} pixels: {faults}", _hint(size))
    return f"{size[0]}x{size[1]}"


def _faults(size: tuple[int, int]) -> str:
    if size[0] % _STEP or size[1] % _STEP:
        return f"both sides must be multiples of {_STEP}"
    if max(size) > _STEEPEST * min(size):
        return f"the longer side may be {_STEEPEST} times the shorter"
    if max(size) > _LONGEST or size[0] * size[1] > _MOST:
        return "the most is 3840 x 2160"
    return ""


def _hint(size: tuple[int, int]) -> str:
    """The nearest size that has no fault, not smaller if there is one."""
    width, height = (-(-side // _STEP) * _STEP for side in size)
    if not _faults((width, height)):
        return f"use {width} x {height}, and the finish step `resize`"
    return "use a size such as 3840 x 2160, 2048 x 2048 or 1024 x 1024"
