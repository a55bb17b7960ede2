"""A real server that speaks S3, in a process of its own, and a proxy before it that has faults on demand.

The proxy knows nothing of S3: it passes HTTP requests on, one connection each, and spoils what it is told to.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from obstore.store import S3Store

DEADLINE = 60.0
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "artlock-test",
    "AWS_SECRET_ACCESS_KEY": "artlock-test",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Server:
    """moto's S3, which keeps everything in the memory of one process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            env={**os.environ, **CREDENTIALS},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.port = self._announced()
        self.url = f"http://127.0.0.1:{self.port}"

    def _announced(self) -> int:
        """The port that the system gave it, of the line in which it says so; the other lines are drained."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "Running on http://127.0.0.1:" in line:
                self._drainer = threading.Thread(target=self._drain, daemon=True)
                self._drainer.start()
                return int(line.rpartition(":")[2].split()[0].strip("/"))
        raise AssertionError("moto ended before it listened")

    def _drain(self) -> None:
        assert self._process.stderr is not None
        for _ in self._process.stderr:
            pass

    def make(self, bucket: str) -> None:
        request = urllib.request.Request(f"{self.url}/{bucket}", method="PUT")  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=DEADLINE):  # noqa: S310 - as above
            pass

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._drainer.join(DEADLINE)
        assert self._process.stderr is not None
        self._process.stderr.close()


class Faults:
    """What the proxy does to requests; each may be set at any time."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.seen: list[tuple[str, str]] = []
        """Method and path of every request that was passed on, or spoilt."""
        self.headers: list[dict[str, str]] = []
        self.status = 0
        self.code = ""
        self.times = 0
        """So many requests are answered with `status` instead."""
        self.refused = ""
        """A method all of whose requests are answered with `status`."""
        self.reset = 0
        """So many connections are reset, without an answer."""
        self.cut = 0
        """So many answers end half way."""
        self.spoil: Callable[[str], bool] = lambda _: False
        """Paths whose bytes come with one bit the other way."""
        self.slow = 0.0
        """Seconds before each answer."""
        self.silent = threading.Event()
        """Set: no answer ever begins, until it is cleared."""
        self.hold_at = 0
        """Silent from this request on."""

    def take(self, name: str) -> bool:
        with self.guard:
            left: int = getattr(self, name)
            if left > 0:
                setattr(self, name, left - 1)
            return left > 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        pass

    def _pass(self) -> None:
        with self.server.counted():
            self._pass_on()

    def _pass_on(self) -> None:
        faults = self.server.faults
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with faults.guard:
            faults.seen.append((self.command, self.path))
            faults.headers.append({key.lower(): value for key, value in self.headers.items()})
            number = len(faults.seen)
            if faults.hold_at and number >= faults.hold_at:
                faults.silent.set()
        if faults.silent.is_set():
            self.server.reached.set()
            while faults.silent.is_set() and not self.server.ended.wait(0.05):
                pass
            self.close_connection = True
            return
        if faults.slow:
            time.sleep(faults.slow)
        if faults.take("reset"):
            self._reset()
            return
        if faults.refused == self.command or faults.take("times"):
            self._answer(faults.status, f"<Error><Code>{faults.code}</Code></Error>".encode(), {})
            return
        status, headers, data = self._upstream(body)
        if self.command == "GET" and faults.spoil(self.path) and data:
            data = bytes([data[0] ^ 1]) + data[1:]
        if self.command == "GET" and status in (200, 206) and len(data) > 1 and faults.take("cut"):
            self._answer(status, data, headers, cut=True)
            return
        self._answer(status, data, headers)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _pass  # noqa: N815 - the base class looks for these

    def _upstream(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=DEADLINE)
        try:
            # moto looks at no signature, so the host's name may be another one.
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            data = answer.read()
            return answer.status, dict(answer.getheaders()), data
        finally:
            connection.close()

    def _answer(self, status: int, data: bytes, headers: dict[str, str], *, cut: bool = False) -> None:
        self.send_response_only(status)
        for key, value in headers.items():
            if key.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(key, value)
        length = headers.get("Content-Length", headers.get("content-length", "0"))
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)
        if cut:
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


class Proxy(ThreadingHTTPServer):
    """Before the server at the port `upstream`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.faults = Faults()
        self.ended = threading.Event()
        self.reached = threading.Event()
        """Set once a request is held for ever."""
        self._busy = 0
        self._changed = threading.Condition()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def release(self) -> None:
        """Let go what is held, without an answer, and wait until nothing is under way."""
        self.faults.hold_at = 0
        self.faults.silent.clear()
        with self._changed:
            assert self._changed.wait_for(lambda: not self._busy, DEADLINE)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""

    def shutdown_request(self, request: Any) -> None:
        """Close it at once: a polite goodbye before it would make a reset none."""
        self.close_request(request)

    def end(self) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()


@contextlib.contextmanager
def proxied(server: Server) -> Iterator[Proxy]:
    proxy = Proxy(server.port)
    try:
        yield proxy
    finally:
        proxy.end()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=DEADLINE)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stranger(url: str, bucket: str, **headers: str) -> S3Store:
    """The bucket as anybody has it who may write there; `headers` go with every request."""
    return S3Store(
        bucket, config={"endpoint": url}, client_options={"allow_http": True, "default_headers": headers}
    )
