"""Which devices an engine may work on, how many of its processes fit there, and who owns what.

Knows nothing of processes and of who waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from buildsys.manifest.devices import normal
from buildsys.manifest.model import Engine

CPU: Final = "cpu"

VARIABLE: Final = "ARTLOCK_DEVICES"
"""Comma separated; replaces the devices of every engine that has any."""


class Devices:
    """The devices of this machine, each with one owner at a time."""

    def __init__(self, environ: Mapping[str, str], jobs: int) -> None:
        """`jobs`: the most processes of one parallel engine that has no limit of its own."""
        self._instead = _cleaned(environ.get(VARIABLE, "").split(","))
        self._jobs = jobs
        self.owners: dict[str, str] = {}
        """Device to engine. It stays an owner while its process is replaced, and when it is idle."""

    def of(self, engine: Engine) -> tuple[str, ...]:
        """Where `engine` may work; empty where its adapter needs no device."""
        return engine.devices and (self._instead or _cleaned(engine.devices))

    def room(self, engine: Engine, device: str = "") -> int:
        """How many processes of `engine` there may be, on `device` if it needs one."""
        if device not in {"", CPU}:
            return 1  # two of them would hold its weights twice
        return engine.limits.concurrent or (self._jobs if engine.card.parallel else 1)


def _cleaned(names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    stripped = (name.strip() for name in names)
    return tuple(dict.fromkeys(normal(name) for name in stripped if name))
