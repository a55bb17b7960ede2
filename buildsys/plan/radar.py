"""Engines whose end is near or past, with the assets that depend on them and the cheapest way on.

Knows nothing of clocks: the day comes in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from buildsys.manifest import needs, shapes
from buildsys.manifest.model import Asset, AssetName, Engine, Manifest, Need
from buildsys.plan.pick import rank
from buildsys.plan.price import Bill, bill
from buildsys.plan.step import Reason

HORIZON: Final = dt.timedelta(days=90)
"""How long ahead an end is told: time to try another engine and to review what it makes."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """An engine that ends, and the assets of one role that it makes in this profile."""

    engine: str
    retires: str
    """ISO date."""
    days: int
    """From today until then; 0 or less: it has ended."""
    role: str
    """Empty for assets that have none."""
    mapped: bool
    """Whether the role maps to the engine; otherwise its assets name it."""
    assets: tuple[AssetName, ...]
    way: str = ""
    """The engine to go on with: its successor, else the cheapest that is ready; empty where there is none."""
    obstacle: Reason | None = None
    """Why that one can't run here and now."""
    bill: Bill | None = None
    """What it would cost to make all these assets with that one."""


def endings(
    manifest: Manifest, today: dt.date, obstacle: Callable[[Engine], Reason | None]
) -> tuple[Ending, ...]:
    """Every engine of an asset that has ended, or does within `HORIZON`: the first end first."""
    groups: dict[tuple[str, str], list[Asset]] = {}
    for asset in manifest.assets.values():
        engine = manifest.engines.get(asset.engine)
        if engine is not None and _ends(engine, today):
            groups.setdefault((engine.name, asset.role), []).append(asset)
    found = [
        _ending(manifest, manifest.engines[name], role, assets, today, obstacle)
        for (name, role), assets in groups.items()
    ]
    return tuple(sorted(found, key=lambda item: (item.retires, item.engine, item.role)))


def _ending(
    manifest: Manifest,
    engine: Engine,
    role: str,
    assets: Sequence[Asset],
    today: dt.date,
    obstacle: Callable[[Engine], Reason | None],
) -> Ending:
    mapped = manifest.roles.get(role, {})
    way = _successor(manifest, engine, today)
    if way is None:
        ready = _ready(manifest, engine, role, obstacle)
        way = _cheapest([other for other in ready if not _ends(other, today)], assets)
    return Ending(
        engine=engine.name,
        retires=engine.retired,
        days=(dt.date.fromisoformat(engine.retired) - today).days,
        role=role,
        mapped=(mapped.get("*") or mapped.get(manifest.profile)) == engine.name,
        assets=tuple(asset.name for asset in assets),
        way=way.name if way else "",
        obstacle=obstacle(way) if way else None,
        bill=_bill(way, assets) if way else None,
    )


def _ends(engine: Engine, today: dt.date) -> bool:
    return bool(engine.retired) and dt.date.fromisoformat(engine.retired) <= today + HORIZON


def _ready(
    manifest: Manifest, engine: Engine, role: str, obstacle: Callable[[Engine], Reason | None]
) -> list[Engine]:
    """Engines that can run here, for `role`; without one, for any role that `engine` suits. Best first."""
    roles = [role] if role else engine.card.roles
    ranked = (item for each in roles for item in rank(manifest, each, obstacle))
    found = {item.engine.name: item.engine for item in ranked if item.obstacle is None}
    if role:
        return list(found.values())
    # No role says which comes first; an engine of the same adapter draws the likest pictures.
    return sorted(found.values(), key=lambda other: other.card.name != engine.card.name)


def _successor(manifest: Manifest, engine: Engine, today: dt.date) -> Engine | None:
    """The first successor that does not end soon itself."""
    passed = {engine.name}
    while engine.successor and engine.successor not in passed:
        engine = manifest.engines[engine.successor]
        passed.add(engine.name)
        if not _ends(engine, today):
            return engine
    return None


def _cheapest(engines: Iterable[Engine], assets: Sequence[Asset]) -> Engine | None:
    """The cheapest of `engines` that takes all of `assets`; a known price before an unknown one."""
    fit = [engine for engine in engines if all(_takes(engine, asset) for asset in assets)]
    # The first of equals: `engines` come best first.
    return min(fit, key=lambda engine: _order(_bill(engine, assets)), default=None)


def _order(item: Bill) -> tuple[int, float]:
    return item.unknown, item.usd


def _takes(engine: Engine, asset: Asset) -> bool:
    card = engine.card
    given = {"prompt": asset.prompt, "size": asset.size}
    wants = {"prompt": card.prompt, "size": card.size}
    if any((want is Need.REQUIRED and not given[key]) for key, want in wants.items()):
        return False
    if any((want is Need.NONE and given[key]) for key, want in wants.items()):
        return False
    if card.seed is Need.REQUIRED and asset.seed is None:
        return False
    if not needs.is_told(card, asset.text, asset.prompt):
        return False
    if any(not needs.can(card, need) for need in asset.needs):
        return False
    return asset.size is None or shapes.makes(card, engine.model, asset.size)


def _bill(engine: Engine, assets: Sequence[Asset]) -> Bill:
    # Its own parameters: what the assets say to the old engine, the new one may not even know.
    changed = (msgspec.structs.replace(asset, parameters=engine.parameters) for asset in assets)
    return bill(engine, changed)
