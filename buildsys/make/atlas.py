"""Packing one atlas: finished pictures in, a page and its companions out.

Knows nothing of places, formats or of when an atlas is stale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from buildsys.make.made import Engines
from buildsys.make.progress import Action, ActionStarted, Event
from buildsys.make.recording import record_of
from buildsys.make.results import Finished, Raw, picture_of
from buildsys.manifest.model import Engine
from buildsys.plan import recipe
from buildsys.plan.record import Parts, Record
from buildsys.plan.step import Step
from buildsys.store.objects import Store
from engines.protocol import Request


class Packer:
    """Packs atlases; `store` takes every file before anything else happens with it."""

    def __init__(self, engine: Engine, engines: Engines, store: Store, tell: Callable[[Event], None]) -> None:
        self._engine = engine
        self._engines = engines
        self._store = store
        self._tell = tell

    def pack(self, step: Step, parts: Parts, sprites: Mapping[str, Path]) -> tuple[Record, tuple[str, ...]]:
        """The record of an atlas of `sprites`, and notes for a person. Raises `MakeError`."""
        key = recipe.generate_key(parts)
        request = Request(
            id=f"{step.name}#pack",
            asset=step.name,
            output=f"{key[:16]}.png",
            parameters=parts.parameters,
            inputs={field: str(path) for field, path in sprites.items()},
        )
        self._tell(ActionStarted(name=step.name, action=Action.GENERATE, engine=self._engine.name, key=key))
        done = self._engines.render(self._engine, request)
        companions = {
            suffix: self._store.take_file(Path(path), sync=False)
            for suffix, path in sorted(done.companions.items())
        }
        picture = picture_of(self._store.take_file(Path(done.output), sync=False), done.facts)
        finished = Finished(picture=picture, environment=done.environment)
        record = record_of(step, parts, Raw(raw=picture.file), finished)
        return msgspec.structs.replace(record, companions=companions), done.notes
