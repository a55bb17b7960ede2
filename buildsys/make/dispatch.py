"""What becomes of each request: who makes it, what its answer means, and whether it is tried again.

One thread owns all of this state; everyone else sends it messages. So there is no lock to forget.
Knows nothing of assets, stores or verdicts, and never waits for a process.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TypeAlias

from buildsys.make import ruling
from buildsys.make.clock import Clock
from buildsys.make.driver import Answered, DriverReport, Job, Left, Loaded, Lost, Step
from buildsys.make.events import (
    Event,
    RequestDone,
    RequestFailed,
    RequestPutOff,
    RequestStarted,
    StepMade,
    WorkerLoading,
    WorkerLost,
    WorkerStarted,
)
from buildsys.make.failure import EngineFailed
from buildsys.make.made import Made
from buildsys.make.numbering import Numbering
from buildsys.make.roster import Post, Roster, Stage, Standing
from buildsys.make.staff import Staff
from buildsys.plan import price
from engines.protocol import ErrorKind, Hello


@dataclass(frozen=True, slots=True)
class End:
    """Leave: at once, or each worker politely where it is idle. Waiting jobs fail with `error`."""

    error: BaseException
    force: bool


Message: TypeAlias = Job | End | DriverReport | WorkerLoading


class Dispatcher:
    """The state, changed only by `run`."""

    def __init__(
        self,
        inbox: SimpleQueue[Message],
        roster: Roster,
        staff: Staff,
        *,
        clock: Clock,
        on_event: Callable[[Event], None],
    ) -> None:
        self._inbox = inbox
        self._roster = roster
        self._staff = staff
        self._clock = clock
        self._on_event = on_event
        self._numbering = Numbering()
        self._now = clock.now()
        self._end: BaseException | None = None
        self._waiting: set[Future[Made]] = set()
        """Who has no answer yet, wherever the request is: a bug may come while it is in nobody's hands."""

    def run(self) -> None:
        """Handle messages until the end was asked for and the last worker has left."""
        while self._roster.posts or self._end is None:
            message = self._clock.receive(self._inbox, self._next_change())
            self._now = self._clock.now()
            try:
                if message is not None:
                    self._handle(message)
                # All that is there by now, before anybody is started: who asks first by a hair gets no
                # more. Not until it is empty: an engine that floods us must not keep us from the rest.
                for _ in range(self._inbox.qsize()):
                    self._handle(self._inbox.get())
                self._assign()
            except BaseException as error:  # noqa: BLE001 - a bug must not leave a build waiting for ever
                self._finish(End(error, force=True))

    @property
    def end(self) -> BaseException | None:
        """Why it ended, or is about to; None as long as it goes on."""
        return self._end

    def _next_change(self) -> float:
        """When a request may begin that may not begin now."""
        now = self._now
        return min((standing.line.changes(now) for standing in self._roster.standings()), default=math.inf)

    def _handle(self, message: Message) -> None:
        match message:
            case Job():
                self._accept(message)
            case End():
                self._finish(message)
            case WorkerLoading():
                self._tell(message)
            case Loaded(driver, hello, seconds):
                self._welcome(self._roster.posts[driver], hello, seconds)
            case Step(driver, job, step, steps) if job.request.id in self._roster.posts[driver].batch:
                self._call(job.on_progress, step, steps)
                self._tell(StepMade(job.engine.name, job.asked.asset, step, steps))
            case Answered(driver, job) if job.request.id in self._roster.posts[driver].batch:
                self._answer(self._roster.posts[driver], message)
            case Lost(driver, error) if self._end is None:
                self._lose(self._roster.posts[driver], error)
            case Left(driver, bug):
                if bug is not None:
                    self._finish(End(bug, force=True))
                del self._roster.posts[driver]

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
            return
        self._waiting.add(job.future)
        job.future.add_done_callback(self._waiting.discard)
        standing = self._roster.standing(job.engine.name)
        job = self._numbering.first(job)
        job.account.wait(self._now, standing.loading)
        standing.line.add(job)

    def _welcome(self, post: Post, hello: Hello, seconds: float) -> None:
        if post.stage is Stage.LEAVING:
            return
        self._staff.enter(post, Stage.READY, self._now)
        post.limit = max(1, min(post.driver.engine.card.batch, hello.batch))
        environment = post.environment = dict(sorted(hello.environment.items()))
        self._roster.standing(post.name).load_failures.pop(post.device, None)
        about = (post.device, hello.version, environment, hello.confined, post.number)
        self._tell(WorkerStarted(post.name, seconds, *about))

    def _answer(self, post: Post, message: Answered) -> None:
        job = post.batch[message.job.request.id]
        post.served = True
        if isinstance(message.answer, Made):
            self._tell(RequestDone(job.engine.name, job.asked.asset, message.seconds))
            job.account.outcome = message.answer
        else:
            if message.answer.kind is ErrorKind.OUT_OF_MEMORY:
                # What a process could not allocate, it will hardly find later: start afresh.
                self._staff.dismiss(post, self._now)
            self._settle(post, job, message.answer)
        del post.batch[job.request.id]
        if not post.batch:
            self._close_batch(post)
        job.resolve()

    def _lose(self, post: Post, error: EngineFailed) -> None:
        loading = post.stage in {Stage.AHEAD, Stage.LOADING}
        if post.stage is Stage.LEAVING and not post.batch:
            return  # it was told to
        self._staff.enter(post, Stage.LEAVING, self._now)
        self._tell(WorkerLost(post.name, error.message, error.kind, post.number))
        if loading:
            self._lose_load(post, error)
        if error.unasked and post.served:
            self._take_back(post)
        left = list(post.batch.values())
        for job in left:
            self._settle(post, job, error)
        post.batch.clear()
        self._close_batch(post)
        for job in left:
            job.resolve()

    def _take_back(self, post: Post) -> None:
        """Have the batch wait as before: it was never sent, so its requests had no part in the loss.

        Not where the process made nothing: one that ends as soon as it loaded would come back for ever.
        """
        standing = self._roster.standing(post.name)
        batch, post.given = post.given, ()
        post.batch.clear()
        for job in batch:
            job.account.take_back(self._now, standing.loading)
        standing.line.put_back(batch)

    def _lose_load(self, post: Post, error: EngineFailed) -> None:
        standing = self._roster.standing(post.name)
        for other in self._roster.of(post.name, Stage.AHEAD, Stage.LOADING):
            if other.device == post.device:
                # It would meet the same wall; without a device that is this machine's memory and modules.
                self._staff.dismiss(other, self._now, cut=True)
        standing.load_failures.setdefault(post.device, []).append(error.kind)
        verdict = ruling.on_load(standing, post, error)
        if verdict.wait is None:
            # What can't load now won't for the next asset either; each would wait as long to learn it.
            standing.unloadable[post.device] = verdict.error
        elif verdict.wait:
            standing.line.pause(self._now + verdict.wait)

    def _settle(self, post: Post, job: Job, error: EngineFailed) -> None:
        """Try `job` once more, alone, where and when that may help; else it has failed."""
        standing = self._roster.standing(post.name)
        job = dataclasses.replace(job, failures=(*job.failures, error.kind))
        wait, error, crowded = ruling.on_request(standing, post, job, error)
        if wait is None:
            self._fail(job, error)
            return
        self._tell(RequestPutOff(job.engine.name, job.asked.asset, error.kind, wait))
        job = dataclasses.replace(self._numbering.anew(job), crowded=crowded)
        job.account.wait(self._now, standing.loading)
        if error.kind is ErrorKind.RATE_LIMITED:
            standing.line.pause(self._now + wait)  # its neighbours would only meet the same limit
            standing.line.add(job)
        elif wait:
            standing.line.put_off(job, self._now + wait)
        else:
            standing.line.add(job)

    def _fail(self, job: Job, error: EngineFailed) -> None:
        self._tell(RequestFailed(job.engine.name, job.asked.asset, error.kind))
        job.account.outcome = error
        self._sum_up(job)

    def _close_batch(self, post: Post) -> None:
        """Have each request of the batch that has ended pay its share."""
        given, post.given = post.given, ()
        for job in given:
            job.account.pay((self._now - post.began) / len(given))
            self._sum_up(job)

    def _sum_up(self, job: Job) -> None:
        if job.account.closed:
            engine, asked = job.engine, job.asked
            cost = partial(price.billed, engine, asked)
            self._tell(job.account.spent(engine.name, asked.asset, engine.card.version, cost))

    def _finish(self, end: End) -> None:
        if self._end is None:
            self._end = end.error
        for standing in self._roster.standings():
            standing.line.clear()
        for future in tuple(self._waiting):
            future.set_exception(self._end)
        for post in self._roster.posts.values():
            post.batch.clear()
            self._close_batch(post)
            self._staff.dismiss(post, self._now, cut=end.force or not post.idle)

    def _assign(self) -> None:
        """Give the idle work, then start whom there is work and room for."""
        for standing in self._roster.standings():
            if not standing.line:
                continue
            self._give_out(standing)
            self._give_up(standing)
        self._staff.arrange(self._now)

    def _give_up(self, standing: Standing) -> None:
        """Fail who waits for an engine that can load nowhere, and has no worker left."""
        error = self._staff.given_up(standing) if standing.line else None
        if error is None or self._roster.of(standing.name, Stage.LOADING, Stage.READY):
            return
        for job in standing.line.clear():
            job.account.wait_no_more(self._now, standing.loading)
            self._fail(job, error)
            job.resolve()

    def _give_out(self, standing: Standing) -> None:
        """Split what may begin evenly over the idle workers of an engine."""
        idle = [post for post in self._roster.of(standing.name, Stage.READY) if post.idle]
        for left, post in zip(range(len(idle), 0, -1), idle, strict=True):
            ready = standing.line.ready(self._now)
            if not ready:
                return
            most = 1 if standing.relief.alone else min(post.limit, math.ceil(ready / left))
            self._give(post, standing, standing.line.take(most, self._now))

    def _give(self, post: Post, standing: Standing, batch: tuple[Job, ...]) -> None:
        post.batch = {job.request.id: job for job in batch}
        post.given, post.began = batch, self._now
        for job in batch:
            job.account.work(self._now, standing.loading, post.device, post.environment)
            self._tell(RequestStarted(job.engine.name, job.asked.asset))
        post.driver.give(batch)
