"""One worker and the thread that drives it: it prepares, loads, takes batches, and reports.

Decides nothing: which batch, whether to try again and when to leave is the pool's business.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Final, TypeAlias

from buildsys.make.accounts import Account
from buildsys.make.failure import EngineFailed
from buildsys.make.made import Made, made_by
from buildsys.make.worker import Worker
from buildsys.manifest.model import Engine
from engines.protocol import ErrorKind, Failure, Hello, Progress, Request


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """One request on its way; `eq=False`: each is only itself."""

    engine: Engine
    request: Request
    """With an id and an output name of the pool's choice: callers may use a name twice."""
    asked: Request
    """As the caller gave it."""
    future: Future[Made]
    on_progress: Callable[[int, int], None]
    order: int = 0
    """Which came before which; a retry keeps it."""
    failures: tuple[ErrorKind, ...] = ()
    """How its earlier tries ended."""
    crowded: bool = False
    """Whether it ran out of memory in company."""
    account: Account = field(default_factory=Account)

    def resolve(self) -> None:
        """Answer the caller, if the request came to its end."""
        outcome = self.account.outcome
        if isinstance(outcome, EngineFailed):
            self.future.set_exception(outcome)
        elif outcome is not None:
            self.future.set_result(outcome)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The engine said hello."""

    driver: Driver
    hello: Hello
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """A job came a step further."""

    driver: Driver
    job: Job
    step: int
    steps: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A job's picture lies in the builder's own folder, or the engine lives on and says why not."""

    driver: Driver
    job: Job
    answer: Made | EngineFailed
    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The process is gone; jobs of its batch without an answer are not made."""

    driver: Driver
    error: EngineFailed


@dataclass(frozen=True, slots=True)
class Left:
    """Process and thread have ended, and the folder is cleared. The last report, always sent."""

    driver: Driver
    bug: BaseException | None
    """What ended the thread, where nothing should have."""


DriverReport: TypeAlias = Loaded | Step | Answered | Lost | Left


_NEWS_SECONDS: Final = 0.1
"""How often to tell how far a request is. Every step is a sign of life; a person sees no more of them."""


class Driver:
    """Drives one worker. Its methods only pass on what to do, and return at once.

    A worker that is started `ahead` imports its libraries and waits for `open`.
    """

    def __init__(
        self,
        engine: Engine,
        start: Callable[[], Worker],
        clear: Callable[[], None],
        tell: Callable[[DriverReport], None],
        *,
        ahead: bool = False,
    ) -> None:
        self.engine = engine
        self._start = start
        self._clear = clear
        self._tell = tell
        self._ahead = ahead
        self._orders: SimpleQueue[tuple[Job, ...] | Engine | None] = SimpleQueue()
        """Make these; load as this engine; leave."""
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._is_cut = False
        threading.Thread(target=self._run, name=f"artlock-{engine.name}", daemon=True).start()

    def open(self, engine: Engine) -> None:
        """Have the worker load, that was started ahead of time; `engine` has the device that it got."""
        self.engine = engine
        self._orders.put(engine)

    def give(self, batch: tuple[Job, ...]) -> None:
        """Have these made."""
        self._orders.put(batch)

    def leave(self) -> None:
        """End the worker politely once its batch is done."""
        self._orders.put(None)

    def cut(self) -> None:
        """End the worker's tree now, whatever it does."""
        with self._lock:
            self._is_cut = True
            if self._worker is not None:
                self._worker.cut()
        self._orders.put(None)

    def _run(self) -> None:
        bug: BaseException | None = None
        try:
            self._drive()
        except EngineFailed as error:
            self._tell(Lost(self, error))
        except BaseException as error:  # noqa: BLE001 - a waiting build must hear of it, whatever it is
            bug = error
        finally:
            try:
                if self._worker is not None:
                    self._worker.kill()
                self._clear()
            finally:
                self._tell(Left(self, bug))

    def _drive(self) -> None:
        worker = self._started()
        if worker is None:
            return
        engine = self.engine
        if self._ahead:
            worker.prepare()
            order = self._orders.get()
            if not isinstance(order, Engine):
                # Not asked politely: it may be in the middle of an import, and nobody waits for it.
                return
            engine = order
        began = time.monotonic()
        hello = worker.open(engine)
        self._tell(Loaded(self, hello, time.monotonic() - began))
        environment = dict(sorted(hello.environment.items()))
        while isinstance(batch := self._orders.get(), tuple):
            self._make(worker, batch, environment)
        worker.close()

    def _started(self) -> Worker | None:
        """The worker, or None where it is not wanted any more."""
        with self._lock:
            if self._is_cut:
                return None
        # Not under the lock: a process, or the command that prints its key, may take its time to start, and
        # whoever cuts can't wait.
        worker = self._start()
        return worker if self._keep(worker) else None

    def _keep(self, worker: Worker) -> bool:
        """Have `cut` find `worker`; whether nobody wanted it cut meanwhile."""
        with self._lock:
            self._worker = worker
            return not self._is_cut

    def _make(self, worker: Worker, batch: tuple[Job, ...], environment: Mapping[str, str]) -> None:
        began = time.monotonic()
        jobs = {job.request.id: job for job in batch}
        told = dict.fromkeys(jobs, -math.inf)

        def on_progress(progress: Progress) -> None:
            now = time.monotonic()
            if progress.step == progress.steps or now - told[progress.id] >= _NEWS_SECONDS:
                told[progress.id] = now
                self._tell(Step(self, jobs[progress.id], progress.step, progress.steps))

        for result in worker.render([job.request for job in batch], on_progress):
            job = jobs[str(result.id)]
            answer = (
                worker.failed(result)
                if isinstance(result, Failure)
                else made_by(result, environment, job.asked.id)
            )
            self._tell(Answered(self, job, answer, time.monotonic() - began))
