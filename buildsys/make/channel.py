"""A conversation over two pipes: whole messages in and out, each with a deadline.

Knows nothing of processes or of what the messages mean.
"""

from __future__ import annotations

import os
import select
import time
from typing import Final

from engines import protocol
from engines.protocol import Message, ProtocolError

_CHUNK: Final = 64 * 1024

_LONGEST: Final = 2**31 - 1
"""Milliseconds, 24 days: the most that a poll can be told."""


class Silence(Exception):  # noqa: N818 - the peer's fault, not an error of the program's
    """The deadline passed."""


class Gone(Exception):  # noqa: N818 - the same
    """The peer closed its end."""


class Channel:
    """The builder's ends of an engine's two pipes.

    Deadlines are moments of `time.monotonic`. Both pipes are non-blocking: a peer that never reads
    can't hold the builder in a write.
    """

    def __init__(self, requests: int, replies: int) -> None:
        self._requests = requests
        self._replies = replies
        self._unread = bytearray()
        os.set_blocking(requests, False)
        os.set_blocking(replies, False)
        # Kept: a selector made anew for each message was a tenth of what a small picture costs.
        self._writable = select.poll()
        self._writable.register(requests, select.POLLOUT)
        self._readable = select.poll()
        self._readable.register(replies, select.POLLIN)

    def send(self, line: bytes, deadline: float) -> None:
        """Write one message, encoded. Raises `Silence` or `Gone`."""
        data = memoryview(line)
        while data:
            try:
                data = data[os.write(self._requests, data) :]
            except BlockingIOError:
                self._await(self._writable, deadline)
            except BrokenPipeError as error:
                raise Gone from error

    def receive(self, deadline: float) -> Message:
        """Read one message. Raises `Silence`, `Gone`, or `ProtocolError`."""
        searched = 0
        while (end := self._unread.find(b"\n", searched)) < 0:
            searched = len(self._unread)
            if searched >= protocol.MAX_LINE:
                detail = f"a line is longer than {protocol.MAX_LINE} bytes"
                raise ProtocolError(detail)
            self._await(self._readable, deadline)
            self._read()
        line = bytes(self._unread[: end + 1])
        del self._unread[: end + 1]
        return protocol.decode(line)

    def silent(self) -> bool:
        """Whether the peer has said nothing that is still unread. Raises `Gone`."""
        if not self._unread:
            try:
                self._read()
            except BlockingIOError:
                return True
        return not self._unread

    def _read(self) -> None:
        data = os.read(self._replies, _CHUNK)
        if not data:
            raise Gone
        self._unread += data

    @staticmethod
    def _await(poll: select.poll, deadline: float) -> None:
        if not poll.poll(min(max(0.0, deadline - time.monotonic()) * 1000, _LONGEST)):
            raise Silence
