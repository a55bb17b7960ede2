"""A pool for one test, with its events, and clocks that a test can let run."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from zookeeper import MARK, ROOT, left_after

from buildsys.make.clock import Clock
from buildsys.make.events import Event, RequestDone
from buildsys.make.made import Made
from buildsys.make.pool import Pool

M = TypeVar("M")
E = TypeVar("E")

SECONDS = 20
"""What a test waits for at most: the machine may be busy."""


class HandClock(Clock):
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self._now = 1000.0
        self.waits: list[float] = []
        """How long the pool wanted to wait, each time that it had to."""

    def now(self) -> float:
        return self._now

    def receive(self, inbox: SimpleQueue[M], until: float) -> M | None:
        self._note(until)
        while True:
            try:
                return inbox.get(timeout=0.01)
            except Empty:
                if until <= self._now:
                    return None

    def _note(self, until: float) -> None:
        if until < math.inf:
            self.waits.append(until - self._now)

    def advance(self, seconds: float) -> None:
        self._now += seconds


class HastyClock(HandClock):
    """Skips every wait in which nothing comes."""

    def receive(self, inbox: SimpleQueue[M], until: float) -> M | None:
        if until == math.inf:
            return inbox.get()
        try:
            return inbox.get_nowait()
        except Empty:
            self._note(until)
            self._now = max(self._now, until)
            return None


class Told:
    """The events of a pool; a test may wait for one."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = threading.Condition()
        self.plug = threading.Event()
        """The pool hears no more once it told that the asset `plug` is done, until this is set."""

    def __call__(self, event: Event) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()
        if isinstance(event, RequestDone) and event.asset == "plug":
            self.plug.wait(SECONDS)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def expect(self, kind: type[E], count: int = 1) -> list[E]:
        """Wait until there were so many of `kind`."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.of(kind)) >= count, SECONDS), self.events
            return self.of(kind)


class Run(NamedTuple):
    pool: Pool
    told: Told


@contextmanager
def running(tmp_path: Path, *, jobs: int = 2, clock: Clock | None = None, **environ: str) -> Iterator[Run]:
    told = Told()
    seen = {**os.environ, MARK: str(tmp_path), **environ}
    work = tmp_path / "work"
    with Pool(work, root=ROOT, jobs=jobs, on_event=told, environ=seen, clock=clock) as pool:
        yield Run(pool, told)
    assert left_after(str(tmp_path), 2) == []


def results(futures: list[Future[Made]]) -> list[Made]:
    return [future.result(SECONDS) for future in futures]


def entries(diary: Path) -> list[tuple[str, ...]]:
    """Word, engine, device of each line."""
    return [tuple(line.split(" ")[:3]) for line in diary.read_text(encoding="utf-8").splitlines()]


def await_entry(diary: Path, entry: tuple[str, ...]) -> None:
    _until(lambda: entry in entries(diary))


def await_end(process: int) -> None:
    """Until there is no such process."""
    _until(lambda: not Path(f"/proc/{process}").exists())


def _until(met: Callable[[], bool]) -> None:
    patience = threading.Event()
    for _ in range(SECONDS * 100):
        if met():
            return
        patience.wait(0.01)
    raise AssertionError


def gpu(**changes: Any) -> dict[str, Any]:
    """Changes that make an engine of the zoo one for a GPU; no walls, for it keeps a diary outside."""
    return {"parallel": False, "batch": 1, "devices": ("cuda:0",), "sandbox": False, **changes}
