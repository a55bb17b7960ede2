"""A server that answers as ComfyUI does, and holds what it is asked to a schema.

Written from what the public server does: its routes, the shapes of its complaints, the order of its events.
"""

from __future__ import annotations

import contextlib
import email
import hashlib
import io
import json
import threading
import time
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
from PIL import Image
from websockets.exceptions import InvalidState
from websockets.http11 import Request as Upgrade
from websockets.server import ServerProtocol

UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
TEXT = {"type": "string", "minLength": 1}


def shape(required: list[str], **properties: Any) -> dict[str, Any]:
    """A table with exactly these keys."""
    return {
        "type": "object",
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


NODE = shape(["class_type", "inputs"], class_type=TEXT, inputs={"type": "object"}, _meta={"type": "object"})
BODIES = {
    "/prompt": shape(
        ["prompt", "client_id"],
        prompt={"type": "object", "minProperties": 1, "additionalProperties": NODE},
        client_id=TEXT,
        prompt_id={"type": "string", "pattern": UUID},
    ),
    "/queue": shape(["delete"], delete={"type": "array", "items": TEXT, "minItems": 1}),
    "/interrupt": shape(["prompt_id"], prompt_id=TEXT),
    "/free": shape([], unload_models={"type": "boolean"}, free_memory={"type": "boolean"}),
}
QUERIES = {
    "/view": shape(
        ["filename", "subfolder", "type"],
        filename=TEXT,
        subfolder={"type": "string"},
        type={"enum": ["output", "temp", "input"]},
    ),
    "/ws": shape(
        ["clientId"], clientId={"type": "string", "pattern": "^artlock-[0-9a-f]{12}-[0-9]+-[0-9]+$"}
    ),
}
FORM = shape(
    ["image", "type", "subfolder"], image=TEXT, type={"const": "input"}, subfolder={"const": "artlock"}
)

MODELS = ["small.safetensors"]
CLASSES: dict[str, dict[str, Any]] = {
    "CheckpointLoaderSimple": {"ckpt_name": MODELS},
    "CLIPTextEncode": {"text": "STRING", "clip": "CLIP"},
    "EmptyLatentImage": {"width": "INT", "height": "INT", "batch_size": "INT"},
    "KSampler": {"seed": "INT", "steps": "INT", "sampler_name": ["euler", "dpmpp_2m"]},
    "VAEDecode": {},
    "LoadImage": {"image": "UPLOAD"},
    "PrimitiveInt": {"value": "INT"},
    "SaveImage": {},
    "PreviewImage": {},
}
LARGEST = 2048


def complaint(kind: str, message: str, details: str, **extra: Any) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


class Job:
    def __init__(self, number: int, name: str, nodes: dict[str, Any], client: str) -> None:
        self.name = name
        self.nodes = nodes
        self.client = client
        self.item = [number, name, nodes, {"client_id": client, "create_time": 1}, ["9"]]
        self.interrupted = threading.Event()


class ComfyServer:
    """The server, and what a test may make it do wrong."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """`METHOD /path` of every request."""
        self.wrong: list[str] = []
        """What broke the schema."""
        self.submitted: list[dict[str, Any]] = []
        self.cancelled: set[str] = set()
        self.done: list[str] = []
        self.uploads: dict[str, bytes] = {}
        self.answers: dict[str, tuple[int, str, bytes]] = {}
        """Path to a status, a MIME type and a body that are given whatever is asked."""
        self.torn: set[str] = set()
        """Paths whose answer breaks off half-way."""
        self.slow: set[str] = set()
        """Paths that are answered only when the server ends."""
        self.sockets_allowed = True
        self.drops_socket = False
        self.old = False
        self.forgets = False
        self.batch = 1
        self.failure: dict[str, Any] | None = None
        """What to say of `KSampler` instead of working."""
        self.picture: tuple[bytes, str] | None = None
        self.lost = False
        self.hold: threading.Event | None = None
        self.running = threading.Event()
        self._left = 0
        self._until = 0.0
        self._pending: list[Job] = []
        self._current: Job | None = None
        self._history: dict[str, Any] = {}
        self._files: dict[str, tuple[bytes, str]] = {}
        self._sockets: dict[str, Handler] = {}
        self._change = threading.Condition()
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.comfy = self  # type: ignore[attr-defined] # the way to hand a handler anything
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    @contextlib.contextmanager
    def serving(self) -> Iterator[ComfyServer]:
        threads = [
            threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True),
            threading.Thread(target=self._work, daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._closing.set()
            with self._change:
                self._change.notify_all()
            self._http.shutdown()
            self._http.server_close()
            for thread in threads:
                thread.join(20)
        assert not self.wrong, self.wrong

    def leave(self, client: str, *, running: bool = False) -> str:
        """A job that somebody else queued."""
        with self._change:
            self._left += 1
            name = f"{self._left:08d}-0000-0000-0000-000000000000"
            job = Job(0, name, {}, client)
            if running:
                self._current = job
                self._until = time.monotonic() + 20
            else:
                self._pending.append(job)
        return name

    def jobs(self) -> list[str]:
        with self._change:
            return [job.name for job in ([self._current] if self._current else []) + self._pending]

    # What is asked of it ----------------------------------------------------------------------------

    def prompt(self, body: dict[str, Any]) -> tuple[int, Any]:
        error, node_errors = self._validate(body["prompt"])
        if error is not None:
            return 400, {"error": error, "node_errors": node_errors}
        self.submitted.append(body)
        number = len(self.submitted)
        name = f"{number:08d}-1111-1111-1111-111111111111" if self.old else body["prompt_id"]
        with self._change:
            self._pending.append(Job(number, name, body["prompt"], body["client_id"]))
            self._change.notify_all()
        return 200, {"prompt_id": name, "number": number, "node_errors": node_errors}

    def _validate(self, nodes: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        for number, node in nodes.items():
            kind = node["class_type"]
            if kind not in CLASSES:
                title = node.get("_meta", {}).get("title", kind)
                extra = {"node_id": number, "class_type": kind, "node_title": title}
                said = f"Node '{title}' not found. The custom node may not be installed."
                return complaint("missing_node_type", said, f"Node ID '#{number}'", **extra), {}
        if not any(node["class_type"] in {"SaveImage", "PreviewImage"} for node in nodes.values()):
            return complaint("prompt_no_outputs", "Prompt has no outputs", ""), {}
        wrong = {number: found for number in nodes if (found := self._wrong_inputs(nodes[number]))}
        node_errors = {
            number: {"errors": found, "dependent_outputs": ["9"], "class_type": nodes[number]["class_type"]}
            for number, found in wrong.items()
        }
        if not wrong or all(nodes[number]["class_type"] == "PreviewImage" for number in wrong):
            return None, node_errors
        said = "Prompt outputs failed validation"
        return complaint("prompt_outputs_failed_validation", said, "…"), node_errors

    def _wrong_inputs(self, node: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for name, kind in CLASSES[node["class_type"]].items():
            value = node["inputs"].get(name)
            if isinstance(value, list) and isinstance(kind, str):
                continue
            extra = {"input_name": name, "input_config": None, "received_value": value}
            if value is None:
                said = "Required input is missing"
                found.append(complaint("required_input_missing", said, name, input_name=name))
            elif isinstance(kind, list) and value not in kind:
                details = f"{name}: '{value}' not in {kind}"
                found.append(complaint("value_not_in_list", "Value not in list", details, **extra))
            elif kind == "INT" and int(value) > LARGEST and name != "seed":
                said = f"Value {value} bigger than max of {LARGEST}"
                found.append(complaint("value_bigger_than_max", said, name, **extra))
            elif kind == "UPLOAD" and value not in self.uploads:
                details = f"{name} - Invalid image file: {value}"
                said = "Custom validation failed for node"
                found.append(complaint("custom_validation_failed", said, details, input_name=name))
        if node["inputs"].get("broken"):
            found.append(
                complaint("required_input_missing", "Required input is missing", "x", input_name="x")
            )
        return found

    def upload(self, form: dict[str, str], data: bytes) -> tuple[int, Any]:
        self.uploads[f"{form['subfolder']}/{form['image']}"] = data
        return 200, {"name": form["image"], "subfolder": form["subfolder"], "type": form["type"]}

    def queue(self) -> dict[str, Any]:
        with self._change:
            running = [self._current.item] if self._current else []
            return {"queue_running": running, "queue_pending": [job.item for job in self._pending]}

    def delete(self, names: list[str]) -> None:
        with self._change:
            self.cancelled |= {job.name for job in self._pending if job.name in names}
            self._pending = [job for job in self._pending if job.name not in names]

    def interrupt(self, name: str) -> None:
        with self._change:
            if self._current and (self.old or self._current.name == name):
                self.cancelled.add(self._current.name)
                self._current.interrupted.set()
                if not self._current.nodes:  # one that `leave` left
                    self._current = None
                self._change.notify_all()

    def history(self, name: str) -> dict[str, Any]:
        return {name: self._history[name]} if name in self._history else {}

    def view(self, query: dict[str, str]) -> tuple[bytes, str] | None:
        return None if self.lost else self.picture or self._files.get(query["filename"])

    def stats(self) -> dict[str, Any]:
        system = {
            "os": "linux",
            "comfyui_version": "0.33.1",
            "python_version": "3.12.3 (main, x) [GCC]",
            "pytorch_version": "2.12.0+cu130",
            "argv": ["main.py", "--base-directory", "/home/ada/comfy"],
        }
        devices = [{"name": "cuda:0 Small GPU : cudaMallocAsync", "type": "cuda", "index": 0}]
        return {"system": system, "devices": devices}

    # What it does of its own ------------------------------------------------------------------------

    def join(self, client: str, handler: Handler) -> None:
        self._sockets[client] = handler
        handler.say("status", {"status": {"exec_info": {"queue_remaining": 0}}, "sid": client})

    def quit(self, client: str, handler: Handler) -> None:
        if self._sockets.get(client) is handler:
            del self._sockets[client]

    def drop(self, client: str) -> None:
        """Lose the connection of `client`, with no word of farewell."""
        if handler := self._sockets.pop(client, None):
            with contextlib.suppress(OSError):
                handler.connection.shutdown(2)

    def say(self, job: Job, kind: str, **data: Any) -> None:
        if handler := self._sockets.get(job.client):
            handler.say(kind, {**data, "prompt_id": job.name})

    def _work(self) -> None:
        while True:
            with self._change:
                while not self._closing.is_set() and (self._current is not None or not self._pending):
                    self._change.wait(0.1)
                    self._grow_impatient()
                if self._closing.is_set():
                    return
                job = self._current = self._pending.pop(0)
            messages, outputs = self._execute(job)
            self.done.append(job.name)
            if not self.forgets:
                bad = any(kind in {"execution_error", "execution_interrupted"} for kind, _ in messages)
                status = {
                    "status_str": "error" if bad else "success",
                    "completed": not bad,
                    "messages": messages,
                }
                self._history[job.name] = {"prompt": job.item, "outputs": outputs, "status": status}
            with self._change:
                self._current = None
            self.running.clear()
            self.say(job, "executing", node=None)

    def _grow_impatient(self) -> None:
        """A job of nobody's holds up the queue for ever; a test that hangs says less than one that fails."""
        if self._current is not None and not self._current.nodes and time.monotonic() > self._until:
            self.wrong.append("a job that `leave` left was never taken off")
            self._current = None

    def _execute(self, job: Job) -> tuple[list[Any], dict[str, Any]]:
        """What the history keeps: the messages that were sent, and the outputs."""
        messages: list[Any] = []
        outputs: dict[str, Any] = {}

        def tell(kind: str, **data: Any) -> None:
            messages.append([kind, {**data, "prompt_id": job.name, "timestamp": 1}])
            self.say(job, kind, **data)

        tell("execution_start")
        tell("execution_cached", nodes=["4"])
        for number, node in job.nodes.items():
            if number == "4":
                continue
            self.say(job, "executing", node=number, display_node=number)
            if node["class_type"] == "KSampler" and self._sample(job, number, tell):
                return messages, outputs
            if node["class_type"] in {"SaveImage", "PreviewImage"}:
                images = self._save(job, node["class_type"])
                outputs[number] = {"images": images}
                self.say(job, "executed", node=number, display_node=number, output=outputs[number])
        if not self.old:
            tell("execution_success")
        return messages, outputs

    def _sample(self, job: Job, number: str, tell: Any) -> bool:
        """Sample; True where it came to a bad end."""
        more = {"node_id": number, "node_type": "KSampler", "executed": []}
        steps = int(job.nodes[number]["inputs"]["steps"])
        for step in range(1, steps + 1):
            self.say(job, "progress", value=step, max=steps, node=number)
            if handler := self._sockets.get(job.client):
                handler.preview()
            if self.drops_socket:
                self.drop(job.client)
            self.running.set()
            while self.hold is not None and not self.hold.is_set():
                if job.interrupted.wait(0.02) or self._closing.is_set():
                    break
            if job.interrupted.is_set():
                tell("execution_interrupted", **more)
                return True
        if self.failure is not None:
            tell(
                "execution_error", **more, traceback=[], current_inputs={}, current_outputs=[], **self.failure
            )
            return True
        return False

    def _save(self, job: Job, kind: str) -> list[dict[str, str]]:
        size = (64, 64)
        told = ""
        for node in job.nodes.values():
            inputs = node["inputs"]
            if node["class_type"] == "EmptyLatentImage":
                size = (int(inputs["width"]) // 8 * 8, int(inputs["height"]) // 8 * 8)
            told += f"{inputs.get('text', '')} {inputs.get('seed', '')} "
        color = hashlib.sha256(told.encode()).digest()[:3]
        data = io.BytesIO()
        Image.new("RGB", size, (color[0], color[1], color[2])).save(data, format="PNG")
        names = [f"{kind}_{job.name[:8]}_{index:05d}_.png" for index in range(self.batch)]
        for name in names:
            self._files[name] = (data.getvalue(), "image/png")
        folder = "temp" if kind == "PreviewImage" else "output"
        return [{"filename": name, "subfolder": "", "type": folder} for name in names]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def comfy(self) -> ComfyServer:
        server: Any = self.server
        found: ComfyServer = server.comfy
        return found

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the method that it replaces
        """Nothing: a test reads `asked`."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def _serve(self, body: bytes) -> None:
        comfy, parts = self.comfy, urlsplit(self.path)
        comfy.asked.append(f"{self.command} {parts.path}")
        path = "/history" if parts.path.startswith("/history/") else parts.path
        query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self._hold("query", path, query, QUERIES.get(path, shape([])))
        if path in comfy.slow:
            comfy._closing.wait(30)  # noqa: SLF001 - two halves of one server
            self.close_connection = True
        elif path in comfy.answers:
            status, mime, given = comfy.answers[path]
            self._answer(status, mime, given)
        elif path == "/ws":
            self._upgrade(query["clientId"])
        else:
            self._route(path, query, body)

    def _hold(self, what: str, path: str, value: Any, schema: dict[str, Any]) -> None:
        try:
            jsonschema.validate(value, schema)
        except jsonschema.ValidationError as error:
            self.comfy.wrong.append(f"{what} of {self.command} {path}: {error.message}")

    def _route(self, path: str, query: dict[str, str], body: bytes) -> None:
        comfy = self.comfy
        if self.command == "POST" and path == "/upload/image":
            form, data = self._form(body)
            self._hold("form", path, form, FORM)
            return self._json(*comfy.upload(form, data))
        if self.command == "POST" and path in BODIES:
            table = json.loads(body)
            self._hold("body", path, table, BODIES[path])
            return self._posted(path, table)
        if path == "/view":
            found = comfy.view(query)
            return (
                self._answer(404, "text/plain", b"")
                if found is None
                else self._answer(200, found[1], found[0])
            )
        if path == "/history":
            return self._json(200, comfy.history(self.path.rpartition("/")[2]))
        if path in {"/queue", "/system_stats"}:
            return self._json(200, comfy.queue() if path == "/queue" else comfy.stats())
        comfy.wrong.append(f"no such route: {self.command} {path}")
        return self._answer(404, "text/plain", b"404: Not Found")

    def _posted(self, path: str, table: dict[str, Any]) -> None:
        if path == "/prompt":
            return self._json(*self.comfy.prompt(table))
        if path == "/queue":
            self.comfy.delete(table["delete"])
        elif path == "/interrupt":
            self.comfy.interrupt(table["prompt_id"])
        return self._answer(200, "application/octet-stream", b"")

    def _form(self, body: bytes) -> tuple[dict[str, str], bytes]:
        kind = self.headers["Content-Type"]
        whole: Message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        form, data = {}, b""
        for part in whole.get_payload():
            assert isinstance(part, Message)
            name = str(part.get_param("name", header="content-disposition"))
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            if part.get_filename() is None:
                form[name] = content.decode()
            else:
                form[name], data = str(part.get_filename()), content
        return form, data

    def _json(self, status: int, value: Any) -> None:
        self._answer(status, "application/json; charset=utf-8", json.dumps(value).encode())

    def _answer(self, status: int, mime: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", mime)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        path = urlsplit(self.path).path
        if path in self.comfy.torn:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.connection.shutdown(2)
            self.close_connection = True
            return
        self.wfile.write(body)

    def _upgrade(self, client: str) -> None:
        if not self.comfy.sockets_allowed:
            return self._answer(404, "text/html", b"<html>no such page</html>")
        self.close_connection = True
        self._lock = threading.Lock()
        self._wire = ServerProtocol()
        line = f"{self.requestline}\r\n".encode()
        self._wire.receive_data(line + self.headers.as_bytes().replace(b"\n", b"\r\n"))
        (request,) = self._wire.events_received()
        assert isinstance(request, Upgrade)
        self._wire.send_response(self._wire.accept(request))
        self._flush()
        self.comfy.join(client, self)
        while data := self._received():
            with self._lock:
                self._wire.receive_data(data)
                self._flush()
                if self._wire.close_expected():
                    break
        self.comfy.quit(client, self)
        return None

    def _received(self) -> bytes:
        with contextlib.suppress(OSError):
            data: bytes = self.connection.recv(4096)
            return data
        return b""

    def say(self, kind: str, data: Any) -> None:
        # The client may hang up at any time.
        with self._lock, contextlib.suppress(InvalidState):
            self._wire.send_text(json.dumps({"type": kind, "data": data}).encode())
            self._flush()

    def preview(self) -> None:
        with self._lock, contextlib.suppress(InvalidState):
            self._wire.send_binary(b"\x00\x00\x00\x01\x00\x00\x00\x01\xff\xd8\xff")
            self._flush()

    def _flush(self) -> None:
        with contextlib.suppress(OSError):
            for data in self._wire.data_to_send():
                if data:
                    self.connection.sendall(data)


def until(holds: Any, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
