"""What of an engine's parameters holds for its whole process, and what class its pictures are of by it.

A process is told it as it opens: libraries read such choices once, when they are loaded. So the engine has
them, and no asset. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from buildsys.manifest.model import Card, Engine
from engines.protocol import Determinism

Json: TypeAlias = Any


def held(card: Card, parameters: Mapping[str, Json]) -> dict[str, Json]:
    """Those of `parameters` that a process is told as it opens."""
    return {
        name: value
        for name, value in parameters.items()
        if name in card.parameters and card.parameters[name].process
    }


def as_made(engine: Engine, parameters: Mapping[str, Json]) -> dict[str, Json]:
    """The parameters of `engine`, its process one as it was that made something with `parameters`."""
    own = held(engine.card, engine.parameters)
    free = {name: value for name, value in engine.parameters.items() if name not in own}
    return {**free, **held(engine.card, parameters)}


def determinism(engine: Engine) -> Determinism:
    """The class of the pictures of `engine`."""
    when = engine.card.bitwise_when
    if when and all(engine.parameters.get(name) == value for name, value in when.items()):
        return Determinism.BITWISE
    return engine.card.determinism
