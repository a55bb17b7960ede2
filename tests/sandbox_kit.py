"""The burglar as an engine, and a worker that runs it."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from buildsys.make.worker import Place, Worker
from buildsys.manifest.allowance import Limits
from buildsys.manifest.model import Card, Engine
from engines.protocol import Done, Request, Result

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "tests" / "sandbox"


def burglar(*, memory: float = 0.0, network: bool = False, **changes: Any) -> Engine:
    data = tomllib.loads((HOME / "burglar.toml").read_text(encoding="utf-8"))
    for table in ("parameters", "settings"):
        for key, value in data[table].items():
            value["name"] = key
    card = msgspec.convert({**data, "name": "tests/sandbox/burglar.py", "network": network}, Card)
    return Engine(name="burglar", card=card, limits=Limits(memory=memory), **changes)


def ask(act: str, at: object = "") -> Request:
    parameters = {"act": act, "at": str(at)}
    return Request(id="1", asset="hero", output="hero.png", size=(2, 2), parameters=parameters)


@contextmanager
def started(engine: Engine, folder: Path) -> Iterator[Worker]:
    """A worker with its folders under `folder`."""
    place = Place(folder / "staging", folder / "tmp", folder / "log", folder / "made")
    place.staging.mkdir()
    place.temporary.mkdir()
    place.made.mkdir()
    worker = Worker(engine, str(HOME / "burglar.py"), place, os.environ)
    try:
        yield worker
    finally:
        worker.kill()


def tried(worker: Worker, act: str, at: object = "") -> Result:
    """What `worker`, which said hello, answers."""
    (answer,) = worker.render([ask(act, at)], lambda _: None)
    return answer


def outcome(engine: Engine, folder: Path, act: str, at: object = "") -> str:
    """`done`, or the name of the error that `engine` got when it tried `act`."""
    with started(engine, folder) as worker:
        worker.open()
        answer = tried(worker, act, at)
    assert isinstance(answer, Done), answer
    return str(answer.facts["outcome"])


def older_kernel(folder: Path, *refused: str) -> str:
    """An interpreter for which the kernel refuses some of what walls are made of."""
    script = folder / "python"
    script.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "{HOME}/older_kernel.py" {",".join(refused)} "$@"\n'
    )
    script.chmod(0o755)
    return str(script)
