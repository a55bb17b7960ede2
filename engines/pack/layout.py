"""Where sprites lie: from their sizes to places on pages, each page as small as it can be.

Knows nothing of names or pixels. `rectpack` places one rectangle after the other on a page of a given size;
which size that is, what comes first and what goes onto a further page is decided here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rectpack.guillotine import GuillotineBssfSas
from rectpack.maxrects import MaxRectsBssf

Size: TypeAlias = tuple[int, int]

MOST_PAGES: Final = 100

_MANY: Final = 100
"""Sprites beyond which a page is filled by the quicker way: 300 took 0.1 s by it and 1.6 s by the other, and
1,000 took 1.9 s."""

_ROOM: Final = (
    *(1.0, 1.02, 1.04, 1.06, 1.08, 1.1, 1.13, 1.16, 1.2, 1.25, 1.3, 1.4, 1.5, 1.7, 2.0),
    *(2.5, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0),
)
"""How many times their own area sprites are given, in turn, until they fit."""

_SHAPES: Final = ((1, 1), (3, 2), (2, 3), (2, 1), (1, 2))
"""Width to height of pages that are tried: the sizes of few sprites rarely make a square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What pages may be like."""

    max_size: int
    padding: int
    """Between two sprites, not at the edge of a page."""
    power_of_two: bool
    square: bool
    rotate: bool

    @property
    def side(self) -> int:
        """That of the largest page."""
        return 1 << (self.max_size.bit_length() - 1) if self.power_of_two else self.max_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one sprite lies."""

    page: int
    x: int
    y: int
    rotated: bool


_Spots: TypeAlias = dict[int, tuple[int, int, int, int]]
"""Of sprites by their numbers: left, top, width and height as they lie."""


class Overfull(Exception):  # noqa: N818 - a finding, made into an error by the caller
    """These sprites, by their numbers, can't lie on one page, and must; without any: too many pages."""

    def __init__(self, numbers: Sequence[int] = ()) -> None:
        super().__init__()
        self.numbers = tuple(numbers)


def arrange(
    sizes: Sequence[Size], units: Sequence[Sequence[int]], rules: Rules, news: Callable[[], None]
) -> tuple[list[Place], list[Size]]:
    """A place for each of `sizes`, and the sizes of the pages.

    Args:
        sizes: width and height of each sprite. Equal input in equal order gives equal places.
        units: every sprite by its number, once; those of one unit lie on one page.
        rules: what pages may be like.
        news: called before each try.

    Raises `Overfull` with the sprites of a unit that no page can hold, or without any where there would be
    more than `MOST_PAGES`.
    """
    table = _Table(sizes, rules, news)
    waiting = sorted((table.ordered(unit) for unit in units), key=lambda unit: table.rank(unit[0]))
    pages: list[tuple[_Spots, Size]] = []
    while waiting:
        if len(pages) == MOST_PAGES:
            raise Overfull
        numbers = [number for unit in waiting for number in unit]
        page = table.smallest(table.ordered(numbers))
        if page is None:
            page, waiting = table.filled(waiting)
        else:
            waiting = []
        pages.append(page)
    places = {
        number: Place(page=index, x=x, y=y, rotated=(width, height) != sizes[number])
        for index, (spots, _) in enumerate(pages)
        for number, (x, y, width, height) in spots.items()
    }
    return [places[number] for number in range(len(sizes))], [size for _, size in pages]


