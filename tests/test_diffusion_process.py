"""The diffusion adapter as the builder meets it: a process of its own behind two pipes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

torch = pytest.importorskip("torch")

import sd3_small  # noqa: E402 - torch first, or there is nothing to test

from engines import diffusion, protocol  # noqa: E402
from engines.protocol import Done, ErrorKind, Failure, Hello, Open, Progress, Render, Request  # noqa: E402

HOME = Path(__file__).resolve().parent.parent


class Child:
    """An engine process with a keeper and a lifeline, as the builder starts one."""

    def __init__(self, folder: Path) -> None:
        self._lifeline, self._held = os.pipe()
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "engines/__main__.py", str(self._lifeline), "diffusion"],
            cwd=HOME,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            pass_fds=[self._lifeline],
        )

    def send(self, message: protocol.Message) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(protocol.encode(message))
        self._process.stdin.flush()

    def receive(self) -> protocol.Message:
        assert self._process.stdout is not None
        return protocol.decode(self._process.stdout.readline())

    def engine(self) -> int:
        (engine,) = psutil.Process(self._process.pid).children()
        return int(engine.pid)

    def close(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        code = self._process.wait(30)
        self._process.stdout.close()
        self._log.close()
        os.close(self._lifeline)
        os.close(self._held)
        return code


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path)
    yield child
    assert child.close() == 0


def opening(model: str, revision: str, staging: Path, **settings: Any) -> Open:
    return Open(
        protocol=protocol.PROTOCOL,
        adapter="diffusion",
        engine="small",
        model=model,
        revision=revision,
        staging=str(staging),
        settings=settings,
    )


def ask(child: Child, request: Request) -> tuple[list[protocol.Message], protocol.Message]:
    """The progress that was told, and the result."""
    child.send(Render(requests=(request,)))
    progress: list[protocol.Message] = []
    while isinstance(message := child.receive(), Progress):
        progress.append(message)
    return progress, message


@pytest.mark.slow
def test_a_picture_is_drawn_in_another_process_and_memory_may_run_out(
    child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = sd3_small.make(tmp_path / "model")
    child.send(opening(str(model), "", tmp_path))
    hello = child.receive()
    assert isinstance(hello, Hello), hello
    assert (hello.adapter, hello.determinism) == ("diffusion", protocol.Determinism.ENVIRONMENT)

    wanted = Request(
        id="a",
        asset="hero",
        output="a.png",
        prompt="a moon knight",
        seed=7,
        size=(64, 64),
        parameters={"steps": 2, "guidance": 4.5},
    )
    progress, result = ask(child, wanted)
    assert progress == [Progress(id="a", step=1, steps=2), Progress(id="a", step=2, steps=2)]
    assert isinstance(result, Done)
    assert replace(result, host_bytes=0) == Done(id="a", output="a.png")
    assert result.host_bytes > 100_000_000  # torch alone takes more
    drawn = (tmp_path / "a.png").read_bytes()

    engine = child.engine()
    used = psutil.Process(engine).memory_info().vms
    before = resource.prlimit(engine, resource.RLIMIT_AS, (used + 200 * 2**20, resource.RLIM_INFINITY))
    _, result = ask(child, replace(wanted, size=(1024, 1024)))
    assert isinstance(result, Failure)
    assert result.host_bytes > 100_000_000
    assert replace(result, host_bytes=0) == Failure(
        id="a",
        kind=ErrorKind.OUT_OF_MEMORY,
        message="`cpu` ran out of memory",
        hint='try `dtype = "bfloat16"` or a smaller size',
    )
    resource.prlimit(engine, resource.RLIMIT_AS, before)

    # The engine goes on, and this process, with other pictures behind it, draws the same bytes.
    assert isinstance(ask(child, wanted)[1], Done)
    assert (tmp_path / "a.png").read_bytes() == drawn
    for name in diffusion.settings.variables(diffusion.settings.read({})):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    here = diffusion.load(opening(str(model), "", tmp_path))
    assert dict(here.environment()) == dict(hello.environment)
    list(here.render([replace(wanted, output="b.png")], lambda *_: None))
    assert (tmp_path / "b.png").read_bytes() == drawn


def test_missing_weights_are_the_engines_last_words(child: Child, tmp_path: Path) -> None:
    name = "stabilityai/stable-diffusion-3.5-large-turbo"
    child.send(opening(name, "e" * 40, tmp_path, cache=str(tmp_path)))
    failure = child.receive()
    assert isinstance(failure, Failure)
    assert (failure.id, failure.kind) == (None, ErrorKind.MISSING)
    assert failure.message.startswith(
        f"`{name}` at `{'e' * 40}` is not on this machine. Licence: Stability AI"
    )
