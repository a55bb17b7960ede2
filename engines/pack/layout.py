"""Where sprites lie: from their sizes to places on pages, each page as small as it can be.

Knows nothing of names or pixels. `rpack` places rectangles on one page; which page that is, and how many
there are, is decided here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import rpack

Size: TypeAlias = tuple[int, int]

MOST_PAGES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What pages may be like."""

    max_size: int
    padding: int
    """Between two sprites, not at the edge of a page."""
    power_of_two: bool
    square: bool
    rotate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one sprite lies."""

    page: int
    x: int
    y: int
    rotated: bool


@dataclass(frozen=True, slots=True)
class _Page:
    """Sprites on one page, by their numbers."""

    size: Size
    places: dict[int, tuple[int, int, bool]]


class Overfull(Exception):  # noqa: N818 - a finding, made into an error by the caller
    """These sprites, by their numbers, can't lie on one page, and must; or on all pages together."""

    def __init__(self, numbers: Sequence[int] = ()) -> None:
        super().__init__()
        self.numbers = tuple(numbers)


def arrange(sizes: Sequence[Size], units: Sequence[Sequence[int]], rules: Rules) -> tuple[list[Place], list[Size]]:
    """A place for each of `sizes`, and the sizes of the pages.

    Args:
        sizes: width and height of each sprite. Equal input in equal order gives equal places.
        units: every sprite by its number, once; those of one unit lie on one page.
        rules: what pages may be like.

    Raises `Overfull` with the sprites of a unit that no page can hold, or without any where there would be
    more than `MOST_PAGES`.
    """
    waiting = sorted(units, key=lambda unit: (min(_rank(sizes[number]) for number in unit), unit[0]))
    pages: list[_Page] = []
    while waiting:
        if len(pages) == MOST_PAGES:
            raise Overfull
        count = _count(sizes, waiting, rules)
        page = _smallest(sizes, _joined(waiting[:count]), rules)
        if page is None:
            raise Overfull(waiting[0])
        pages.append(page)
        waiting = waiting[count:]
    places = {
        number: Place(page=index, x=x, y=y, rotated=rotated)
        for index, page in enumerate(pages)
        for number, (x, y, rotated) in page.places.items()
    }
    return [places[number] for number in range(len(sizes))], [page.size for page in pages]


def _rank(size: Size) -> tuple[int, int]:
    """The largest first: what is small fits in between."""
    return -max(size), -min(size)


def _joined(units: Sequence[Sequence[int]]) -> list[int]:
    return [number for unit in units for number in unit]


def _count(sizes: Sequence[Size], units: Sequence[Sequence[int]], rules: Rules) -> int:
    """How many of the first `units` one page can hold: all, or as many as bisection finds; at least one."""
    most = largest(rules)

    def fits(count: int) -> bool:
        return _on_page(sizes, _joined(units[:count]), (most, most), rules) is not None

    if fits(len(units)):
        return len(units)
    low, high = 1, len(units)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def largest(rules: Rules) -> int:
    """The side of the largest page."""
    return 1 << (rules.max_size.bit_length() - 1) if rules.power_of_two else rules.max_size


def _smallest(sizes: Sequence[Size], numbers: Sequence[int], rules: Rules) -> _Page | None:
    """The smallest page on which all of `numbers` lie; None where the largest can't hold them."""
    if rules.power_of_two:
        shapes = _powers(sizes, numbers, rules)
        return next(filter(None, (_on_page(sizes, numbers, shape, rules) for shape in shapes)), None)
    if rules.square:
        return _smallest_square(sizes, numbers, rules)
    most = largest(rules)
    return _on_page(sizes, numbers, (most, most), rules, cropped=True)


def _powers(sizes: Sequence[Size], numbers: Sequence[int], rules: Rules) -> Iterator[Size]:
    """Pages with sides of powers of two that may hold `numbers`, the smallest first."""
    powers = [1 << power for power in range(largest(rules).bit_length())]
    shapes = [(width, height) for width in powers for height in powers if width == height or not rules.square]
    area = sum(sizes[number][0] * sizes[number][1] for number in numbers)
    yield from sorted(
        (shape for shape in shapes if shape[0] * shape[1] >= area),
        key=lambda shape: (shape[0] * shape[1], max(shape), shape[1]),
    )


def _smallest_square(sizes: Sequence[Size], numbers: Sequence[int], rules: Rules) -> _Page | None:
    most = largest(rules)
    found = _on_page(sizes, numbers, (most, most), rules)
    area = sum(sizes[number][0] * sizes[number][1] for number in numbers)
    low, high = math.isqrt(area) - 1, most
    while found is not None and high - low > 1:
        middle = (low + high) // 2
        page = _on_page(sizes, numbers, (middle, middle), rules)
        low, high = (low, middle) if page else (middle, high)
        found = page or found
    return found


def _on_page(
    sizes: Sequence[Size], numbers: Sequence[int], page: Size, rules: Rules, *, cropped: bool = False
) -> _Page | None:
    """`numbers` on a page of this size, or `cropped` to what they take of it; None where they don't fit."""
    found = [
        placed
        for turned in _turns(sizes, numbers, rules)
        if (placed := _placed(turned, page, rules, cropped=cropped)) is not None
    ]
    return min(found, key=lambda placed: placed.size[0] * placed.size[1], default=None)


def _turns(
    sizes: Sequence[Size], numbers: Sequence[int], rules: Rules
) -> Iterator[dict[int, tuple[int, int, bool]]]:
    """Width, height and whether it is turned, of each: as they are, and all lying or all standing.

    `rpack` turns none itself. Sprites that all point one way leave fewer gaps.
    """
    yield {number: (*sizes[number], False) for number in numbers}
    for lying in (True, False) if rules.rotate else ():
        turned = {}
        for number in numbers:
            width, height = sizes[number]
            turn = width != height and (width > height) is not lying
            turned[number] = (height, width, True) if turn else (width, height, False)
        yield turned


def _placed(
    turned: dict[int, tuple[int, int, bool]], page: Size, rules: Rules, *, cropped: bool
) -> _Page | None:
    pad = rules.padding
    boxes = [(width + pad, height + pad) for width, height, _ in turned.values()]
    try:
        corners = rpack.pack(boxes, max_width=page[0] + pad, max_height=page[1] + pad)
    except rpack.PackingImpossibleError:
        return None
    if cropped:
        width, height = rpack.bbox_size(boxes, corners)
        page = (width - pad, height - pad)
    places = {
        number: (x, y, rotated)
        for (number, (_, _, rotated)), (x, y) in zip(turned.items(), corners, strict=True)
    }
    return _Page(page, places)
