"""The doit loop: what is stale becomes tasks, and doit runs them in order, on threads.

doit schedules; it never decides what is stale and keeps no state on disk. Nothing else imports it.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias

from doit.cmd_base import ModuleTaskLoader
from doit.doit_cmd import DoitMain
from doit.exceptions import TaskFailed

from buildsys.errors import ArtlockError
from buildsys.manifest.model import AssetName
from buildsys.plan import graph, order
from buildsys.plan.step import Step, Verdict

TaskDict: TypeAlias = dict[str, Any]

CONFIG: Final[Mapping[str, Any]] = {
    "backend": "sqlite3",
    "dep_file": ":memory:",
    "par_type": "thread",
    "continue": True,
    "verbosity": 0,
}
"""doit's settings. A database in memory: the lock is the only record, and doit's own would call an
edited output up to date (it compares times before bytes, and outputs only by their existence)."""


def tasks(
    steps: Iterable[Step], make: Callable[[AssetName], None], *, everything: bool
) -> Iterator[TaskDict]:
    """A doit task for each step, in the order in which to begin them.

    Args:
        steps: the plan's, each after those that it is made from.
        make: makes one asset; raises `ArtlockError`.
        everything: also those that need nothing, as plain doit users expect of `doit list`. A build
            leaves them out: doit costs 40 µs a task even when it does nothing.
    """
    listed = {step.name: step for step in steps if everything or step.verdict is not Verdict.FRESH}
    for step in order.arrange(listed.values()):
        yield {
            "basename": "build",
            "name": step.name,
            "doc": f"{step.verdict}: {step.output}",
            "actions": [] if step.verdict is Verdict.FRESH else [(_action, [make, step.name])],
            "task_dep": [f"build:{name}" for name in graph.upstream(step.asset) if name in listed],
            "uptodate": [step.verdict is Verdict.FRESH],
            # doit captures by replacing sys.stdout, which every thread shares.
            "io": {"capture": False},
        }


def _action(make: Callable[[AssetName], None], name: AssetName) -> TaskFailed | None:
    try:
        make(name)
    except ArtlockError as error:
        # Returned, not raised: doit would print a traceback for what is a message.
        return TaskFailed(str(error), report=True)
    return None


def run(task_dicts: Iterable[TaskDict], threads: int) -> None:
    """Run the tasks; what became of each is for `make` to note. Raises `KeyboardInterrupt`."""
    listed = list(task_dicts)

    def task_build() -> Iterator[TaskDict]:
        yield from listed

    config = {
        **CONFIG,
        "num_process": max(1, min(threads, len(listed))),
        "reporter": _Silent,
        # Each by its name. Of their group, doit would take up last whatever had to wait for another task.
        "default_tasks": [f"{task['basename']}:{task['name']}" for task in listed],
    }
    loader = ModuleTaskLoader({"task_build": task_build, "DOIT_CONFIG": config})
    # No configuration file: a `[tool.doit]` of the game's own pyproject.toml is not about us.
    with _slender_threads():
        code = DoitMain(loader, config_filenames=()).run(["run"])
    if code == _DOIT_BROKE:
        raise AssertionError("doit could not load its tasks")


_DOIT_BROKE: Final = 3

STACK: Final = 2**20
"""Bytes of a thread's stack. They wait more than they work; Python's own calls take none of it."""


_ARENA_MAX: Final = -8
"""`M_ARENA_MAX` of glibc's `malloc.h`."""


@contextmanager
def _slender_threads() -> Iterator[None]:
    """Threads that start within take few addresses, of which a limit (`ulimit -v`) may leave few.

    128 of them would reserve a gigabyte for stacks of the system's 8 MB, and glibc 64 MB for the heap of
    nearly each, on a machine with many processors. One heap serves all: they hold Python's own lock anyway.
    """
    before = threading.stack_size(STACK)
    with suppress(OSError, AttributeError):  # another C library, which has no such heaps
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
    try:
        yield
    finally:
        threading.stack_size(before)


def threads_for(jobs: int) -> int:
    """How many assets are under way at once.

    Far more than `jobs`: nearly all of them wait for an engine. The pool can only batch, and only stay
    with a model, among those that wait; eight devices with batches of four want 64, so that the next
    batch of each is there when the last one ends. A thread that waits was measured to take 25 kB of
    memory, and 300 small assets on two processors 12.5 s with 8 threads, 9.6 s
    with 64 and with 128, and no less with 256.
    """
    return max(128, 4 * jobs)


def default_jobs() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Silent:
    """A doit reporter that says nothing: the build has its own display."""

    desc = "silent"

    def __init__(self, outstream: object, options: object) -> None:
        del outstream, options

    def initialize(self, tasks: object, selected_tasks: object) -> None:
        """Before the first task."""

    def get_status(self, task: object) -> None:
        """Before a task is looked at."""

    def execute_task(self, task: object) -> None:
        """A task starts."""

    def add_failure(self, task: object, fail: object) -> None:
        """A task failed."""

    def add_success(self, task: object) -> None:
        """A task is done."""

    def skip_uptodate(self, task: object) -> None:
        """A task has nothing to do."""

    def skip_ignore(self, task: object) -> None:
        """A task is ignored."""

    def cleanup_error(self, exception: object) -> None:
        """A clean-up failed."""

    def runtime_error(self, msg: str) -> None:
        """A failure of doit itself: not a message for a person, but never silent either."""
        raise AssertionError(msg)

    def teardown_task(self, task: object) -> None:
        """A task is torn down."""

    def complete_run(self) -> None:
        """After the last task."""
