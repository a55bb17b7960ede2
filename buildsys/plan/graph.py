"""The graph of assets: who is made from whom, and in which order.

Knows nothing of what is stale. The manifest has refused cycles already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from buildsys.manifest.model import Asset, AssetName, Input, Manifest
from buildsys.manifest.references import sources


def upstream(asset: Asset) -> tuple[AssetName, ...]:
    """The assets that `asset` is made from, or held against."""
    return tuple(dict.fromkeys(item.asset for item in sources(asset).values() if item.asset))


def output_of(manifest: Manifest, asset: Asset) -> str:
    """Where the asset's file goes, relative to the project."""
    return f"{manifest.project.out}/{asset.path}"


def place_of(manifest: Manifest, item: Input) -> str:
    """Where an input lies: relative to the project, or a `bundled:` path."""
    return output_of(manifest, manifest.assets[item.asset]) if item.asset else item.path


def order(assets: Mapping[AssetName, Asset]) -> tuple[AssetName, ...]:
    """Every asset after those that it is made from.

    Otherwise by engine, so that models switch rarely, and then as the manifest has them.
    """
    rank = {name: (asset.engine, number) for number, (name, asset) in enumerate(assets.items())}
    done: dict[AssetName, None] = {}
    # Depth first with an explicit stack: a chain of a thousand derived assets is legal.
    for root in sorted(assets, key=rank.__getitem__):
        stack = [root]
        while stack:
            name = stack[-1]
            waiting = [item for item in upstream(assets[name]) if item not in done]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            done.setdefault(name)
    return tuple(done)


def with_upstream(assets: Mapping[AssetName, Asset], names: Iterable[AssetName]) -> frozenset[AssetName]:
    """`names` and everything that they are made from."""
    return _reached(names, lambda name: upstream(assets[name]))


def with_downstream(assets: Mapping[AssetName, Asset], names: Iterable[AssetName]) -> frozenset[AssetName]:
    """`names` and everything that is made from them."""
    made: dict[AssetName, list[AssetName]] = {}
    for name, asset in assets.items():
        for source in upstream(asset):
            made.setdefault(source, []).append(name)
    return _reached(names, lambda name: made.get(name, ()))


def _reached(
    names: Iterable[AssetName], following: Callable[[AssetName], Iterable[AssetName]]
) -> frozenset[AssetName]:
    found: set[AssetName] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack.extend(following(name))
    return frozenset(found)
