"""A one-colour icon taken apart: its islands sorted into three classes, and the gaps inside it.

A game icon is one black path. The painter wants to know which parts of it stand alone (a blade, a
guard, a grip), so that they can have colours of their own, and which holes are drawn lines (to be
inked) rather than see-through (to be left). Used only when the library is packed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.stock import raster, svgpath
from engines.stock.svgpath import Segment

CLASSES: Final = 3
_SIDE: Final = 128
_BOX: Final = 512
_PATH: Final = re.compile(r'<path[^>]* d="([^"]*)"')
_INK_AREA: Final = 3500
"""In a see-through thing, a hole up to this large, of a box of 512, is still a drawn line or an eye."""
_INK_WIDTH: Final = 20
"""So is a longer one that is nowhere much wider than this."""
_STEP_DOWN: Final = 0.45
"""An island smaller than this share of its class's largest begins the next class."""


@dataclass(slots=True)
class _Part:
    """One subpath, and the pixels that it encloses."""

    segments: list[Segment]
    mask: NDArray[np.bool_]
    hole: bool = False
    parent: int = -1
    holes: list[int] = field(default_factory=list)


_SEE_THROUGH: Final = frozenset(
    "anklet arch bracelet bow cage chain cuffs frame gate halo handcuffs hoop hoops horseshoe key keys "  # noqa: SIM905 - a list of words reads better
    "keyring lasso link linked loop manacles necklace net noose pincers portculli ring rings rope scissors "
    "slingshot snare spiral web wreath".split()
)
"""What one looks through: only its narrow holes are inked."""


def separate(name: str, body: str) -> str:
    """The icon's layers: path data of the three classes and of what to ink, one a line."""
    solid = _SEE_THROUGH.isdisjoint(name.split("-"))
    data = " ".join(_PATH.findall(body))
    parts = [_part(segments) for segments in svgpath.subpaths(data)]
    drawn = _mask(f'<path d="{data}"/>')
    _nest(parts, drawn)
    islands = [index for index, part in enumerate(parts) if not part.hole]
    groups = _join(parts, islands)
    layers = [_data(parts, members) for members in _classes(parts, groups)]
    inked = [part.segments for part in parts if part.hole and (solid or _is_ink(part))]
    ink = " ".join(svgpath.write(segments, 1) for segments in inked)
    return "\n".join([*layers, ink])


def _part(segments: list[Segment]) -> _Part:
    return _Part(segments, _mask(f'<path d="{svgpath.write(segments, 1)}"/>'))


def _mask(body: str) -> NDArray[np.bool_]:
    half = raster.FULL // 2
    pixels = raster.render(body, f"0 0 {_BOX} {_BOX}", _SIDE)
    covered: NDArray[np.bool_] = pixels[..., 3] > half
    return covered


def _nest(parts: list[_Part], drawn: NDArray[np.bool_]) -> None:
    """Find each part's parent (the smallest that encloses it) and whether it is a hole."""
    sizes = [int(part.mask.sum()) for part in parts]
    for index, part in enumerate(parts):
        around = [
            other
            for other, outer in enumerate(parts)
            if sizes[other] > sizes[index] and int((part.mask & outer.mask).sum()) * 10 >= sizes[index] * 9
        ]
        part.parent = min(around, key=lambda other: sizes[other], default=-1)
    for index, part in enumerate(parts):
        own = part.mask.copy()
        for child in parts:
            if child.parent == index:
                own &= ~child.mask
        inside = int(own.sum())
        # Too thin to see at this size: what lies inside something is a drawn line.
        part.hole = part.parent >= 0 and (inside == 0 or int((own & drawn).sum()) * 2 < inside)
        if part.hole:
            parts[part.parent].holes.append(index)


def _join(parts: list[_Part], islands: list[int]) -> list[list[int]]:
    """Islands that overlap belong together: apart, their windings would not cancel as they should."""
    groups: list[list[int]] = []
    for index in islands:
        touching = [
            group
            for group in groups
            if any(
                parts[other].parent == index
                or parts[index].parent == other
                or (_solid(parts, index) & _solid(parts, other)).any()
                for other in group
            )
        ]
        groups = [group for group in groups if group not in touching]
        groups.append([index, *(member for group in touching for member in group)])
    return groups


def _solid(parts: list[_Part], index: int) -> NDArray[np.bool_]:
    mask = parts[index].mask
    for hole in parts[index].holes:
        mask = mask & ~parts[hole].mask
    return mask


def _classes(parts: list[_Part], groups: list[list[int]]) -> list[list[int]]:
    """Members of each class, the largest islands first."""

    def size(group: list[int]) -> float:
        holes = [hole for member in group for hole in parts[member].holes]
        total = sum(svgpath.area(parts[member].segments) for member in group)
        return total - sum(svgpath.area(parts[hole].segments) for hole in holes)

    classes: list[list[int]] = [[] for _ in range(CLASSES)]
    level, top = -1, 0.0
    for group in sorted(groups, key=lambda group: (-size(group), group)):
        if level < 0 or (size(group) < top * _STEP_DOWN and level < CLASSES - 1):
            level, top = level + 1, size(group)
        classes[level] += group
    return classes


def _data(parts: list[_Part], members: list[int]) -> str:
    # In the icon's own order, so that the same icon is written the same.
    wanted = sorted({index for member in members for index in (member, *parts[member].holes)})
    return " ".join(svgpath.write(parts[index].segments, 1) for index in wanted)


def _is_ink(part: _Part) -> bool:
    area = svgpath.area(part.segments)
    points = [point for _, many in part.segments for point in many]
    around = sum(
        ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5
        for a, b in zip(points, points[1:] + points[:1], strict=True)
    )
    return area <= _INK_AREA or 2 * area <= around * _INK_WIDTH
