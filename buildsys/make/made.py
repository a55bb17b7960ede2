"""A picture that an engine made, in the builder's own folder, with what it was made with.

Knows nothing of how it came there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Protocol

from buildsys.manifest.model import Engine
from engines.protocol import Done, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Done):
    """An engine's answer, and its environment; `output` is an absolute path."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """Of the very process: on another device, the same engine may say something else."""


def made_by(done: Done, environment: Mapping[str, str], name: str) -> Made:
    """`done` under the id `name` by which the caller asked for it."""
    said = {item.name: getattr(done, item.name) for item in fields(done)}
    return Made(**{**said, "id": name}, environment=environment)


class Engines(Protocol):
    """Runs engines; the pool is one."""

    def render(self, engine: Engine, request: Request) -> Made:
        """Make one picture; `output` is the path of the inspected file. Raises `MakeError`."""
        ...
