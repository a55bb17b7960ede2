"""Serves requests with a ComfyUI server: fills the workflow, sends it, waits, brings the picture home.

Knows nothing of HTTP or of sockets, and of workflows only that they have slots.
"""

from __future__ import annotations

import hashlib
import signal
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NoReturn

from engines import parameters, png, protocol
from engines.comfyui import faults, identity
from engines.comfyui.server import Server, client_of
from engines.comfyui.watch import Socket, wait
from engines.comfyui.workflow import ASKED, PICTURES, Nodes, Slots, read, told
from engines.parameters import bad, listed
from engines.protocol import Done, EngineError, ErrorKind, Json, Report, Request, Result

_LOCAL: Final = "127.0.0.1:8188"
_LARGEST: Final = 16384
_TOLERANCE: Final = 0.02
"""How far the picture's proportions may be from those that were asked for."""
_FORMATS: Final = (
    (b"\x89PNG", ".png", "image/png"),
    (b"\xff\xd8\xff", ".jpg", "image/jpeg"),
    (b"RIFF", ".webp", "image/webp"),
)
_UNSAID: Final = ("", "application/octet-stream")


class Comfy:
    """The engine; its server makes one picture at a time."""

    def __init__(self, opening: protocol.Open) -> None:
        self._staging = Path(opening.staging)
        self._declared = parameters.declared(parameters.card(Path(__file__).parent)["parameters"])
        url = str(opening.settings.get("base_url") or f"http://{_LOCAL}")
        self._server = Server(url, float(opening.settings.get("timeout") or 30))
        self._client = identity.client()
        self._about = self._server.about()

    def environment(self) -> Mapping[str, str]:
        """What the server says it makes pictures with."""
        system: Mapping[str, Json] = self._about["system"]
        devices = [
            str(item.get("name")) for item in self._about.get("devices") or [] if isinstance(item, dict)
        ]
        found = {
            "comfyui": str(system.get("comfyui_version") or "unknown"),
            "torch": str(system.get("pytorch_version") or "unknown"),
            "python": str(system.get("python_version") or "unknown").partition(" ")[0],
            "device": devices[0] if devices else "unknown",
            "httpx2": version("httpx2"),
        }
        return found if self._server.host == _LOCAL else {**found, "host": self._server.host}

    def render(self, requests: Sequence[Request], report: Report) -> Iterable[Result]:
        """Make each; one that fails leaves the others alone."""
        return protocol.one_by_one(requests, lambda request: self._make(request, report))

    def _make(self, request: Request, report: Report) -> Done:
        if Path(request.output).name != request.output:
            raise EngineError(ErrorKind.INTERNAL, f"the output `{request.output}` is not a plain file name")
        values = parameters.checked(self._declared, request.parameters, request.inputs)
        nodes = read(values["workflow"])
        files = _files(values)
        slots = Slots(nodes, values["slots"] or {}, files)
        output = slots.output()
        wanted = _asked(request, values["values"] or {})
        slots.fill({**wanted, **files})  # refused here, nothing is uploaded
        for name, path in files.items():
            wanted[name] = self._uploaded(path)
        entry = self._run(slots.fill(wanted), lambda step, steps: report(request.id, step, steps))
        name = self._brought(_only(entry, output, nodes), request)
        return Done(id=request.id, output=name)

    def _uploaded(self, path: str) -> str:
        data = Path(path).read_bytes()
        # By its bytes, so that a picture is uploaded once and never changes under a job that waits.
        name = f"{hashlib.sha256(data).hexdigest()[:32]}{Path(path).suffix.lower()}"
        return self._server.upload(name, data)

    def _run(self, nodes: Nodes, report: Callable[[int, int], None]) -> Mapping[str, Json]:
        """The server's entry of the job that `nodes` are, once it has ended well. Raises `EngineError`."""
        self._sweep()
        job = str(uuid.uuid4())
        with Socket(self._server, self._client) as socket, _stopped_by_exception():
            try:
                job, answer = self._server.submit(nodes, self._client, job)
                faults.check(answer, nodes)
                return wait(self._server, socket, job, nodes, report)
            except BaseException:
                # Whatever ended the waiting, nobody waits any more. For a job that is over this does nothing.
                with suppress(EngineError):
                    self._server.cancel([job] if job else [])
                raise

    def _sweep(self) -> None:
        """Take our own jobs off the server, and those of builds on this machine that were killed."""
        running, pending = self._server.queue()
        owners = {str(job[1]): client_of(job) for job in (*running, *pending)}
        self._server.cancel(
            job for job, owner in owners.items() if owner == self._client or identity.is_gone(owner)
        )

    def _brought(self, image: Mapping[str, Json], request: Request) -> str:
        """Fetch the picture into the staging folder; the name of its file."""
        found = self._server.view(image)
        if found is None:
            # It remembers a node's result from an earlier job, and the file is gone since.
            self._server.forget()
            raise EngineError(
                ErrorKind.TRANSIENT,
                f"the server lost `{image.get('filename')}` of an earlier job, and was told to forget it",
                hint="build again",
            )
        data, claimed = found
        suffix = _suffix(data, claimed)
        name = Path(request.output).with_suffix(suffix).name
        try:
            height, width = png.decode_bytes(data, str(image.get("filename")), _LARGEST).shape[:2]
        except EngineError as error:
            message = f"the server's picture can't be used: {error.message}"
            raise EngineError(ErrorKind.INTERNAL, message, hint=error.hint) from error
        if request.size is not None:
            _check_size((width, height), request.size)
        (self._staging / name).write_bytes(data)
        return name


