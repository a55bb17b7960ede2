"""One engine process: started, spoken with, ended with its whole tree.

Knows nothing of queues, retries or of other workers; see `pool`. The process that is started is a
keeper (`engines/__main__.py`), which holds the engine and ends its tree when the lifeline closes.
"""

from __future__ import annotations

import dataclasses
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from buildsys.errors import MakeError
from buildsys.make import advice
from buildsys.make.channel import Channel, Gone, Silence
from buildsys.make.conduct import answered, assets_of, difference_of
from buildsys.make.enginelog import EngineLog, shortened
from buildsys.make.inspection import Unfit, inspect, named
from buildsys.make.surroundings import conceal, concealed, seen_by
from buildsys.make.tree import ProcessTree
from buildsys.make.walls import starved, walls
from buildsys.manifest.model import Engine
from engines import protocol
from engines.protocol import (
    Done,
    ErrorKind,
    Failure,
    Hello,
    Open,
    Progress,
    ProtocolError,
    Render,
    Request,
    Result,
)

_CPU: Final = "cpu"


class EngineFailed(MakeError):  # noqa: N818 - as in a sentence: the engine failed
    """An engine could not make what it was asked, or is gone."""

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        kind: ErrorKind,
        host_bytes: int = 0,
        log_tail: str = "",
        retry_after: float | None = None,
        lost: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.kind = kind
        self.host_bytes = host_bytes  # as in `Failure`
        self.log_tail = log_tail  # the last lines that the engine wrote to its log
        self.retry_after = retry_after
        """Seconds that the provider asked to wait."""
        self.lost = lost
        """The process is gone; whatever else it was making is not made."""


class Place(msgspec.Struct, frozen=True):
    """Where one worker may write; the builder owns all of it."""

    staging: Path
    temporary: Path
    log: Path


