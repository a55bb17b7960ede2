"""The ways to do without artlock, each run as a process and accounted for: failures, time, memory, loads.

Knows nothing of artlock.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import checkout
import watch
from project import limited
from result import tell

_LOOP: Final = checkout.HERE / "diffusers_loop.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One batch: one picture of one model."""

    number: int
    name: str
    """Of the model."""
    model: str
    """Its folder."""
    prompt: str
    seed: int
    size: int
    steps: int
    guidance: float


@dataclass(slots=True, kw_only=True)
class Case:
    """What became of a run."""

    batches: int
    failed: int
    seconds: float
    """From the start of the first process to the end of the last."""
    memory: int
    """Peak of all processes together, in bytes."""
    space: int
    """Peak address space of one process, in bytes."""
    loads: int
    """How often a model was loaded."""
    errors: dict[str, int] = field(default_factory=dict)
    threads: int = 1
    start_seconds: float = 0.0
    """Of `seconds`, what no picture took: imports, loading, the end."""
    failed_per_100: float = field(init=False)
    seconds_per_picture: float = field(init=False)
    """All seconds over the pictures that were made; 0 where none was."""

    def __post_init__(self) -> None:
        made = self.batches - self.failed
        self.failed_per_100 = 100 * self.failed / self.batches
        self.seconds_per_picture = self.seconds / made if made else 0.0


def run(folder: Path, jobs: Sequence[Job], *, limit: int = 0, keep: str = "all", threads: int = 1) -> Case:
    """One process that does `jobs` in order; where it dies, its batch is lost and a new one goes on.

    `limit`: bytes of address space, 0 for none. `keep`: `all` models that were loaded, or `one`.
    """
    folder.mkdir(parents=True)
    tell(f"{folder.name}: {len(jobs)} batches")
    case = Case(batches=len(jobs), failed=0, seconds=0, memory=0, space=0, loads=0, threads=threads)
    errors: list[str] = []
    pictures = 0.0
    left = list(jobs)
    while left:
        log = folder / f"{len(left)}.log"
        watched = _process(folder, left, log, limit=limit, keep=keep, threads=threads)
        notes = [json.loads(line) for line in _lines(log)]
        done = [note for note in notes if "job" in note]
        case.loads += sum("loaded" in note for note in notes)
        case.seconds += watched.seconds
        case.memory = max(case.memory, watched.memory)
        case.space = max(case.space, watched.space)
        pictures += sum(note["seconds"] for note in done)
        errors += [note["error"] for note in done if note["error"]]
        left = left[len(done) :]
        if watched.code != 0 and not done and not notes:
            sys.exit(f"`{_LOOP.name}` did not start:\n{watched.output}")
        if left:
            errors.append(f"the process ended with {watched.code}")
            left = left[1:]
    case.start_seconds = case.seconds - pictures
    case.failed, case.errors = len(errors), counted(errors)
    case.__post_init__()
    return case


def run_worker(folder: Path, jobs: Sequence[Job], *, limit: int) -> Case:
    """The story's own way: a fresh process for every picture, which imports, loads, draws and ends."""
    return _sum([run(folder / str(job.number), [job], limit=limit) for job in jobs])


def together(cases: Sequence[Case]) -> Case:
    """Loops over one model each as if they had been one: a single start, the mean of theirs."""
    case = _sum(cases)
    spare = case.start_seconds * (1 - 1 / len(cases))
    case.start_seconds -= spare
    case.seconds -= spare
    case.loads = 1
    case.__post_init__()
    return case


def counted(errors: Iterable[str]) -> dict[str, int]:
    """How often each was said, the most frequent first, ten at most."""
    return dict(Counter(errors).most_common(10))


def _sum(cases: Sequence[Case]) -> Case:
    errors: Counter[str] = Counter()
    for case in cases:
        errors.update(case.errors)
    return Case(
        batches=sum(case.batches for case in cases),
        failed=sum(case.failed for case in cases),
        seconds=sum(case.seconds for case in cases),
        memory=max(case.memory for case in cases),
        space=max(case.space for case in cases),
        loads=sum(case.loads for case in cases),
        errors=dict(errors),
        threads=cases[0].threads,
        start_seconds=sum(case.start_seconds for case in cases),
    )


def _process(
    folder: Path, jobs: Sequence[Job], log: Path, *, limit: int, keep: str, threads: int
) -> watch.Watched:
    order: dict[str, Any] = {"keep": keep, "threads": threads, "jobs": []}
    for job in jobs:
        order["jobs"].append({**asdict(job), "output": str(folder / f"{job.number}.png")})
    file = folder / "jobs.json"
    file.write_text(json.dumps(order), encoding="utf-8")
    command = [sys.executable, str(_LOOP), str(file), str(log)]
    if limit:
        command = limited(limit, command)
    return watch.run(command, cwd=folder, environ=os.environ, log=folder / "output.txt")


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
