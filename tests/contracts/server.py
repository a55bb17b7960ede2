"""A provider on 127.0.0.1: holds every request to its schema, counts them, and answers as it is told.

Knows no provider: routes, schemas and answers come in. A request that breaks its schema is answered 400
and remembered, and ends the test when the server closes, whatever the adapter made of it.
"""

from __future__ import annotations

import contextlib
import email.policy
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from jsonschema import Draft202012Validator


class Fault(Enum):
    """What goes wrong on the wire."""

    NONE = "none"
    HANG = "hang"
    """No answer until the server closes."""
    DROP = "drop"
    """The connection closes without an answer."""
    RESET = "reset"
    """The connection is reset half-way through the body."""
    DRIP = "drip"
    """The body comes a byte at a time and never ends."""


@dataclass(frozen=True)
class Reply:
    """One scripted answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault = Fault.NONE


@dataclass(frozen=True)
class Upload:
    """One file of a form as it came."""

    field: str
    filename: str
    mime: str
    data: bytes


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    """The JSON, or the fields of a form, its files as text of one character a byte; None for a GET."""
    files: tuple[Upload, ...] = ()
    """Of a form, in the order of its parts."""
    raw: bytes = b""


@dataclass(frozen=True)
class Route:
    """What one address takes: headers that must be there, and the schema of its body."""

    schemas: tuple[Mapping[str, Any], ...] = ()
    header: str = ""
    """The header that must carry the key, in lower case."""
    key: str = ""
    form: bool = False
    form_schemas: tuple[Mapping[str, Any], ...] = ()
    """Of a body that is a form, where the address takes both."""
    lists: tuple[str, ...] = ()
    """Fields of a form that may come several times."""


class Server:
    """Serves on a thread until it is closed. `url` is where."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self.calls: list[Call] = []
        self.called = threading.Event()
        """Set once a request has come."""
        self.problems: list[str] = []
        self._routes = routes
        self._replies: deque[Reply | Callable[[str], Reply]] = deque()
        self._closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20

            def do_GET(self) -> None:
                outer.serve(self)

            def do_POST(self) -> None:
                outer.serve(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the standard library
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def will(self, *replies: Reply | Callable[[str], Reply]) -> None:
        """Answer the next requests so, in turn. A function gets the server's own address."""
        self._replies.extend(replies)

    @property
    def paid(self) -> list[Call]:
        """The requests that cost money: all but those that fetch."""
        return [call for call in self.calls if call.method == "POST"]

    def close(self) -> None:
        """End every answer that hangs, and the server."""
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(20)

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Take one request, hold it to its schema, and give the next answer."""
        route = self._routes.get(handler.path)
        call = _read(handler, route.lists if route else ())
        self.calls.append(call)
        self.called.set()
        if handler.command == "POST" and (problem := self._problem(call)):
            self.problems.append(problem)
            self._send(handler, Reply(400, json.dumps({"contract": problem}).encode()))
            return
        if not self._replies:
            self.problems.append(f"nobody expected {call.method} {call.path}")
            self._send(handler, Reply(500, b"{}"))
            return
        reply = self._replies.popleft()
        self._send(handler, reply(self.url) if callable(reply) else reply)

    def _problem(self, call: Call) -> str:
        route = self._routes.get(call.path)
        if route is None:
            return f"no such address: {call.path}"
        if call.headers.get(route.header) != route.key:
            return f"the header `{route.header}` does not carry the key"
        kind = call.headers.get("content-type", "")
        is_form = route.form or (bool(route.form_schemas) and kind.startswith("multipart/"))
        wanted = "multipart/form-data" if is_form else "application/json"
        if not kind.startswith(wanted):
            return f"the body is not `{wanted}`"
        for schema in route.form_schemas if is_form and not route.form else route.schemas:
            for error in Draft202012Validator(schema).iter_errors(call.body):
                return f"{error.json_path}: {error.message}"
        return ""

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.close_connection = True
        if reply.fault is Fault.HANG:
            self._closing.wait(60)
            return
        if reply.fault is Fault.DROP:
            return
        length = len(reply.body) * (2 if reply.fault is Fault.DRIP else 1)
        handler.send_response_only(reply.status)
        for name, value in {"Content-Length": str(length), "Connection": "close", **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        with contextlib.suppress(OSError):  # the adapter had enough
            self._body(handler, reply)

    def _body(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.fault is Fault.DRIP:
            for byte in reply.body:
                handler.wfile.write(bytes([byte]))
                if self._closing.wait(0.02):
                    return
        elif reply.fault is Fault.RESET:
            handler.wfile.write(reply.body[: len(reply.body) // 2])
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.connection.close()
        else:
            handler.wfile.write(reply.body)


@contextmanager
def serving(routes: Mapping[str, Route]) -> Iterator[Server]:
    """A server for one test, which fails it if any request broke its schema."""
    server = Server(routes)
    try:
        yield server
    finally:
        server.close()
    assert not server.problems, server.problems


def _read(handler: BaseHTTPRequestHandler, lists: tuple[str, ...]) -> Call:
    headers = {name.lower(): value for name, value in handler.headers.items()}
    data = handler.rfile.read(int(headers.get("content-length", 0)))
    kind = headers.get("content-type", "")
    body: Any = None
    files: list[Upload] = []
    if kind.startswith("application/json"):
        body = json.loads(data)
    elif kind.startswith("multipart/form-data"):
        body = _fields(kind, data, files, lists)
    return Call(handler.command, handler.path, headers, body, tuple(files), data)


def _fields(kind: str, data: bytes, files: list[Upload], lists: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a form; what is sent as a file is put into `files`, too."""
    parser = BytesParser(policy=email.policy.HTTP)
    form = parser.parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + data)
    fields: dict[str, Any] = {}
    for part in form.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        filename = part.get_filename()
        if filename is not None:
            files.append(Upload(name, filename, part.get_content_type(), payload))
        value = payload.decode() if filename is None else payload.decode("latin-1")
        if name in lists:
            fields.setdefault(name, []).append(value)
        else:
            assert name not in fields, f"the field `{name}` came twice"
            fields[name] = value
    return fields
