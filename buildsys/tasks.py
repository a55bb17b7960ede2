"""What `dodo.py` imports: the build's tasks for plain doit.

Every asset is listed; what is stale was decided by artlock's plan when the tasks were made, never by
doit, which keeps no state on disk.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from doit.exceptions import InvalidTask

from buildsys.errors import ArtlockError
from buildsys.make import schedule
from buildsys.session import Session
from buildsys.workbench import Workbench

DOIT_CONFIG: Final[dict[str, Any]] = {
    **schedule.CONFIG,
    "verbosity": 2,
    "num_process": schedule.threads_for(schedule.default_jobs()),
    "default_tasks": ["build"],
}


def task_build() -> Iterator[dict[str, Any]]:
    """Game art, made where stale."""
    try:
        session = Session.open(Path())
        workbench = Workbench(session, command="doit")
    except ArtlockError as error:
        # The one exception that doit shows as a message instead of a traceback.
        raise InvalidTask(str(error)) from error
    # doit has no hook for the end of a run that also runs after ctrl-C.
    atexit.register(workbench.close)
    yield {"basename": "build", "name": None, "doc": "make what is stale, and write assets.lock"}
    yield from schedule.tasks(workbench.plan.steps.values(), workbench.build.make, everything=True)
