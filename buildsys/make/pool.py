"""The front of the engine processes of a build: ask for a picture and wait; stop; close.

Knows nothing of assets, stores or plans, and prints nothing. `dispatch` decides what runs when.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Final, Self

from buildsys.errors import Exit, MakeError
from buildsys.make.clock import Clock
from buildsys.make.dispatch import Dispatcher, End, Message
from buildsys.make.driver import Job
from buildsys.make.events import Event
from buildsys.make.keys import Keys
from buildsys.make.made import Made
from buildsys.make.roster import Roster
from buildsys.make.runfolder import RunFolder
from buildsys.make.staff import Staff
from buildsys.manifest.model import Engine
from engines.protocol import Request

_CLOSE_SECONDS: Final = 15.0


class Stopped(MakeError):  # noqa: N818 - no error of anyone's: a stop was asked for
    """The pool was stopped while a request waited."""

    exit_code = Exit.INTERRUPTED


class Pool:
    """Warm engine processes for one build; `render` may be called from many threads."""

    def __init__(
        self,
        work: Path,
        *,
        root: Path,
        jobs: int,
        on_event: Callable[[Event], None] = lambda _: None,
        environ: Mapping[str, str] = os.environ,
        clock: Clock | None = None,
        on_key: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Work in a new folder under `work`.

        Args:
            work: the checkout's own folder (`.artlock`); logs stay there.
            root: the project's folder, from which paths of custom adapters are read.
            jobs: the most workers of one parallel engine that has no limit of its own.
            on_event: told what happens, always by one and the same thread; must return soon.
            environ: engines see a part of it; its `ARTLOCK_DEVICES` replaces their devices.
            clock: by which requests wait; the system's own, if left out.
            on_key: told each key that a command printed, before any engine has it; by any thread.
        """
        self._folder = RunFolder(work)
        self._inbox: SimpleQueue[Message] = SimpleQueue()
        roster = Roster()
        self._keys = Keys(environ, printed=on_key)
        staff = Staff(
            roster,
            self._folder,
            root=root.resolve(),
            jobs=jobs,
            environ=environ,
            keys=self._keys,
            tell=self._inbox.put,
        )
        self._dispatcher = Dispatcher(
            self._inbox,
            roster,
            staff,
            clock=clock or Clock(),
            on_event=on_event,
        )
        # A daemon, as is every driver: a builder that forgets to close still ends, and its lifelines
        # with it.
        self._over = False
        """Whether the dispatcher takes no more: then nothing may stay in its inbox."""
        self._thread = threading.Thread(target=self._work, name="artlock-pool", daemon=True)
        self._thread.start()

    @property
    def inputs(self) -> Path:
        """Where callers put the private copies that requests name as inputs."""
        return self._folder.inputs

    def submit(
        self, engine: Engine, request: Request, on_progress: Callable[[int, int], None] = lambda *_: None
    ) -> Future[Made]:
        """Queue `request`. The future gives what `render` returns, or raises what it raises."""
        future: Future[Made] = Future()
        self._inbox.put(
            Job(engine=engine, request=request, asked=request, future=future, on_progress=on_progress)
        )
        if self._over:
            self._refuse_all()
        return future

    def render(
        self, engine: Engine, request: Request, on_progress: Callable[[int, int], None] = lambda *_: None
    ) -> Made:
        """Have `engine` make `request`, and wait; `output` is then the absolute path of the picture.

        The file lies in the pool's folder until the pool is closed. `on_progress(step, steps)` is
        called by the thread that tells events. Raises `EngineFailed`, or `Stopped` as soon as the
        pool is stopped.
        """
        return self.submit(engine, request, on_progress).result()

    def stop(self) -> None:
        """End every worker now; every waiting render raises `Stopped`. Safe in a signal handler.

        Safe because it does one `put` on a queue that Python documents as re-entrant, and no more.
        """
        self._inbox.put(End(Stopped("the build was stopped"), force=True))

    def close(self) -> None:
        """End every worker, politely where it is idle, and remove the pool's folder."""
        self._inbox.put(End(Stopped("the build was stopped"), force=False))
        self._keys.end()
        try:
            self._thread.join(_CLOSE_SECONDS)
        except BaseException:
            # A second ctrl-C: no more politeness, but nothing is left behind either.
            self.stop()
            self._thread.join(_CLOSE_SECONDS)
            raise
        finally:
            self._refuse_all()
            self._folder.remove()

    def _work(self) -> None:
        """Dispatch to the end.

        A request that was put in between the last look into the inbox and the end of the thread waited for
        ever where whoever asked took the thread's life for an answer: so the end is told first.
        """
        try:
            self._dispatcher.run()
        finally:
            self._over = True
            self._refuse_all()

    def _refuse_all(self) -> None:
        """Answer what came too late for the dispatcher: with what ended it, which may be no stop at all."""
        while True:
            try:
                message = self._inbox.get_nowait()
            except Empty:
                return
            if isinstance(message, Job) and message.future.set_running_or_notify_cancel():
                message.future.set_exception(self._dispatcher.end or Stopped("the build was stopped"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.stop()
        self.close()