class _Table:
    """The sprites of one atlas, and what may be done with them."""

    def __init__(self, sizes: Sequence[Size], rules: Rules, news: Callable[[], None]) -> None:
        self._sizes = sizes
        self._rules = rules
        self._news = news

    def rank(self, number: int) -> tuple[int, int, int]:
        """The largest first: what is small fits in between."""
        return -max(self._sizes[number]), -min(self._sizes[number]), number

    def ordered(self, numbers: Sequence[int]) -> list[int]:
        return sorted(numbers, key=self.rank)

    def smallest(self, numbers: Sequence[int]) -> tuple[_Spots, Size] | None:
        """The smallest page on which all of `numbers` were seen to fit; None where there is none."""
        shapes = self._powers(numbers) if self._rules.power_of_two else self._rooms(numbers)
        for alike in shapes:
            found = [page for shape in alike if (page := self._all_on(shape, numbers)) is not None]
            if found:
                return min(found, key=lambda page: (page[1][0] * page[1][1], max(page[1])))
        return None

    def filled(self, units: Sequence[list[int]]) -> tuple[tuple[_Spots, Size], list[list[int]]]:
        """The largest page with as many of `units` as fit, and the units that do not. Raises `Overfull`."""
        side = self._rules.side
        left: set[int] = set()
        while (spots := self._some_on((side, side), units, left)) is None:
            pass
        if not spots:
            raise Overfull(units[0])
        rest = [unit for index, unit in enumerate(units) if index in left]
        return (spots, self._cropped(spots, (side, side))), rest

    def _powers(self, numbers: Sequence[int]) -> Iterator[list[Size]]:
        """Pages whose sides are powers of two, those of equal area together, the smallest first."""
        powers = [1 << power for power in range(self._rules.side.bit_length())]
        for total in range(2 * len(powers) - 1):
            shapes = [(width, (1 << total) // width) for width in powers if (1 << total) // width in powers]
            yield [
                shape
                for shape in shapes
                if 1 << total >= self._area(numbers) and (shape[0] == shape[1] or not self._rules.square)
            ]

    def _rooms(self, numbers: Sequence[int]) -> Iterator[list[Size]]:
        """Pages with ever more room, of several shapes where there are few sprites."""
        shapes = _SHAPES if len(numbers) <= _MANY and not self._rules.square else _SHAPES[:1]
        widest = max(self._sizes[number][0] for number in numbers)
        tallest = max(self._sizes[number][1] for number in numbers)
        if self._rules.square or self._rules.rotate:
            widest = tallest = max(widest, tallest)
        most = self._rules.side
        for room in _ROOM:
            area = math.ceil(self._area(numbers) * room)
            sides = [
                (math.isqrt(area * across // down), math.isqrt(area * down // across))
                for across, down in shapes
            ]
            yield [(min(max(x + 1, widest), most), min(max(y + 1, tallest), most)) for x, y in sides]
        yield [(most, most)]

    def _area(self, numbers: Sequence[int]) -> int:
        return sum(self._sizes[number][0] * self._sizes[number][1] for number in numbers)

    def _page(self, size: Size, count: int) -> MaxRectsBssf | GuillotineBssfSas:
        """An empty page. A padding goes to the right of and below each sprite, and so over the edge."""
        self._news()
        kind = MaxRectsBssf if count <= _MANY else GuillotineBssfSas
        pad = self._rules.padding
        return kind(size[0] + pad, size[1] + pad, rot=self._rules.rotate)

    def _spot(self, page: MaxRectsBssf | GuillotineBssfSas, number: int) -> tuple[int, int, int, int] | None:
        pad = self._rules.padding
        width, height = self._sizes[number]
        found = page.add_rect(width + pad, height + pad)
        return None if found is None else (found.x, found.y, found.width - pad, found.height - pad)

    def _all_on(self, size: Size, numbers: Sequence[int]) -> tuple[_Spots, Size] | None:
        page, spots = self._page(size, len(numbers)), {}
        for number in numbers:
            spot = self._spot(page, number)
            if spot is None:
                return None
            spots[number] = spot
        return spots, self._cropped(spots, size)

    def _some_on(self, size: Size, units: Sequence[list[int]], left: set[int]) -> _Spots | None:
        """What fits of the `units` that are not `left`; the others are noted there.

        None where a unit fits in part: what was placed can't be taken back, so it is noted and all begins
        anew.
        """
        page, spots = self._page(size, sum(map(len, units))), _Spots()
        for index, unit in enumerate(units):
            for number in unit if index not in left else ():
                spot = self._spot(page, number)
                if spot is None:
                    left.add(index)
                    if number != unit[0]:
                        return None
                    break
                spots[number] = spot
        return spots

    def _cropped(self, spots: _Spots, size: Size) -> Size:
        if self._rules.power_of_two:
            return size
        width = max(x + across for x, _, across, _ in spots.values())
        height = max(y + down for _, y, _, down in spots.values())
        return (max(width, height),) * 2 if self._rules.square else (width, height)
