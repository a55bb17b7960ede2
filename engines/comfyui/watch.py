"""Waiting for a job: the server's events while its web socket lives, its history where it does not.

The history alone decides: it says the same to those who missed an event. Events make waiting short, carry the
progress, and bring an error before a server that dies of it is gone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Final

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from engines.comfyui import faults
from engines.comfyui.server import Server
from engines.comfyui.steps import Steps
from engines.comfyui.workflow import Nodes
from engines.protocol import EngineError, ErrorKind, Json

_SILENCE: Final = 10.0
"""Seconds without an event after which the history is asked."""
_POLL: Final = 0.5
"""Seconds before a question where there is no socket, or after the job was said to be over."""
_EVENT: Final = 64 * 1024 * 1024
"""Bytes of one event; previews are pictures, and pass through here too."""


class Socket(ExitStack):
    """A server's web socket, opened before the job is sent, so that none of the job's events is missed."""

    def __init__(self, server: Server, client: str) -> None:
        super().__init__()
        self._connection: ClientConnection | None = None
        # A proxy in between may know HTTP alone: then the history has to do.
        with suppress(OSError, WebSocketException):
            self._connection = self.enter_context(
                connect(
                    server.socket(client),
                    # A server that loads a model may answer no ping for a minute, and is well.
                    ping_interval=None,
                    max_size=_EVENT,
                    proxy=None if server.is_near else True,
                    close_timeout=1,
                )
            )

    @property
    def is_open(self) -> bool:
        """Whether events may still come."""
        return self._connection is not None

    def event(self, seconds: float) -> tuple[str, dict[str, Json]]:
        """The next event and its data; no name after `seconds` without one, or where there is no socket."""
        if self._connection is None:
            time.sleep(_POLL)
            return "", {}
        try:
            return _parsed(self._connection.recv(timeout=seconds))
        except TimeoutError:
            pass
        except (ConnectionClosed, OSError):
            self._connection = None
        return "", {}


def _parsed(message: str | bytes) -> tuple[str, dict[str, Json]]:
    """An event's name and data; a preview, or what else is none, has no name."""
    if isinstance(message, bytes):
        return "", {}
    try:
        body = json.loads(message)
    except ValueError:
        return "", {}
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        return "", {}
    return str(body.get("type") or ""), body["data"]


def wait(
    server: Server, socket: Socket, job: str, nodes: Nodes, report: Callable[[int, int], None]
) -> Mapping[str, Json]:
    """The entry of `job` in the server's history, once it has ended well. Raises `EngineError`."""
    steps = Steps(nodes)
    pause = _SILENCE
    look = time.monotonic() + pause
    while True:
        kind, data = socket.event(max(0.0, look - time.monotonic()))
        if data.get("prompt_id", job) == job:
            if (step := steps.hear(kind, data)) is not None:
                report(*step)
            if (soon := _end(kind, data, nodes)) is not None:
                pause = _POLL
                look = min(look, time.monotonic() + soon)
        if socket.is_open and time.monotonic() < look:
            continue
        entry = _ended(server, socket, job)
        if entry is not None:
            faults.judge(entry, nodes)
            return entry
        look = time.monotonic() + pause


def _end(kind: str, data: Mapping[str, Json], nodes: Nodes) -> float | None:
    """How soon the history will tell of an end, if this event is one. Raises `EngineError` for a bad end."""
    if kind == "execution_error":
        raise faults.failed(data, nodes)
    if kind == "execution_interrupted":
        raise faults.interrupted(data, nodes)
    if kind == "executing" and data.get("node") is None and "prompt_id" in data:
        return 0.0
    return _POLL if kind == "execution_success" else None


def _ended(server: Server, socket: Socket, job: str) -> Mapping[str, Json] | None:
    """What became of `job`; None while it waits or runs. Raises `EngineError` where the server lost it."""
    try:
        entry = server.history(job)
        if entry is not None:
            return entry
        running, pending = server.queue()
        if any(item[1] == job for item in (*running, *pending)):
            return None
        entry = server.history(job)  # it may have left the queue between the two questions
    except EngineError as error:
        if error.kind is ErrorKind.TRANSIENT and socket.is_open:
            # While it loads a large model it may answer nothing for a minute; the builder's patience counts.
            return None
        raise
    if entry is None:
        raise EngineError(
            ErrorKind.TRANSIENT,
            f"the server at `{server.url}` no longer knows the job: it restarted, or its queue was cleared",
            hint="build again",
        )
    return entry
