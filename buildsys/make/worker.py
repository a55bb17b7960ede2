"""One engine process: started, spoken with, ended with its whole tree.

Knows nothing of queues, retries or of other workers; see `pool`. The process that is started is a
keeper (`engines/__main__.py`), which holds the engine and ends its tree when the lifeline closes.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from buildsys.make import advice
from buildsys.make.channel import Channel, Gone, Silence
from buildsys.make.companions import adopt_all, discard
from buildsys.make.conduct import answered, assets_of, difference_of
from buildsys.make.devices import CPU
from buildsys.make.ending import ending_of, not_begun
from buildsys.make.enginelog import EngineLog, shortened
from buildsys.make.failure import EngineFailed, brief
from buildsys.make.inspection import Unfit, adopt, named
from buildsys.make.surroundings import conceal, concealed, seen_by
from buildsys.make.tree import ProcessTree
from buildsys.make.walls import walls
from buildsys.manifest import process
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


class Place(msgspec.Struct, frozen=True):
    """The folders of one worker, all of them the builder's; the engine may not write in `made`."""

    staging: Path
    temporary: Path
    log: Path
    made: Path


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
        self._lied = False  # whether it handed over what is not fit to be adopted
        self._log = EngineLog(place.log, root)
        python = engine.python or sys.executable
        seen = seen_by(engine, environ, place.temporary)
        within = walls(engine, place.staging, place.temporary)
        try:
            self._tree = ProcessTree(python, adapter, place.staging, place.log, seen, within)
        except OSError as error:
            fact, kind, hint, _ = not_begun(engine, python, error)
            raise EngineFailed(fact, hint, kind=kind, lost=True, crashed=True) from error
        self._channel = Channel(self._tree.requests, self._tree.replies)

    def prepare(self) -> None:
        """Have the engine import its libraries: another one still owns the device. Not answered."""
        deadline = time.monotonic() + self._engine.limits.load_seconds
        with self._loading():
            self._channel.send(protocol.encode(self._opening(ahead=True)), deadline)

    def open(self, engine: Engine | None = None) -> Hello:
        """Load the engine. Raises `EngineFailed` if it can't, or is not what its card says.

        `engine`: as it is by now, where it was prepared before its device was known.
        """
        self._engine = engine or self._engine
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
        on_gpu = engine.settings.get("device", CPU) != CPU
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
            parameters=process.held(engine.card, engine.parameters),
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
        difference = difference_of(hello, self._engine)
        if difference is not None:
            raise self._lost(difference.fact, ErrorKind.INTERNAL, difference.hint)

    def render(
        self, requests: Sequence[Request], on_progress: Callable[[Progress], None]
    ) -> Iterator[Result]:
        """Make `requests`, yielding each result as it comes, in any order.

        The `output` of a `Done` is the absolute path of a file that was taken from the engine, and then
        inspected; one that is not fit to be adopted comes as a `Failure`, and costs the process its place
        once all are answered. Raises `EngineFailed` where the process is lost; requests that were not
        yielded are not made.
        """
        waiting = {request.id: request for request in requests}
        line = self._encoded(waiting)
        furthest: dict[str, int] = {}
        seconds = self._engine.limits.render_seconds
        deadline = time.monotonic() + seconds
        try:
            if self._hung_up():
                raise self._ended(f"before it was asked for {assets_of(waiting)}", unasked=True)
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
        self._part_with_a_liar()

    def _part_with_a_liar(self) -> None:
        if self._lied:
            # Whatever made it do so, such as a full disk or a library in disorder, it may do it again.
            raise self._lost("handed over what can't be used", ErrorKind.INTERNAL, unasked=True)

    def _hung_up(self) -> bool:
        """Whether the engine is gone, without a word. Raises `ProtocolError` where it said something."""
        try:
            if self._channel.silent():
                return False
        except Gone:
            return True
        raise ProtocolError("it spoke without being asked")

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
            staging, made = self._place.staging, self._place.made
            companions = adopt_all(staging, made, result, card)
            try:
                adopt(staging, made, output, request.size, exact=card.exact)
            except Unfit:
                discard(companions)
                raise
        except Unfit as error:
            self._lied = True
            fact = f"the engine `{self._engine.name}` made no usable picture of `{request.asset}`: {error}"
            return Failure(id=request.id, kind=ErrorKind.INTERNAL, message=fact, host_bytes=result.host_bytes)
        result = dataclasses.replace(result, output=str(made / result.output), companions=companions)
        return concealed(result, card, self._environ)

    def failed(self, failure: Failure) -> EngineFailed:
        """`failure`, told by an engine that lives on, as an error with the log's last lines."""
        hint = failure.hint
        if failure.kind is ErrorKind.INTERNAL:
            time.sleep(0.05)  # its traceback was written before its answer, but is drained beside it
            hint = hint or self._log.advice
        silent = f"the engine `{self._engine.name}` failed, and did not say why"
        error = self._error(failure.message.strip() or silent, hint, failure.kind, failure.retry_after)
        error.host_bytes = failure.host_bytes
        return error

    def _error(
        self,
        message: str,
        hint: str,
        kind: ErrorKind,
        retry_after: float | None = None,
        **how: bool,
    ) -> EngineFailed:
        card = self._engine.card
        return EngineFailed(
            # In this order: half of a key that was cut would not be recognised.
            brief(conceal(message, card, self._environ)),
            brief(conceal(hint, card, self._environ)),
            kind=kind,
            log_tail=shortened(conceal(self._log.tail(), card, self._environ)),
            host_bytes=self._tree.peak,
            retry_after=retry_after,
            **how,
        )

    def _lost(self, fact: str, kind: ErrorKind, hint: str = "", **how: bool) -> EngineFailed:
        self.kill()
        fact = f"the engine `{self._engine.name}` {fact}"
        if self._sent and self._engine.card.keys:
            fact, hint, kind = f"{fact}{advice.BILLED}", advice.LOOK, ErrorKind.UNCERTAIN
        return self._error(fact, hint or self._log.advice, kind, lost=True, crashed=True, **how)

    def _silent(self, fact: str, limit: str, *, alive: bool = False) -> EngineFailed:
        """A deadline passed."""
        self.kill()  # first: what it wrote last is in the log only then
        hint = advice.on_silence(self._engine, limit, self._log.tail(), alive=alive)
        return self._lost(fact, ErrorKind.TRANSIENT, hint)

    def _broken(self, failure: Failure, when: str) -> EngineFailed:
        self.kill()
        failure = advice.named(self._engine, failure, when)
        return self._error(failure.message, failure.hint, failure.kind, failure.retry_after, lost=True)

    def _ended(self, when: str, *, unasked: bool = False) -> EngineFailed:
        """The engine closed its end: say how it died."""
        code = self._tree.wait()
        if code is None:
            return self._lost(f"closed its channel {when}", ErrorKind.INTERNAL, unasked=unasked)
        fact, kind, hint, killed = ending_of(self._engine, code, when, self._log.tail())
        return self._lost(fact, kind, hint, killed=killed, unasked=unasked)

    def cut(self) -> None:
        """Have the whole tree ended; returns at once. Any thread may call it, any time."""
        self._tree.cut()

    def kill(self) -> None:
        """End the whole tree and wait until it is gone."""
        self._tree.kill()

    def close(self) -> None:
        """End the engine's input, wait for it to leave, and end it where it does not."""
        self._tree.leave()
