"""What an engine does with less memory: one request at a time, then one step after the other.

The steps are those of its adapter's card, settings such as `offload = "model"`, tried on a GPU only.
Knows nothing of processes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from buildsys.make.failure import EngineFailed
from buildsys.manifest.model import Card, Json


@dataclass(slots=True)
class Relief:
    """How far one engine had to go, for the rest of the run."""

    alone: bool = False
    """Its batches are of one request."""
    level: int = 0
    """Steps of its card that its new processes run with, on a GPU."""

    def step(self, card: Card, level: int) -> bool:
        """A request alone ran out on a GPU, in a process at `level`: whether a new one has less appetite."""
        if level < self.level:
            return True  # another process of the engine went up meanwhile
        if self.level == len(card.relief):
            return False
        self.level += 1
        return True


def settings_at(card: Card, settings: Mapping[str, Json], level: int) -> dict[str, Json]:
    """`settings` with the first `level` steps of relief."""
    merged = dict(settings)
    for step in card.relief[:level]:
        merged |= step
    return merged


def told(error: EngineFailed, card: Card, level: int, *, alone: bool) -> EngineFailed:
    """`error` with what was tried before it was given up."""
    tried = ["alone"] if alone else []
    tried += [f"with {_spelled(step)}" for step in card.relief[:level]]
    if not tried:
        return error
    return EngineFailed(
        f"{error.message}; tried {', then '.join(tried)}",
        error.hint,
        kind=error.kind,
        host_bytes=error.host_bytes,
        log_tail=error.log_tail,
        retry_after=error.retry_after,
        lost=error.lost,
        killed=error.killed,
    )


def _spelled(step: Mapping[str, Json]) -> str:
    # JSON spells strings, numbers and booleans as TOML does.
    return " and ".join(f"`{key} = {json.dumps(value)}`" for key, value in step.items())
