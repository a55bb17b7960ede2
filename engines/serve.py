"""The engine's side of the conversation: open, then render until the input ends.

Knows nothing of any adapter; loads the one it was told to.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import os
import resource
import sys
import tomllib
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Final

from engines import protocol
from engines.protocol import (
    EngineError,
    ErrorKind,
    Failure,
    Hello,
    Message,
    Open,
    Progress,
    ProtocolError,
    Render,
    Request,
    Result,
)

_HOME: Final = Path(__file__).resolve().parent


class _Channel:
    """Whole messages in and out; the only thing that touches the pipe."""

    def __init__(self, requests: int, replies: int) -> None:
        self._requests: IO[bytes] = os.fdopen(requests, "rb")
        self._replies: IO[bytes] = os.fdopen(replies, "wb", buffering=0)

    def receive(self) -> Message | None:
        line = self._requests.readline(protocol.MAX_LINE + 1)
        return protocol.decode(line) if line else None

    def send(self, message: Message) -> None:
        data = memoryview(protocol.encode(message))
        while data:
            data = data[self._replies.write(data) :]


def _is_file(adapter: str) -> bool:
    return adapter.endswith(".py")


def _located(adapter: str) -> str:
    """`adapter`, a file by its absolute path: the current folder changes before it is loaded."""
    return str(Path(adapter).resolve()) if _is_file(adapter) else adapter


def card_of(adapter: str) -> Path:
    """Where the card of `adapter` lies: a bundled adapter's name, or the path of a `.py` file."""
    if _is_file(adapter):
        return Path(adapter).with_suffix(".toml")
    return _HOME / adapter / "adapter.toml"


