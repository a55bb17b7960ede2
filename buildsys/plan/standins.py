"""Stand-ins: which of an asset's engines makes it, and why those before it do not.

Pure. Knows nothing of how it is found out that an engine can't make something.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from buildsys.manifest.model import Asset, Engine
from buildsys.plan import recipe
from buildsys.plan.record import Parts
from buildsys.plan.step import Reason, Step, Why

GIVES_WAY: Final = frozenset({Why.REFUSED, Why.RETIRED, Why.GAVE_UP})
"""Obstacles of the engine that was asked for, for which another one takes over. What is only not set up on
this machine blocks the asset: which engine makes it must not hang on whose machine it is."""

_OBSTACLES: Final = GIVES_WAY | {Why.ENGINE, Why.INPUT, Why.DISK, Why.REJECTED}


def in_place_of(asked: Step, asset: Asset, engine: Engine, parts: Parts) -> Step:
    """`asked` as `engine` would make it: `asset` is the same asset, resolved for that one."""
    return msgspec.structs.replace(
        asked,
        asset=asset,
        parts=parts,
        recipe=recipe.digest_of(parts),
        device=next(iter(engine.devices), ""),
        instead_of=asked.asset.engine,
        asked=asked.asked or asked.recipe,
    )


def instead(step: Step, passed: Sequence[Reason]) -> Reason:
    """Why the stand-in of `step` makes it: what is `passed` are the obstacles of those before it."""
    told = "; ".join(reason.text().rstrip(".") for reason in passed)
    return Reason(why=Why.STANDIN, field=step.asset.engine, old=step.instead_of, new=told)


def obstacles(step: Step) -> tuple[Reason, ...]:
    """What keeps each engine of a blocked step from making it, the one that was asked for first."""
    found = []
    for reason in step.reasons:
        if reason.why not in _OBSTACLES:
            break
        found.append(reason)
    return tuple(found)


def blocked_told(step: Step) -> str:
    """Why `step` is blocked, for a person: a line for the engine that was asked for and each stand-in."""
    first, *others = obstacles(step) or step.reasons[:1]
    return "\n".join([first.text(), *(reason.text() for reason in others if step.asset.standins)])
