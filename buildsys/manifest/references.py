"""Assets made from other assets: every name leads somewhere, and no way leads back to itself.

Knows nothing of how an asset is made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from buildsys.errors import did_you_mean
from buildsys.manifest.cards import FINISH
from buildsys.manifest.model import Asset, AssetName, Input
from buildsys.manifest.source import Fault

_SHOWN: Final = 10
"""Assets of a circle that a message names; of a longer one, its ends."""


def sources(asset: Asset) -> Mapping[str, Input]:
    """Every input of `asset`, and every file of its gates as `gates.NAME.PARAMETER`."""
    if not asset.gates:
        return asset.inputs
    return {**asset.inputs, **gate_files(asset)}


def gate_files(asset: Asset) -> dict[str, Input]:
    """What the gates of `asset` hold its picture against, as `gates.NAME.PARAMETER`."""
    return {f"gates.{gate.name}.{name}": item for gate in asset.gates for name, item in gate.inputs.items()}


def faults(
    assets: Mapping[AssetName, Asset], elsewhere: Collection[AssetName], profile: str
) -> Iterator[tuple[AssetName, Fault]]:
    """What is wrong with the names that `assets` take pictures from, by the asset that does so."""
    edges: dict[AssetName, tuple[AssetName, ...]] = {}
    for name, asset in assets.items():
        taken_from = sources(asset)
        if not taken_from:
            continue
        for key, taken in taken_from.items():
            if taken.asset and taken.asset not in assets:
                fault = _missing(name, taken.asset, assets, elsewhere, profile)
                yield name, fault.under(*_path(asset, key))
        edges[name] = tuple(taken.asset for taken in taken_from.values() if taken.asset)
    if cycle := _cycle(edges):
        way: list[str] = [*cycle, cycle[0]]
        if len(way) > _SHOWN:
            way[3:-3] = ["…"]
        fact = f"assets are made from one another in a circle: `{' → '.join(way)}`"
        first, second = assets[cycle[0]], [*cycle, cycle[0]][1]
        key = next(key for key, taken in sources(first).items() if taken.asset == second)
        yield first.name, Fault(fact, "take one of them out of the circle", _path(first, key))


def lost(asset: Asset, names: Collection[AssetName]) -> Iterator[Fault]:
    """What is wrong with the names that `asset` takes pictures from, where no profile has them."""
    for key, taken in sources(asset).items():
        if taken.asset and taken.asset not in names:
            yield _unknown(asset.name, taken.asset, names).under(*_path(asset, key))


def _missing(
    name: AssetName,
    taken: AssetName,
    assets: Mapping[AssetName, Asset],
    elsewhere: Collection[AssetName],
    profile: str,
) -> Fault:
    if taken in elsewhere:
        fact = f"asset `{name}` takes the picture of `{taken}`, which profile `{profile}` does not have"
        return Fault(fact, f"give `{name}` the same `profiles` as `{taken}`")
    return _unknown(name, taken, assets)


def _unknown(name: AssetName, taken: AssetName, known: Collection[AssetName]) -> Fault:
    others = [other for other in known if other != name]  # made from itself, it would be a circle
    hint = did_you_mean(taken, others) or "name an asset as it is expanded, without its suffix"
    return Fault(f"asset `{name}` takes the picture of `{taken}`, which does not exist", hint)


def _path(asset: Asset, key: str) -> tuple[str | int, ...]:
    """Where the input `key` of `asset` was written, as near as its name tells."""
    if key == "image" and asset.engine == FINISH:
        return ("from",)
    if asset.pack:
        return ("pack",)
    if key.startswith("finish."):
        _, index, parameter = key.split(".", 2)
        return "finish", int(index), parameter
    if key.startswith("gates."):
        return tuple(key.split(".", 2))
    return "parameters", *key.split(".", 1)


def _cycle(edges: Mapping[AssetName, tuple[AssetName, ...]]) -> list[AssetName]:
    """A circle in `edges`, each name once; empty where there is none."""
    # A loop, not a recursion: a chain of assets may be longer than Python's stack.
    finished: set[AssetName] = set()
    for start in edges:
        way: dict[AssetName, Iterator[AssetName]] = {}
        following: AssetName | None = start
        while following is not None or way:
            if following is not None and following in way:
                names = list(way)
                return names[names.index(following) :]
            if following is not None and following not in finished:
                way[following] = iter(edges.get(following, ()))
            if not way:
                break
            last = next(reversed(way))
            following = next(way[last], None)
            if following is None:
                finished.add(last)
                del way[last]
    return []
