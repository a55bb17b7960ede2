"""Aspect ratios: the one of a provider that fits a size, and whether the picture came large enough.

A provider that takes only ratios decides on the pixels itself; artlock scales a larger picture down.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from engines.protocol import EngineError, ErrorKind

_NEAR: Final = 0.02
"""How far a ratio may be from the size's: scaling by this much is not seen."""

_OFFERED: Final = 3


def parse(names: Iterable[str]) -> dict[str, float]:
    """Width by height of ratios named like `16:9`."""
    return {name: int(name.partition(":")[0]) / int(name.partition(":")[2]) for name in names}


def fitting(size: tuple[int, int], ratios: Mapping[str, float], model: str) -> str:
    """The name of the nearest of `ratios`. Raises `EngineError` with sizes that would do."""
    width, height = size
    nearest = sorted(ratios, key=lambda name: (_distance(ratios[name], width / height), name))
    if _distance(ratios[nearest[0]], width / height) <= _NEAR:
        return nearest[0]
    would = [f"{width} x {max(1, round(width / ratios[name]))} ({name})" for name in nearest[:_OFFERED]]
    raise _unlike("aspect ratio", size, model, would)


def covering(size: tuple[int, int], made: Iterable[tuple[int, int]], model: str) -> tuple[int, int]:
    """The smallest of the sizes `made` that is as large as `size` and within 2 % of its ratio.

    Raises `EngineError`: with sizes that would do, or with the largest that there is at this ratio.
    """
    far = {item: _distance(item[0] / item[1], size[0] / size[1]) for item in made}
    if size in far:
        return size
    near = [item for item in far if far[item] <= _NEAR]
    if not near:
        nearest = sorted(far, key=lambda item: (far[item], item))[:_OFFERED]
        raise _unlike("size", size, model, [f"{width} x {height}" for width, height in nearest])
    enough = [item for item in near if item[0] >= size[0] and item[1] >= size[1]]
    if not enough:
        most = max(near)
        raise _too_large(f"`{model}` makes at most {most[0]} x {most[1]} pixels in this shape", size, most)
    return min(enough)


def _unlike(what: str, size: tuple[int, int], model: str, would: list[str]) -> EngineError:
    message = f"no {what} of `{model}` is within {_NEAR:.0%} of the shape of {size[0]} x {size[1]}"
    hint = f"use a size such as {', '.join(would[:-1])} or {would[-1]}"
    return EngineError(ErrorKind.BAD_REQUEST, message, hint=hint)


def within(size: tuple[int, int], pixels: int, model: str) -> None:
    """Raise `EngineError` where `size` has more than `pixels`; 0 sets no bound."""
    if pixels and size[0] * size[1] > pixels:
        scale = math.sqrt(pixels / (size[0] * size[1]))
        most = int(size[0] * scale), int(size[1] * scale)
        raise _too_large(f"`{model}` makes at most {pixels:,} pixels", size, most)


def check_alike(size: tuple[int, int], given: tuple[int, int], name: str) -> None:
    """Raise `EngineError` where the picture `name`, whose shape is kept, has another one than `size`."""
    if _distance(given[0] / given[1], size[0] / size[1]) > _NEAR:
        fact = f"`{name}` is {given[0]} x {given[1]} pixels, not within {_NEAR:.0%} of the shape of `size`"
        hint = f"crop it, or ask for {size[0]} x {max(1, round(size[0] * given[1] / given[0]))}"
        raise EngineError(ErrorKind.BAD_REQUEST, fact, hint=hint)


def check_made(size: tuple[int, int] | None, made: tuple[int, int], model: str) -> None:
    """Raise `EngineError` (`internal`) where the picture has fewer pixels than were asked for.

    Not `bad_request`, after which nothing is owed: this picture is paid for.
    """
    if size is not None and (made[0] < size[0] or made[1] < size[1]):
        raise _too_large(f"`{model}` made {made[0]} x {made[1]} pixels", size, made, ErrorKind.INTERNAL)


def _too_large(
    fact: str,
    size: tuple[int, int],
    most: tuple[int, int],
    kind: ErrorKind = ErrorKind.BAD_REQUEST,
) -> EngineError:
    # What fits into `most` with the shape that was asked for.
    scale = min(most[0] / size[0], most[1] / size[1])
    fits = int(size[0] * scale), int(size[1] * scale)
    return EngineError(
        kind,
        f"{fact}, not the {size[0]} x {size[1]} asked for",
        hint=f"ask for at most {fits[0]} x {fits[1]}",
    )


def _distance(one: float, other: float) -> float:
    return max(one, other) / min(one, other) - 1
