"""Assets with their stand-ins: each resolved for its engine, and for every engine of that one's fallback.

Knows nothing of when a stand-in makes an asset. What one of them can't make is wrong now, not on the day
on which it is needed: a picture of another kind would be a downgrade that nobody was told of.
"""

from __future__ import annotations

import msgspec

from buildsys.manifest import assets, succession
from buildsys.manifest.assets import Rules
from buildsys.manifest.matrix import Declared
from buildsys.manifest.model import Asset, AssetName, Engine
from buildsys.manifest.source import COMMAND_LINE, Fault


def resolve(asset: Declared, rules: Rules) -> Asset | None:
    """`asset` for the profile of `rules`; None where its style is wrong, which is told. Raises `Fault`."""
    made = assets.resolve(asset, rules)
    # An asset of the command line asks for one engine, and for that one only.
    if made is None or not made.engine or asset.location.file == COMMAND_LINE:
        return made
    found = []
    for name in succession.heirs(made.engine, rules.engines):
        standin = _standin(asset, made, rules.engines[name], rules)
        if standin is None:
            return None
        found.append(standin)
    return msgspec.structs.replace(made, standins=tuple(found)) if found else made


def _standin(asset: Declared, made: Asset, engine: Engine, rules: Rules) -> Asset | None:
    told = f"`{engine.name}` is a fallback of `{made.engine}`"
    try:
        standin = assets.resolve(asset, rules, engine)
    except Fault as fault:
        raise Fault(f"{fault.fact}; {told}", fault.hint, fault.path, at_key=fault.at_key) from None
    # Or an asset would wait for others that it is not made from, as long as all is well, and fail with them.
    for source in _sources(standin) - _sources(made):
        fact = f"engine `{engine.name}` makes `{made.name}` from `{source}`, and `{made.engine}` does not"
        hint = f"take `{engine.name}` out of the fallback"
        raise Fault(f"{fact}; {told}", hint, ("parameters",))
    return standin


def _sources(asset: Asset | None) -> frozenset[AssetName]:
    return frozenset(item.asset for item in asset.inputs.values() if item.asset) if asset else frozenset()
