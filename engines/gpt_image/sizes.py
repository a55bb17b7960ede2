"""The sizes that OpenAI's image models make: three for the older ones, any by rule for the newer.

The card says which model is which. Knows nothing of requests.
"""

from __future__ import annotations

from engines import parameters
from engines.hosted import ratio
from engines.hosted.shapes import Shapes


def written(size: tuple[int, int] | None, model: str, shapes: Shapes) -> str:
    """`size` as `model` takes it, or a larger one of the same shape; `auto` for none.

    Raises `EngineError` (`bad_request`) with a size that would do.
    """
    if size is None:
        return "auto"
    if shapes.sizes:
        size = ratio.covering(size, shapes.sizes, model)
    elif faults := _faults(size, shapes):
        raise parameters.bad(
            f"`{model}` makes no {size[0]} x {size[1]} pixels: {faults}", _hint(size, shapes)
        )
    return f"{size[0]}x{size[1]}"


def _faults(size: tuple[int, int], shapes: Shapes) -> str:
    if size[0] % shapes.multiple or size[1] % shapes.multiple:
        return f"both sides must be multiples of {shapes.multiple}"
    if shapes.steepest and max(size) > shapes.steepest * min(size):
        return f"the longer side may be {shapes.steepest:g} times the shorter"
    if max(size) > shapes.longest or size[0] * size[1] > shapes.pixels:
        return f"the most is {shapes.longest} x {shapes.pixels // shapes.longest}"
    return ""


def _hint(size: tuple[int, int], shapes: Shapes) -> str:
    """The nearest size that has no fault, not smaller if there is one."""
    width, height = (-(-side // shapes.multiple) * shapes.multiple for side in size)
    if not _faults((width, height), shapes):
        return f"use {width} x {height}, and the finish step `resize`"
    return "use a size such as 3840 x 2160, 2048 x 2048 or 1024 x 1024"
