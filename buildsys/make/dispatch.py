"""Which workers exist, what each makes next, and what is tried again.

One thread owns all of this state; everyone else sends it messages. So there is no lock to forget.
Knows nothing of assets, stores or plans, and never waits for a process.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Final, TypeAlias

import msgspec

from buildsys.make.driver import Answered, Driver, DriverReport, Job, Left, Loaded, Lost, Step
from buildsys.make.events import (
    Event,
    RequestDone,
    RequestFailed,
    RequestStarted,
    StepMade,
    WorkerLost,
    WorkerStarted,
)
from buildsys.make.runfolder import RunFolder
from buildsys.make.worker import EngineFailed, Worker
from buildsys.manifest.model import Engine
from engines.protocol import Done, ErrorKind

_PASSING: Final = frozenset({ErrorKind.OUT_OF_MEMORY, ErrorKind.TRANSIENT})
"""What may go well the second time, alone."""

_CPU: Final = "cpu"


@dataclass(frozen=True, slots=True)
class End:
    """Leave: at once, or each worker politely where it is idle. Waiting jobs fail with `error`."""

    error: BaseException
    force: bool


Message: TypeAlias = Job | End | DriverReport


@dataclass(slots=True)
class _Post:
    """What the dispatcher knows of one driver."""

    seat: int
    """1 for the first worker of its engine, and so on."""
    device: str
    limit: int = 0
    """The most jobs of one batch; 0 while it loads."""
    batch: dict[str, Job] = field(default_factory=dict)
    """Jobs without an answer, by the id of their request."""
    leaving: bool = False

    @property
    def idle(self) -> bool:
        return self.limit > 0 and not self.batch and not self.leaving


class Dispatcher:
    """The state, changed only by `run`."""

    def __init__(
        self,
        inbox: SimpleQueue[Message],
        folder: RunFolder,
        *,
        root: Path,
        jobs: int,
        on_event: Callable[[Event], None],
        environ: Mapping[str, str],
        environments: dict[str, Mapping[str, str]],
    ) -> None:
        self._inbox = inbox
        self._folder = folder
        self._root = root
        self._jobs = jobs
        self._on_event = on_event
        self._environ = environ
        self._environments = environments
        self._numbers = count(1)
        self._waiting: dict[str, deque[Job]] = {}
        self._posts: dict[Driver, _Post] = {}
        self._load_failures: Counter[str] = Counter()
        self._unloadable: dict[str, EngineFailed] = {}
        self._end: BaseException | None = None

    def run(self) -> None:
        """Handle messages until the end was asked for and the last worker has left."""
        while self._posts or self._end is None:
            message = self._inbox.get()
            try:
                self._handle(message)
                self._assign()
            except BaseException as error:  # noqa: BLE001 - a bug must not leave a build waiting for ever
                self._finish(End(error, force=True))

    def _handle(self, message: Message) -> None:
        match message:
            case Job():
                self._accept(message)
            case End():
                self._finish(message)
            case Loaded(driver, hello, seconds):
                self._posts[driver].limit = max(1, min(driver.engine.card.batch, hello.batch))
                del self._load_failures[driver.engine.name]
                self._environments[driver.engine.name] = dict(sorted(hello.environment.items()))
                self._tell(WorkerStarted(driver.engine.name, seconds))
            case Step(driver, job, step, steps) if job.request.id in self._posts[driver].batch:
                self._call(job.on_progress, step, steps)
                self._tell(StepMade(job.engine.name, job.asked.asset, step, steps))
            case Answered() if message.job.request.id in self._posts[message.driver].batch:
                self._answer(message)
            case Lost(driver, error) if self._end is None:
                self._lose(driver, self._posts[driver], error)
            case Left(driver, bug):
                if bug is not None:
                    self._finish(End(bug, force=True))
                del self._posts[driver]

    def _tell(self, event: Event) -> None:
        self._call(self._on_event, event)

    def _call(self, listener: Callable[..., None], *arguments: object) -> None:
        """Call what is not ours; if it raises, that ends the build, but after this message is handled."""
        try:
            listener(*arguments)
        except Exception as error:  # noqa: BLE001 - it is raised by every `render` that waits
            self._inbox.put(End(error, force=True))

    def _accept(self, job: Job) -> None:
        if not job.future.set_running_or_notify_cancel():
            return
        if self._end is not None:
            job.future.set_exception(self._end)
        elif (error := self._unloadable.get(job.engine.name)) is not None:
            self._fail(job, error)
        else:
            self._waiting.setdefault(job.engine.name, deque()).append(self._numbered(job))

    def _numbered(self, job: Job) -> Job:
        """`job` under a name that no request had: a file left by a failed attempt is never adopted."""
        number = str(next(self._numbers))
        output = number + Path(job.asked.output).suffix
        return dataclasses.replace(job, request=dataclasses.replace(job.asked, id=number, output=output))

    def _answer(self, message: Answered) -> None:
        job, post = message.job, self._posts[message.driver]
        del post.batch[job.request.id]
        if isinstance(message.answer, Done):
            self._tell(RequestDone(job.engine.name, job.asked.asset, message.seconds))
            job.future.set_result(message.answer)
            return
        if message.answer.kind is ErrorKind.OUT_OF_MEMORY:
            # What a process could not allocate, it will hardly find later: start afresh.
            post.leaving = True
            message.driver.leave()
        self._settle(job, message.answer)

    def _lose(self, driver: Driver, post: _Post, error: EngineFailed) -> None:
        name = driver.engine.name
        post.leaving = True
        self._tell(WorkerLost(name, error.message))
        for job in post.batch.values():
            self._settle(job, error)
        post.batch.clear()
        if post.limit:
            return
        self._load_failures[name] += 1
        if error.kind in _PASSING and self._load_failures[name] == 1:
            return
        # What can't load now won't for the next asset either; each would wait as long to learn it.
        self._unloadable[name] = error
        for job in self._waiting.pop(name, ()):
            self._fail(job, error)

    def _settle(self, job: Job, error: EngineFailed) -> None:
        """Try `job` once more, alone, where that may help; else it has failed."""
        broke = error.lost and error.kind is ErrorKind.INTERNAL
        if job.attempt > 1 or not (broke or error.kind in _PASSING):
            self._fail(job, error)
        else:
            again = dataclasses.replace(self._numbered(job), attempt=job.attempt + 1)
            queue = self._waiting.setdefault(job.engine.name, deque())
            queue.insert(sum(other.attempt > 1 for other in queue), again)

    def _fail(self, job: Job, error: EngineFailed) -> None:
        self._tell(RequestFailed(job.engine.name, job.asked.asset, error.kind))
        job.future.set_exception(error)

    def _finish(self, end: End) -> None:
        if self._end is None:
            self._end = end.error
        left = [job for queue in self._waiting.values() for job in queue]
        left += [job for post in self._posts.values() for job in post.batch.values()]
        for job in left:
            if not job.future.done():  # a bug may have come between an answer and its bookkeeping
                job.future.set_exception(self._end)
        self._waiting.clear()
        for driver, post in self._posts.items():
            if end.force or not post.idle:
                driver.cut()
            else:
                driver.leave()
            post.leaving = True
            post.batch.clear()

    def _assign(self) -> None:
        """Give the idle work, then start whom there is work and room for."""
        for driver, post in self._posts.items():
            queue = self._waiting.get(driver.engine.name)
            if queue and post.idle:
                self._give(driver, post, queue)
        for queue in self._waiting.values():
            if queue:
                self._start_for(queue[0].engine, len(queue))

    def _give(self, driver: Driver, post: _Post, queue: deque[Job]) -> None:
        batch = [queue.popleft()]
        while queue and len(batch) < post.limit and batch[0].attempt == queue[0].attempt == 1:
            batch.append(queue.popleft())
        post.batch = {job.request.id: job for job in batch}
        for job in batch:
            self._tell(RequestStarted(job.engine.name, job.asked.asset))
        driver.give(tuple(batch))

    def _start_for(self, engine: Engine, wanted: int) -> None:
        posts = [post for driver, post in self._posts.items() if driver.engine.name == engine.name]
        loading = sum(post.limit == 0 for post in posts)
        room = (self._jobs if engine.card.parallel else 1) - len(posts)
        seats = (seat for seat in count(1) if seat not in {post.seat for post in posts})
        while room > 0 and loading * engine.card.batch < wanted and self._cleared(engine):
            self._start(engine, next(seats))
            room -= 1
            loading += 1

    def _cleared(self, engine: Engine) -> bool:
        """Whether no other engine holds the device; asks those who are idle there to leave."""
        device = _device(engine)
        if device == _CPU:
            return True
        others = [
            (driver, post)
            for driver, post in self._posts.items()
            if post.device == device and driver.engine.name != engine.name
        ]
        for driver, post in others:
            if post.idle:
                post.leaving = True
                driver.leave()
        return not others

    def _start(self, engine: Engine, seat: int) -> None:
        place = self._folder.place(engine.name, next(self._numbers), seat)
        name = engine.card.name
        adapter = str(self._root / name) if name.endswith(".py") else name
        if os.sep in engine.python:
            # As the manifest says it: from the project's folder, or from home; a bare name is searched.
            python = str(self._root / Path(engine.python).expanduser())
            engine = msgspec.structs.replace(engine, python=python)
        driver = Driver(
            engine,
            self._folder.made,
            start=partial(Worker, engine, adapter, place, self._environ),
            clear=partial(self._folder.clear, place),
            tell=self._inbox.put,
        )
        self._posts[driver] = _Post(seat=seat, device=_device(engine))


def _device(engine: Engine) -> str:
    declared = engine.card.settings.get("device")
    device = str(engine.settings.get("device") or (declared.default if declared else None) or _CPU)
    return "cuda:0" if device == "cuda" else device
