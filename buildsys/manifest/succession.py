"""Engines that stand in for others: every name is an engine, and no way leads back to where it began.

Knows nothing of when one stands in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from buildsys.errors import did_you_mean
from buildsys.manifest.model import Engine
from buildsys.manifest.source import Fault


def faults(engines: Mapping[str, Engine], choosable: Collection[str]) -> Iterator[tuple[str, Fault]]:
    """What is wrong with the successors and fallbacks of `engines`, by the engine that names them."""
    circled: set[str] = set()
    for name, engine in engines.items():
        if engine.successor and engine.successor not in choosable:
            yield name, _unknown("the successor", engine.successor, choosable).under("successor")
        for number, other in enumerate(engine.fallback):
            fault = _fallback(engine, number, choosable)
            if fault is None and name not in circled and (way := _way_back(name, other, engines)):
                circled.update(way)
                fact = f"fallbacks lead in a circle: `{' → '.join((name, *way))}`"
                fault = Fault(fact, "take one of them out of the circle")
            if fault is not None:
                yield name, fault.under("fallback", number)


def heirs(name: str, engines: Mapping[str, Engine]) -> tuple[str, ...]:
    """The engines that stand in for `name`, and for those in turn: depth first, each once."""
    found: dict[str, None] = {}
    waiting = [*reversed(engines[name].fallback)]
    while waiting:
        other = waiting.pop()
        if other not in found:
            found[other] = None
            waiting += reversed(engines[other].fallback)
    return tuple(found)


def _fallback(engine: Engine, number: int, choosable: Collection[str]) -> Fault | None:
    other = engine.fallback[number]
    if other == engine.name:
        return Fault(f"`{other}` is its own fallback", "name another engine")
    if other not in choosable:
        return _unknown("the fallback", other, choosable)
    if other in engine.fallback[:number]:
        return Fault(f"`{other}` stands in `fallback` twice", "keep one of the two")
    return None


def _unknown(what: str, name: str, choosable: Collection[str]) -> Fault:
    hint = did_you_mean(name, choosable) or "name one of the engines"
    return Fault(f"{what} `{name}` is no engine", hint)


def _way_back(home: str, start: str, engines: Mapping[str, Engine]) -> tuple[str, ...]:
    """The fallbacks from `start` to `home`, both included; empty where none lead there."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop(0)
        if way[-1] == home:
            return way
        for other in engines[way[-1]].fallback if way[-1] in engines else ():
            if other not in seen:
                seen.add(other)
                ways.append((*way, other))
    return ()
