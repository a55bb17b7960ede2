"""A ComfyUI server's HTTP interface, one method for each thing that is asked of it.

Knows nothing of workflows or of how long to wait. Whatever goes wrong is an `EngineError`; nothing is tried
again here, and nothing that a server does for us is paid for.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

import httpx2

from engines.protocol import EngineError, ErrorKind, Json

_SHOWN: Final = 80
_MOST: Final = 256 * 1024 * 1024
"""Bytes of one answer: the most that a picture may have."""
_FOLDER: Final = "artlock"
"""Where uploads lie in the server's `input` folder."""
_BACK: Final = "start ComfyUI there, or correct `base_url` in the engine's table"

Job: TypeAlias = Sequence[Json]
"""In a server's queue: its number, its identifier, its workflow, and a table with `client_id`."""


class Server:
    """The server at `url`."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = _split(url)
        if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise EngineError(
                ErrorKind.BAD_REQUEST,
                f"`base_url` is `{url}`, not the address of a server",
                hint="write it like `http://127.0.0.1:8188`",
            )
        self._url = url.rstrip("/")
        self.host = parts.netloc.rpartition("@")[2]
        self.url = self._url.replace(parts.netloc, self.host, 1)
        """Where it is, for messages: without a password."""
        self.is_near = _is_loopback(parts.hostname)
        # A proxy for the world outside can't reach a server on this machine.
        self._client = httpx2.Client(
            timeout=timeout,
            trust_env=not self.is_near,
            # A connection kept for the minutes that a picture takes is often closed by then, at the far end.
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    def socket(self, client: str) -> str:
        """The address of its web socket for `client`."""
        return f"ws{self._url.removeprefix('http')}/ws?clientId={client}"

    def about(self) -> Mapping[str, Json]:
        """What it is: versions and devices."""
        stats = self._table("GET", "/system_stats")
        if not isinstance(stats.get("system"), dict):
            raise self._stranger("/system_stats", "an answer without `system`")
        return stats

    def upload(self, name: str, data: bytes) -> str:
        """Put a picture into its `input` folder; the name by which a node loads it."""
        body = self._table(
            "POST",
            "/upload/image",
            files={"image": (name, data)},
            data={"type": "input", "subfolder": _FOLDER},
        )
        if not isinstance(body.get("name"), str):
            raise self._stranger("/upload/image", "an answer without `name`")
        return str(PurePosixPath(str(body.get("subfolder") or ""), body["name"]))

    def submit(self, nodes: Mapping[str, Json], client: str, job: str) -> tuple[str, Mapping[str, Json]]:
        """Queue a workflow: its job's identifier, empty where it was refused, and the whole answer."""
        body = {"prompt": nodes, "client_id": client, "prompt_id": job}
        answer = self._send(
            "POST", "/prompt", content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        said = self._parsed("/prompt", answer)
        if answer.status_code == httpx2.codes.BAD_REQUEST and "error" in said:
            return "", said
        self._check("/prompt", answer)
        # Servers from before 2025 choose an identifier of their own.
        if not isinstance(said.get("prompt_id"), str):
            raise self._stranger("/prompt", "an answer without `prompt_id`")
        return said["prompt_id"], said

    def queue(self) -> tuple[list[Job], list[Job]]:
        """The jobs that run, and those that wait."""
        body = self._table("GET", "/queue")
        return _jobs(body.get("queue_running")), _jobs(body.get("queue_pending"))

    def history(self, job: str) -> Mapping[str, Json] | None:
        """What became of `job`, or None while it has not ended."""
        entry = self._table("GET", f"/history/{job}").get(job)
        return entry if isinstance(entry, dict) else None

    def view(self, image: Mapping[str, Json]) -> tuple[bytes, str] | None:
        """A picture's bytes and its MIME type; None where the server has lost it."""
        query = {key: str(image.get(key) or "") for key in ("filename", "subfolder", "type")}
        answer = self._send("GET", "/view", params=query)
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return None
        self._check("/view", answer)
        return answer.content, answer.headers.get("Content-Type", "").partition(";")[0].strip()

    def forget(self) -> None:
        """Let go of all that it remembers of earlier jobs, models in memory included."""
        self._check("/free", self._send("POST", "/free", json={"unload_models": True, "free_memory": True}))

    def cancel(self, jobs: Iterable[str]) -> None:
        """Take those of `jobs` that wait off the queue, and interrupt the one that runs."""
        wanted = set(jobs)
        if not wanted:
            return
        self._check("/queue", self._send("POST", "/queue", json={"delete": sorted(wanted)}))
        # Looked up last: an old server interrupts whatever runs, and another's job must not be hit.
        running, _ = self.queue()
        for job in running:
            if job[1] in wanted:
                self._check("/interrupt", self._send("POST", "/interrupt", json={"prompt_id": job[1]}))

    def _table(self, method: str, path: str, **more: Json) -> Mapping[str, Json]:
        answer = self._send(method, path, **more)
        self._check(path, answer)
        return self._parsed(path, answer)

    def _send(self, method: str, path: str, **more: Json) -> httpx2.Response:
        try:
            with self._client.stream(method, self._url + path, **more) as answer:
                size = 0
                pieces = []
                for piece in answer.iter_bytes():
                    size += len(piece)
                    if size > _MOST:
                        raise self._stranger(path, f"more than {_MOST // 2**20} MiB")
                    pieces.append(piece)
            return httpx2.Response(
                answer.status_code, headers=_plain(answer.headers), content=b"".join(pieces)
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            fact = f"no ComfyUI answers at `{self.url}`"
            raise EngineError(ErrorKind.TRANSIENT, fact, hint=_BACK) from error
        except httpx2.RequestError as error:
            fact = f"the server at `{self.url}` broke off at `{path}`: {str(error) or type(error).__name__}"
            raise EngineError(ErrorKind.TRANSIENT, fact, hint="look whether it still runs") from error

    def _check(self, path: str, answer: httpx2.Response) -> None:
        code = answer.status_code
        if code < httpx2.codes.BAD_REQUEST:
            return
        start = answer.text[:_SHOWN].strip()
        fact = (
            f"the server answered `{path}` with {code}: `{start}`"
            if start
            else f"the server answered `{path}` with {code}"
        )
        if code in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
            raise EngineError(ErrorKind.AUTH, fact, hint="let this machine in without a login")
        if code == httpx2.codes.NOT_FOUND:
            raise self._stranger(path, f"404 `{start}`")
        if code >= httpx2.codes.INTERNAL_SERVER_ERROR:
            raise EngineError(ErrorKind.TRANSIENT, fact, hint="read the server's log")
        raise EngineError(ErrorKind.BAD_REQUEST, fact)

    def _parsed(self, path: str, answer: httpx2.Response) -> Mapping[str, Json]:
        try:
            body = answer.json()
        except ValueError as error:
            self._check(path, answer)
            raise self._stranger(path, f"no JSON: `{answer.text[:_SHOWN].strip()}`") from error
        if not isinstance(body, dict):
            raise self._stranger(path, f"no table: `{answer.text[:_SHOWN].strip()}`")
        return body

    def _stranger(self, path: str, what: str) -> EngineError:
        fact = f"`{self.url}{path}` gave {what}: that is no ComfyUI"
        return EngineError(ErrorKind.INTERNAL, fact, hint="correct `base_url` in the engine's table")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - looks whether it is a number
    except ValueError:
        return None
    return parts


def _plain(headers: httpx2.Headers) -> dict[str, str]:
    """Without what says how the bytes travelled: they are unpacked by now."""
    return {name: value for name, value in headers.items() if name == "content-type"}


def _jobs(value: Json) -> list[Job]:
    found = value if isinstance(value, list) else []
    return [job for job in found if isinstance(job, list) and len(job) > 1]


def client_of(job: Job) -> str:
    """Whose job it is."""
    more = job[3] if len(job) > 3 and isinstance(job[3], dict) else {}  # noqa: PLR2004 - see `Job`
    return str(more.get("client_id") or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
