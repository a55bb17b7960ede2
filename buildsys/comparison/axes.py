"""The axes of a grid of pictures: what all of a column have in common, and what all of a row have.

Knows nothing of how a grid is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from buildsys.comparison.model import Comparison
from buildsys.comparison.words import told

Place: TypeAlias = tuple[tuple[str, str], ...]
"""What a picture was asked for, by name."""

_ENGINE: Final = "engine"


def heads(comparison: Comparison) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What to write above each column and before each row; nothing where all are alike."""
    columns = comparison.columns or len(comparison.seeds)
    places = [_place(comparison, number) for number in range(len(comparison.entries))]
    upright = [places[first::columns] for first in range(columns)]
    across = [places[first : first + columns] for first in range(0, len(places), columns)]
    return _named(upright), _named(across)


def _place(comparison: Comparison, number: int) -> Place:
    """As it was asked for: an entry itself has no seed where its engine takes none."""
    entry, seed = comparison.entries[number], comparison.seeds[number % len(comparison.seeds)]
    settings = ((key, told(value)) for key, value in entry.settings.items())
    return ((_ENGINE, entry.engine), *settings, ("seed", str(seed)))


def _named(lines: Sequence[Sequence[Place]]) -> tuple[str, ...]:
    """Each line by what its places share, and not all lines do."""
    shared = [_shared(line) for line in lines]
    everywhere = _shared(place for line in lines for place in line)
    names = tuple(" · ".join(_words(*item) for item in line if item not in everywhere) for line in shared)
    return names if any(names) else ()


def _shared(places: Iterable[Place]) -> Place:
    first, *others = places
    return tuple(item for item in first if all(item in other for other in others))


def _words(key: str, value: str) -> str:
    return value if key == _ENGINE else f"{key} {value}"
