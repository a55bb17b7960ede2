"""All processors work: a whole build runs an engine of the CPU, and the finishing, once on each."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildsys.make.events import WorkerStarted
from buildsys.make.progress import Event
from buildsys.make.schedule import default_jobs
from buildsys.session import Session
from buildsys.workbench import build

CARD = """\
name = "meeting"
version = "1.0.0"
summary = "Draws once all processes are there"
determinism = "bitwise"
parallel = true

[parameters.wait]
type = "integer"
required = true
doc = "For how many processes."
"""

ADAPTER = '''\
"""Draws once all processes are there."""

import os
import time
from pathlib import Path

from engines.protocol import Done, EngineError, ErrorKind

MEETING = Path(MEETING_AT)


def load(opening):
    return Meeting()


class Meeting:
    def environment(self):
        return {}

    def render(self, requests, report):
        from PIL import Image

        for request in requests:
            (MEETING / str(os.getpid())).touch()
            until = time.monotonic() + 60
            while len(list(MEETING.iterdir())) < request.parameters["wait"]:
                if time.monotonic() > until:
                    raise EngineError(ErrorKind.BAD_REQUEST, "nobody else came")
                time.sleep(0.02)
            Image.new("RGB", request.size, (request.seed, 0, 0)).save(request.output)
            yield Done(id=request.id, output=request.output)
'''

ASSETS = """\
[project]
name = "test"

[engines.meeting]
adapter = "meeting.py"
sandbox = false  # its processes meet in a folder of the test's
wait = {wait}

[assets."dot-{{number}}"]
engine = "meeting"
prompt = "dot {{number}}"  # equal ones would take turns
seed = 1
size = [8, 8]
finish = [{{ resize = [{side}, {side}] }}]
matrix = {{ number = [{numbers}] }}
"""


@pytest.fixture
def meeting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose pictures are only made once there is a process for each processor."""
    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(tmp_path / "cache"))
    folder, project = tmp_path / "met", tmp_path / "project"
    folder.mkdir()
    project.mkdir()
    (project / "meeting.toml").write_text(CARD)
    (project / "meeting.py").write_text(ADAPTER.replace("MEETING_AT", repr(str(folder))))
    write(project, 4)
    return project


def write(project: Path, side: int) -> None:
    numbers = ", ".join(str(number) for number in range(4 * default_jobs()))
    text = ASSETS.format(wait=default_jobs(), side=side, numbers=numbers)
    (project / "assets.toml").write_text(text)


def started(project: Path, engine: str) -> int:
    """Processes of `engine` that a build of everything started."""
    events: list[Event] = []
    outcome, _ = build(Session.open(project), tell=events.append)
    assert len(outcome.built) == 4 * default_jobs(), outcome.failed
    return sum(isinstance(event, WorkerStarted) and event.engine == engine for event in events)


def test_an_engine_and_the_finishing_run_once_on_each_processor(meeting: Path) -> None:
    assert started(meeting, "meeting") == default_jobs()
    write(meeting, 5)  # only the finishing is to be done again, of all of them at once
    assert started(meeting, "finish") == default_jobs()
