"""All processors work: a whole build runs an engine of the CPU, and the finishing, once on each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final

import msgspec
import pytest

from buildsys.make import schedule
from buildsys.make.events import WorkerLoading, WorkerStarted
from buildsys.make.made import Made
from buildsys.make.pool import Pool
from buildsys.make.progress import Event
from buildsys.make.schedule import default_jobs
from buildsys.manifest.cards import BUNDLED, FINISH
from buildsys.manifest.model import Engine
from buildsys.session import Session
from buildsys.workbench import Workbench
from engines.protocol import Request

CARD = """\
name = "meeting"
version = "1.0.0"
summary = "Draws once all processes are there"
determinism = "bitwise"
parallel = true
"""

MEETING = '''\
"""Makes a picture once all processes are there."""

import os
import time
from pathlib import Path

from engines.protocol import Done, EngineError, ErrorKind


PLACE = Path(PLACE_AT)
UNTIL = time.monotonic() + 60  # for all requests together, or a lost processor would take minutes to show


def meet():
    """Wait until as many processes as there are processors hold a request."""
    (PLACE / str(os.getpid())).touch()
    while len(list(PLACE.iterdir())) < PROCESSES:
        if time.monotonic() > UNTIL:
            raise EngineError(ErrorKind.BAD_REQUEST, "nobody else came")
        time.sleep(0.02)


'''

DRAWING = """\
def load(opening):
    return Meeting()


class Meeting:
    def environment(self):
        return {}

    def render(self, requests, report):
        from PIL import Image

        for request in requests:
            meet()
            Image.new("RGB", request.size, (request.seed, 0, 0)).save(request.output)
            yield Done(id=request.id, output=request.output)
"""

FINISHING = """\
def load(opening):
    from engines import finish

    return Meeting(finish.load(opening))


class Meeting:
    def __init__(self, finish):
        self.environment = finish.environment
        self.finish = finish

    def render(self, requests, report):
        meet()
        yield from self.finish.render(requests, report)
"""

ASSETS = """\
[project]
name = "test"

[engines.meeting]
adapter = "meeting.py"
sandbox = false  # its processes meet in a folder of the test's

[assets."dot-{{number}}"]
engine = "meeting"
prompt = "dot {{number}}"  # equal ones would take turns
seed = 1
size = [8, 8]
finish = [{{ resize = [4, 4] }}]
matrix = {{ number = [{numbers}] }}
"""

PICTURES: Final = 4 * default_jobs()


class FinishingTogether(Pool):
    """A pool whose finishing waits for company, too: a quick process would leave nothing for a slow one."""

    def submit(
        self, engine: Engine, request: Request, on_progress: Callable[[int, int], None] = lambda *_: None
    ) -> Future[Made]:
        if engine.name == FINISH:
            card = msgspec.structs.replace(engine.card, name="finishing.py")
            engine = msgspec.structs.replace(engine, card=card, sandbox=False)
        return super().submit(engine, request, on_progress)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose pictures are only made once there is a process for each processor."""
    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(tmp_path / "cache"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "meeting.toml").write_text(CARD)
    finish = (BUNDLED / FINISH / "adapter.toml").read_text(encoding="utf-8")
    (project / "finishing.toml").write_text(finish)
    for name, text in (("meeting", DRAWING), ("finishing", FINISHING)):
        place = tmp_path / name
        place.mkdir()
        meeting = MEETING.replace("PROCESSES", str(default_jobs())).replace("PLACE_AT", repr(str(place)))
        (project / f"{name}.py").write_text(meeting + text)
    numbers = ", ".join(map(str, range(PICTURES)))
    (project / "assets.toml").write_text(ASSETS.format(numbers=numbers))
    return project


def begun(events: list[Event]) -> Counter[str]:
    """How many processes of each engine were begun."""
    count: Counter[str] = Counter()
    loading: Counter[str] = Counter()
    for event in events:
        if isinstance(event, WorkerLoading):
            count[event.engine] += event.loading > loading[event.engine]
            loading[event.engine] = event.loading
    return count


def test_an_engine_and_the_finishing_run_once_on_each_processor(project: Path) -> None:
    events: list[Event] = []
    with Workbench(Session.open(project), tell=events.append, hire=FinishingTogether) as bench:
        outcome = bench.build.run(schedule.threads_for(bench.jobs), bench.pool.stop)
    assert len(outcome.built) == PICTURES, outcome.failed
    # All that were begun said hello: no picture is made before all are there.
    at_work = Counter(event.engine for event in events if isinstance(event, WorkerStarted))
    assert begun(events) == at_work == {"meeting": default_jobs(), FINISH: default_jobs()}
