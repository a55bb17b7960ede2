"""Names that need one another: an order to take them in, and the circles that have none.

Knows nothing of what the names stand for.
"""

from __future__ import annotations

import graphlib
from collections.abc import Mapping, Sequence


def untangled(needs: Mapping[str, Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """The names of `needs`, each after those that it needs; and every circle, whose names have no order.

    A circle begins with the name that comes first in `needs`, and each needs the next. Names that
    `needs` does not have are left out.
    """
    graph = {name: [item for item in items if item in needs] for name, items in needs.items()}
    place = {name: number for number, name in enumerate(graph)}
    circles: list[list[str]] = []
    while True:
        try:
            order = list(graphlib.TopologicalSorter(graph).static_order())
        except graphlib.CycleError as error:
            # graphlib goes from what is needed to what needs it, and names the first once more.
            circle: list[str] = error.args[1][:0:-1]
            first = circle.index(min(circle, key=place.__getitem__))
            circles.append(circle[first:] + circle[:first])
            for name in circle:
                graph[name] = []
        else:
            tangled = {name for circle in circles for name in circle}
            return [name for name in order if name not in tangled], circles
