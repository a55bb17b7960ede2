"""A pool that runs the engines' real code in this process: a build without the start of a single engine.

Plan, doit, maker, candidates, gates, store and lock are the real ones. It answers in an order of its own, by
a number: whatever hangs on who is done first, another number shows.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import graph_noise
from PIL import Image

from buildsys.make.failure import EngineFailed
from buildsys.make.made import Made, made_by
from buildsys.make.pool import Pool
from buildsys.manifest.model import Engine
from engines import protocol
from engines.protocol import Done, Failure, Open, Request

_LONGEST = 0.002
"""Seconds that a picture takes at most: enough for the others to come and wait."""


_NUMBERS = count()
_LOADING = threading.Lock()

QUICK_DISK = next((place for place in ("/dev/shm",) if os.access(place, os.W_OK)), None)  # noqa: S108 - new in it
"""A disk in memory, where there is one. A store has hundreds of folders: to make and to remove them takes
another disk longer than a whole build."""


class QuickPool(Pool):
    """A pool without processes.

    Args:
        order: a number from which follows who of those that wait is next.
        asked: told each request.
    """

    def __init__(
        self, work: Path, *, order: int, asked: Callable[[Engine, Request], None], jobs: int, **told: Any
    ) -> None:
        super().__init__(work, jobs=jobs, **told)
        self._order = order
        self._asked = asked
        self._free = jobs
        self._waiting: list[tuple[str, str]] = []
        self._names: Counter[str] = Counter()
        self._room = threading.Condition()

    def render(
        self, engine: Engine, request: Request, on_progress: Callable[[int, int], None] = lambda *_: None
    ) -> Made:
        del on_progress
        with self._turn(request.id) as number:
            self._asked(engine, request)
            with _LOADING:
                running, environment = _loaded(engine.name, engine.card.name)
            staging = Path(_staging().name)
            # Two may ask for the same file at once; each gets one of its own.
            own = replace(request, output=f"{number}-{request.output}")
            result = _sheet(own) if _is_sheet(own) else next(iter(running.render([own], lambda *_: None)))
            if isinstance(result, Failure):
                raise EngineFailed(result.message, result.hint, kind=result.kind)
            assert isinstance(result, Done)
            companions = {suffix: str(staging / name) for suffix, name in result.companions.items()}
            done = replace(result, output=str(staging / result.output), companions=companions)
            return made_by(done, environment, request.id)

    @contextmanager
    def _turn(self, name: str) -> Iterator[int]:
        """Wait until it is the turn of `name`, and there is a job for it: how many went before it."""
        with self._room:
            self._names[name] += 1
            rank = hashlib.sha256(f"{self._order} {name} {self._names[name]}".encode()).hexdigest()
            mine = (rank, name)
            self._waiting.append(mine)
            self._room.wait_for(lambda: self._free > 0 and min(self._waiting) == mine)
            self._waiting.remove(mine)
            self._free -= 1
            number = next(_NUMBERS)
            self._room.notify_all()
        try:
            time.sleep(int(rank[:4], 16) / 0xFFFF * _LONGEST)
            yield number
        finally:
            with self._room:
                self._free += 1
                self._room.notify_all()


def _is_sheet(request: Request) -> bool:
    return request.parameters.get("work") == "sheet"


def _sheet(request: Request) -> Done:
    """An empty contact sheet: nobody looks at it, and a real one takes longer than all else in a build."""
    Image.new("L", (1, 1)).save(Path(_staging().name) / request.output)
    return Done(id=request.id, output=request.output)


@cache
def _staging() -> tempfile.TemporaryDirectory[str]:
    """Where engines write; it goes with the process."""
    return tempfile.TemporaryDirectory(prefix="quick-pool-", dir=QUICK_DISK)


@cache
def _loaded(engine: str, adapter: str) -> tuple[protocol.Engine, Mapping[str, str]]:
    """An engine for all builds of this process, and its environment."""
    opening = Open(
        protocol=protocol.PROTOCOL,
        adapter=adapter,
        engine=engine,
        model="",
        revision="",
        staging=_staging().name,
        settings={},
    )
    module = graph_noise if adapter.endswith(".py") else importlib.import_module(f"engines.{adapter}")
    loaded: protocol.Engine = module.load(opening)
    return loaded, loaded.environment()
