"""The schedule: many threads, in little room."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
from pathlib import Path

from buildsys.make import schedule

ROOT = Path(__file__).resolve().parent.parent

CROWD = """
import resource
import threading

from buildsys.make import schedule

resource.setrlimit(resource.RLIMIT_AS, ({space}, {space}))
everyone = threading.Barrier({threads})
tasks = [
    {{"basename": "build", "name": str(number), "actions": [everyone.wait], "io": {{"capture": False}}}}
    for number in range({threads})
]
schedule.run(tasks, {threads})
print("all met")
"""


def test_all_threads_start_in_a_small_address_space() -> None:
    threads = schedule.threads_for(1)
    # Less than their stacks alone would take at the system's size, which follows `ulimit -s`.
    space = 800 * 10**6
    code = CROWD.format(space=space, threads=threads)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=_usual_stacks,
    )
    assert done.stdout == "all met\n", done.stderr


def _usual_stacks() -> None:
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (8 * 2**20, hard))


def test_threads_that_start_later_have_the_size_that_they_had() -> None:
    before = threading.stack_size()
    schedule.run([{"basename": "build", "name": "one", "actions": [lambda: None]}], 1)
    assert threading.stack_size() == before