class Worker:
    """An engine process. One thread prepares, opens, renders and closes; any thread may `cut`."""

    def __init__(
        self, engine: Engine, adapter: str, place: Place, environ: Mapping[str, str], root: Path | None = None
    ) -> None:
        """Start it; `root` is the project's folder, from which its log is named. Raises `EngineFailed`."""
        self._engine = engine
        self._adapter = adapter
        self._place = place
        self._environ = environ
        self._sent = False  # whether it was told what to make, and has not answered all of it
        self._log = EngineLog(place.log, root)
        python = engine.python or sys.executable
        seen = seen_by(engine, environ, place.temporary)
        within = walls(engine, place.staging, place.temporary)
        try:
            self._tree = ProcessTree(python, adapter, place.staging, place.log, seen, within)
        except OSError as error:
            raise EngineFailed(
                f"the interpreter `{python}` of `{engine.name}` can't be started: {error.strerror}",
                f"mend `python` of the engine `{engine.name}`",
                kind=ErrorKind.MISSING,
                lost=True,
            ) from error
        self._channel = Channel(self._tree.requests, self._tree.replies)

    def prepare(self) -> None:
        """Have the engine import its libraries: another one still owns the device. Not answered."""
        deadline = time.monotonic() + self._engine.limits.load_seconds
        with self._loading():
            self._channel.send(protocol.encode(self._opening(ahead=True)), deadline)

    def open(self) -> Hello:
        """Load the engine. Raises `EngineFailed` if it can't, or is not what its card says."""
        deadline = time.monotonic() + self._engine.limits.load_seconds
        with self._loading():
            self._channel.send(protocol.encode(self._opening(ahead=False)), deadline)
            message = self._channel.receive(deadline)
            if isinstance(message, Failure):
                raise self._broken(message, "while loading")
            if not isinstance(message, Hello):
                detail = "it answered `open` with something else than `hello`"
                raise ProtocolError(detail)
        self._check(message)
        return concealed(message, self._engine.card, self._environ)

    def _opening(self, *, ahead: bool) -> Open:
        engine = self._engine
        on_gpu = engine.settings.get("device", _CPU) != _CPU
        return Open(
            protocol=protocol.PROTOCOL,
            adapter=self._adapter,
            engine=engine.name,
            model=engine.model,
            revision=engine.revision,
            staging=str(self._place.staging),
            settings=engine.settings,
            memory=engine.limits.memory if on_gpu else 0.0,
            ahead=ahead,
        )

    @contextmanager
    def _loading(self) -> Iterator[None]:
        """Tell what goes wrong meanwhile as `EngineFailed`."""
        try:
            yield
        except Silence:
            fact = f"did not load within {self._engine.limits.load_seconds:g} s"
            raise self._silent(fact, "load_seconds") from None
        except Gone:
            raise self._ended("while loading") from None
        except ProtocolError as error:
            raise self._lost(f"broke the protocol: {error}", ErrorKind.INTERNAL) from None

    def _check(self, hello: Hello) -> None:
        """Hold what the engine says it is against its card, from which the plan was made."""
        difference = difference_of(hello, self._engine.card)
        if difference is not None:
            raise self._lost(difference.fact, ErrorKind.INTERNAL, difference.hint)

    def render(
        self, requests: Sequence[Request], on_progress: Callable[[Progress], None]
    ) -> Iterator[Result]:
        """Make `requests`, yielding each result as it comes, in any order.

        The `output` of a `Done` is the absolute path of a file that was inspected; a file that is
        not fit to be adopted comes as a `Failure`. Raises `EngineFailed` where the process is lost;
        requests that were not yielded are not made.
        """
        waiting = {request.id: request for request in requests}
        line = self._encoded(waiting)
        furthest: dict[str, int] = {}
        seconds = self._engine.limits.render_seconds
        deadline = time.monotonic() + seconds
        try:
            if not self._channel.silent():
                detail = "it spoke without being asked"
                raise ProtocolError(detail)  # noqa: TRY301 - handled as what `receive` finds
            self._channel.send(line, deadline)
            self._sent = True
            while waiting:
                message = self._channel.receive(deadline)
                if isinstance(message, Failure) and message.id is None:
                    raise self._broken(message, f"while making {assets_of(waiting)}")
                request = answered(message, waiting, requests)
                if isinstance(message, Progress):
                    # Only a step further is a sign of life: a loop that repeats itself is not.
                    if message.step > furthest.get(message.id, 0):
                        furthest[message.id] = message.step
                        deadline = time.monotonic() + seconds
                        on_progress(message)
                elif isinstance(message, Done | Failure):
                    deadline = time.monotonic() + seconds
                    del waiting[request.id]
                    yield self._inspected(message, request)
        except Silence:
            fact = f"gave no sign of life for {seconds:g} s while making {assets_of(waiting)}"
            alive = bool(furthest) or len(waiting) < len(requests)
            raise self._silent(fact, "render_seconds", alive=alive) from None
        except Gone:
            raise self._ended(f"while making {assets_of(waiting)}") from None
        except ProtocolError as error:
            raise self._lost(f"broke the protocol: {error}", ErrorKind.INTERNAL) from None
        self._sent = False

    def _encoded(self, waiting: Mapping[str, Request]) -> bytes:
        try:
            return protocol.encode(Render(requests=tuple(waiting.values())))
        except ProtocolError as error:
            message = f"the engine `{self._engine.name}` can't be asked for {assets_of(waiting)}: {error}"
            raise self._error(message, "shorten the prompt or the text", ErrorKind.BAD_REQUEST) from None

    def _inspected(self, result: Result, request: Request) -> Result:
        if isinstance(result, Failure):
            return advice.named(self._engine, result, f"while making `{request.asset}`")
        card = self._engine.card
        try:
            # A card with steps finishes pictures: what it makes is no raw one.
            output = named(result.output, request.output, raw=not card.steps)
            inspect(self._place.staging, output, request.size, exact=card.exact)
        except Unfit as error:
            fact = f"the engine `{self._engine.name}` made no usable picture of `{request.asset}`: {error}"
            return Failure(id=request.id, kind=ErrorKind.INTERNAL, message=fact, host_bytes=result.host_bytes)
        result = dataclasses.replace(result, output=str(self._place.staging / result.output))
        return concealed(result, card, self._environ)

    def failed(self, failure: Failure) -> EngineFailed:
        """`failure`, told by an engine that lives on, as an error with the log's last lines."""
        hint = failure.hint
        if failure.kind is ErrorKind.INTERNAL:
            time.sleep(0.05)  # its traceback was written before its answer, but is drained beside it
            hint = hint or self._log.advice
        error = self._error(failure.message, hint, failure.kind, failure.retry_after)
        error.host_bytes = failure.host_bytes
        return error

    def _error(
        self,
        message: str,
        hint: str,
        kind: ErrorKind,
        retry_after: float | None = None,
        *,
        lost: bool = False,
    ) -> EngineFailed:
        card = self._engine.card
        return EngineFailed(
            conceal(message, card, self._environ),
            conceal(hint, card, self._environ),
            kind=kind,
            # In this order: half of a key that was cut would not be recognised.
            log_tail=shortened(conceal(self._log.tail(), card, self._environ)),
            retry_after=retry_after,
            lost=lost,
        )

    def _lost(self, fact: str, kind: ErrorKind, hint: str = "") -> EngineFailed:
        self.kill()
        fact = f"the engine `{self._engine.name}` {fact}"
        if self._sent and self._engine.card.keys:
            fact, hint, kind = f"{fact}{advice.BILLED}", advice.LOOK, ErrorKind.UNCERTAIN
        return self._error(fact, hint or self._log.advice, kind, lost=True)

    def _silent(self, fact: str, limit: str, *, alive: bool = False) -> EngineFailed:
        """A deadline passed."""
        self.kill()  # first: what it wrote last is in the log only then
        hint = advice.on_silence(self._engine, limit, self._log.tail(), alive=alive)
        return self._lost(fact, ErrorKind.TRANSIENT, hint)

    def _broken(self, failure: Failure, when: str) -> EngineFailed:
        self.kill()
        failure = advice.named(self._engine, failure, when)
        return self._error(failure.message, failure.hint, failure.kind, failure.retry_after, lost=True)

    def _ended(self, when: str) -> EngineFailed:
        """The engine closed its end: say how it died."""
        code = self._tree.wait()
        if code is None:
            return self._lost(f"closed its channel {when}", ErrorKind.INTERNAL)
        if code == -signal.SIGKILL:
            fact = f"was killed by SIGKILL {when}: perhaps the machine ran out of memory"
            hint = advice.on_want_of_memory(self._engine, killed=True)
            return self._lost(fact, ErrorKind.OUT_OF_MEMORY, hint)
        if most := starved(self._engine, code, self._log.tail()):
            fact = f"ran out of memory {when}: it may take {most}"
            return self._lost(fact, ErrorKind.OUT_OF_MEMORY, advice.raise_limit(self._engine, "memory"))
        if code < 0:
            return self._lost(f"was ended by {signal.Signals(-code).name} {when}", ErrorKind.TRANSIENT)
        return self._lost(f"ended with exit code {code} {when}", ErrorKind.TRANSIENT)

    def cut(self) -> None:
        """Have the whole tree ended; returns at once. Any thread may call it, any time."""
        self._tree.cut()

    def kill(self) -> None:
        """End the whole tree and wait until it is gone."""
        self._tree.kill()

    def close(self) -> None:
        """End the engine's input, wait for it to leave, and end it where it does not."""
        self._tree.leave()
