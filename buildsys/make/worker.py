"""One engine process: started, spoken with, ended with its whole tree.

Knows nothing of queues, retries or of other workers; see `pool`. The process that is started is a
keeper (`engines/__main__.py`), which holds the engine and ends its tree when the lifeline closes.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from buildsys.errors import MakeError
from buildsys.make.channel import Channel, Gone, Silence
from buildsys.make.conduct import answered, difference_of
from buildsys.make.inspection import Unfit, inspect
from buildsys.make.surroundings import conceal, concealed, surroundings
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

_TAIL_BYTES: Final = 4096
_TAIL_LINES: Final = 20
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
        self.log_tail = log_tail
        """The last lines that the engine wrote to its log."""
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

    def __init__(self, engine: Engine, adapter: str, place: Place, environ: Mapping[str, str]) -> None:
        self._engine = engine
        self._adapter = adapter
        self._place = place
        self._environ = environ
        python = engine.python or sys.executable
        seen = surroundings(engine.card, environ, str(place.temporary), confined=engine.sandbox)
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
                raise self._broken(message)
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
            seconds = self._engine.limits.load_seconds
            raise self._lost(f"did not load within {seconds:g} s", ErrorKind.TRANSIENT) from None
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
            while waiting:
                message = self._channel.receive(deadline)
                if isinstance(message, Failure) and message.id is None:
                    raise self._broken(message)
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
            fact = f"gave no sign of life for {seconds:g} s while making {_names(waiting)}"
            raise self._lost(fact, ErrorKind.TRANSIENT) from None
        except Gone:
            raise self._ended(f"while making {_names(waiting)}") from None
        except ProtocolError as error:
            raise self._lost(f"broke the protocol: {error}", ErrorKind.INTERNAL) from None

    def _encoded(self, waiting: Mapping[str, Request]) -> bytes:
        try:
            return protocol.encode(Render(requests=tuple(waiting.values())))
        except ProtocolError as error:
            message = f"the engine `{self._engine.name}` can't be asked for {_names(waiting)}: {error}"
            raise self._error(message, "shorten the prompt or the text", ErrorKind.BAD_REQUEST) from None

    def _inspected(self, result: Result, request: Request) -> Result:
        if isinstance(result, Failure):
            return result
        try:
            if result.output != request.output:
                raise Unfit(f"it handed over `{result.output[:80]}`, asked for `{request.output}`")  # noqa: TRY301
            inspect(self._place.staging, request.output, request.size)
        except Unfit as error:
            fact = f"the engine `{self._engine.name}` made no usable picture of `{request.asset}`: {error}"
            return Failure(id=request.id, kind=ErrorKind.INTERNAL, message=fact, host_bytes=result.host_bytes)
        result = dataclasses.replace(result, output=str(self._place.staging / result.output))
        return concealed(result, self._engine.card, self._environ)

    def failed(self, failure: Failure) -> EngineFailed:
        """`failure`, told by an engine that lives on, as an error with the log's last lines."""
        hint = failure.hint
        if failure.kind is ErrorKind.INTERNAL:
            time.sleep(0.05)  # its traceback was written before its answer, but is drained beside it
            hint = hint or f"read its log, `{self._place.log}`"
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
            log_tail=conceal(_tail(self._place.log), card, self._environ),
            retry_after=retry_after,
            lost=lost,
        )

    def _lost(self, fact: str, kind: ErrorKind, hint: str = "") -> EngineFailed:
        self.kill()
        hint = hint or f"read its log, `{self._place.log}`"
        return self._error(f"the engine `{self._engine.name}` {fact}", hint, kind, lost=True)

    def _broken(self, failure: Failure) -> EngineFailed:
        self.kill()
        return self._error(failure.message, failure.hint, failure.kind, failure.retry_after, lost=True)

    def _ended(self, when: str) -> EngineFailed:
        """The engine closed its end: say how it died."""
        code = self._tree.wait()
        if code is None:
            return self._lost(f"closed its channel {when}", ErrorKind.INTERNAL)
        if code == -signal.SIGKILL:
            fact = f"was killed by SIGKILL {when}: perhaps the machine ran out of memory"
            hint = "close other programs, or choose a smaller model"
            return self._lost(fact, ErrorKind.OUT_OF_MEMORY, hint)
        if most := starved(self._engine, code, _tail(self._place.log)):
            fact = f"ran out of memory {when}: it may take {most}"
            return self._lost(fact, ErrorKind.OUT_OF_MEMORY, "raise `limits.memory` of the engine")
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


def _names(waiting: Mapping[str, Request]) -> str:
    assets = [f"`{request.asset}`" for request in waiting.values()]
    shown = ", ".join(assets[:3])
    return f"{shown} and {len(assets) - 3} more" if len(assets) > 3 else shown  # noqa: PLR2004 - enough


def _tail(log: Path) -> str:
    """The last lines of `log`, whatever bytes they hold."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            data = file.read()
    except OSError:
        return ""
    return "\n".join(data.decode("utf-8", "replace").splitlines()[-_TAIL_LINES:])