def _module_of(adapter: str) -> ModuleType:
    if not _is_file(adapter):
        return importlib.import_module(f"engines.{adapter}")
    name = f"engines_local_{Path(adapter).stem}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, adapter)
    if spec is None or spec.loader is None:
        raise EngineError(ErrorKind.MISSING, f"`{adapter}` is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]  # half a module must not be found when the engine is loaded
        raise
    return module


def _prepare(opening: Open) -> None:
    """Import what the adapter needs, ahead of time, and let it do what needs no device."""
    try:
        adapter = _located(opening.adapter)
        prepare = getattr(_module_of(adapter), "prepare", None)
        if prepare is not None:
            prepare(opening)
    except Exception:  # noqa: BLE001 - nobody waits for an answer; it comes again when it is loaded
        return


def _load(opening: Open, confined: tuple[str, ...]) -> tuple[protocol.Engine, Hello]:
    if opening.protocol != protocol.PROTOCOL:
        detail = f"the builder speaks protocol {opening.protocol}, the engine {protocol.PROTOCOL}"
        raise EngineError(ErrorKind.INTERNAL, detail, hint="use one version of artlock on both sides")
    adapter = _located(opening.adapter)
    card = tomllib.loads(card_of(adapter).read_text(encoding="utf-8"))
    os.chdir(opening.staging)
    engine: protocol.Engine = _module_of(adapter).load(opening)
    hello = Hello(
        protocol=protocol.PROTOCOL,
        adapter=Path(adapter).stem if _is_file(adapter) else str(card["name"]),
        version=str(card["version"]),
        determinism=_determinism(card, opening),
        environment=engine.environment(),
        batch=int(getattr(engine, "batch", card.get("batch", 1))),
        confined=confined,
    )
    return engine, hello


def _determinism(card: Mapping[str, Any], opening: Open) -> protocol.Determinism:
    """The class of the adapter's pictures, as this process was opened."""
    when: Mapping[str, Any] = card.get("bitwise_when", {})
    if when and all(opening.parameters.get(name) == value for name, value in when.items()):
        return protocol.Determinism.BITWISE
    return protocol.Determinism(card["determinism"])


_NO_ROOM: Final = ("Cannot allocate memory", "can't allocate memory", "can't start new thread")
"""What C libraries, torch and Python say where they are refused address space, and raise no `MemoryError`."""


def _want_of_memory(error: Exception) -> EngineError | None:
    """`error` as what it is where the process was refused memory; None where it was not."""
    # The hard limit is the builder's; an adapter may have set a soft one for reasons of its own.
    _, limit = resource.getrlimit(resource.RLIMIT_AS)
    limited = limit != resource.RLIM_INFINITY
    if not isinstance(error, MemoryError) and not (limited and any(said in str(error) for said in _NO_ROOM)):
        return None
    if not limited:
        return EngineError(ErrorKind.OUT_OF_MEMORY, str(error) or "the engine ran out of memory")
    return EngineError(
        ErrorKind.OUT_OF_MEMORY,
        f"the engine ran out of memory: it may take {limit / 1e9:.3g} GB",
        hint="raise `limits.memory` of the engine",
    )


def _explained(error: Exception) -> EngineError:
    """`error` in the protocol's terms; an adapter's bug fails its request, with a traceback in the log.

    A full disk is no bug, and all of it is said.
    """
    if isinstance(error, EngineError):
        return error
    if isinstance(error, ProtocolError):
        return EngineError(ErrorKind.INTERNAL, f"the builder broke the protocol: {error}")
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        # The builder's folder as a rule: what an adapter makes has no other place to go.
        where = (
            f"`{os.fsdecode(error.filename)}`" if isinstance(error.filename, str | bytes) else "its picture"
        )
        return EngineError(
            ErrorKind.INTERNAL,
            f"the engine can't write {where}: the disk is full",
            hint="free some space, then run the command again",
        )
    traceback.print_exception(error)
    if want := _want_of_memory(error):
        return want
    if isinstance(error, ModuleNotFoundError):
        return EngineError(ErrorKind.MISSING, f"the Python module `{error.name}` is not installed")
    return EngineError(ErrorKind.INTERNAL, f"{type(error).__name__}: {error}")


def _peak() -> int:
    """The most main memory that this process has had, in bytes; the kernels disagree on the unit."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _answer(channel: _Channel, result: Result) -> None:
    if not result.host_bytes:
        result = replace(result, host_bytes=_peak())
    try:
        channel.send(result)
    except ProtocolError as error:
        # One answer that can't be written (a numpy number among its facts) fails its own request only.
        failure = Failure(id=result.id, kind=ErrorKind.INTERNAL, message=str(error), host_bytes=_peak())
        channel.send(failure)


def _render(engine: protocol.Engine, requests: tuple[Request, ...], channel: _Channel) -> None:
    waiting = {request.id: None for request in requests}  # a set that keeps the order

    def report(request_id: str, step: int, steps: int) -> None:
        channel.send(Progress(id=request_id, step=step, steps=steps))

    try:
        for result in engine.render(requests, report):
            _answer(channel, result)
            waiting.pop(result.id or "", None)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises is the answer to its requests
        failure = _explained(error)
    else:
        failure = EngineError(ErrorKind.INTERNAL, "the adapter gave no result for this request")
    for request_id in waiting:
        _answer(channel, protocol.failure(failure, request_id))


def _converse(channel: _Channel, confined: tuple[str, ...]) -> None:
    opening = channel.receive()
    while isinstance(opening, Open) and opening.ahead:
        _prepare(opening)
        opening = channel.receive()
    if opening is None:
        return
    if not isinstance(opening, Open):
        raise ProtocolError("the first message must be `open`")
    engine, hello = _load(opening, confined)
    channel.send(hello)
    while (message := channel.receive()) is not None:
        if not isinstance(message, Render):
            raise ProtocolError("only `render` may follow `open`")
        _render(engine, message.requests, channel)


def serve(requests: int, replies: int, confined: tuple[str, ...] = ()) -> None:
    """Be an engine until the builder closes the pipe.

    Args:
        requests: open file descriptor that messages come from.
        replies: open file descriptor that answers go to.
        confined: what holds this process already.
    """
    channel = _Channel(requests, replies)
    try:
        _converse(channel, confined)
    except BrokenPipeError:
        # The builder is gone; the keeper ends us if we don't.
        return
    except Exception as error:  # noqa: BLE001 - the last words of a broken adapter must reach the builder
        channel.send(protocol.failure(_explained(error), None))