def _asked(request: Request, own: Mapping[str, Json]) -> dict[str, Any]:
    """Slot to value, of all that the asset gives."""
    for name in own:
        if name in ASKED or name in PICTURES:
            raise bad(f"`values.{name}` would replace the asset's own `{name}`", f"set `{name}` itself")
    width, height = request.size or (None, None)
    given = {
        "prompt": request.prompt or None,
        "negative": request.negative or None,
        "text": request.text or None,
        "seed": request.seed,
        "width": width,
        "height": height,
        **own,
    }
    return {name: value for name, value in given.items() if value is not None}


def _files(values: Mapping[str, Any]) -> dict[str, str]:
    """Slot to path, of all the files that the asset gives."""
    files = {name: values[name] for name in PICTURES if values[name] is not None}
    for name, path in (values["inputs"] or {}).items():
        if name in ASKED:
            raise bad(f"`inputs.{name}` would replace the asset's own `{name}`", "rename it")
        if name in files or name in (values["values"] or {}):
            other = name if name in files else f"values.{name}"
            raise bad(f"`inputs.{name}` and `{other}` are for the same slot", "leave one of them out")
        files[name] = path
    return files


def _only(entry: Mapping[str, Json], output: str, nodes: Nodes) -> Mapping[str, Json]:
    """The one picture that node `output` gave. Raises `EngineError`."""
    outputs = entry.get("outputs")
    given = outputs.get(output) if isinstance(outputs, dict) else None
    images = given.get("images") if isinstance(given, dict) else None
    found = [image for image in images or [] if isinstance(image, dict) and image.get("filename")]
    if len(found) > 1:
        names = listed(image["filename"] for image in found[:3])
        raise bad(
            f"{told(nodes, output)} gave {len(found)} pictures ({names}…), and an asset is one",
            "set `batch_size` to 1 in the workflow",
        )
    if not found:
        raise EngineError(
            ErrorKind.INTERNAL,
            f"the job ended well, but {told(nodes, output)} gave no picture",
            hint="give the title `artlock:output` to a node that saves one",
        )
    return found[0]


def _suffix(data: bytes, claimed: str) -> str:
    """The suffix that belongs to a picture's first bytes. Raises `EngineError` where they are none."""
    for start, suffix, mime in _FORMATS:
        if data.startswith(start):
            if claimed not in {mime, *_UNSAID}:
                fact = f"the server calls a picture `{claimed}` that is `{mime}`"
                raise EngineError(ErrorKind.INTERNAL, fact, hint="save it under the suffix of its format")
            return suffix
    shown = data[:80].decode(errors="replace")
    raise EngineError(
        ErrorKind.INTERNAL,
        f"the server gave no PNG, JPEG or WebP but `{claimed}`: `{shown}`",
        hint="let the workflow end in a `SaveImage` node",
    )


def _check_size(made: tuple[int, int], asked: tuple[int, int]) -> None:
    """Refuse a picture that can't be scaled down to what was asked for."""
    small = made[0] < asked[0] or made[1] < asked[1]
    apart = abs(made[0] * asked[1] / (made[1] * asked[0]) - 1)
    if small or apart > _TOLERANCE:
        raise bad(
            f"the workflow made {made[0]}x{made[1]} pixels where {asked[0]}x{asked[1]} was asked for",
            "give the node that takes it the title `artlock:size`, and ask for sides that it can make",
        )


@contextmanager
def _stopped_by_exception() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that what is under way is cancelled; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
