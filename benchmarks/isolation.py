"""The founding experiment: three models in turn, in memory that holds one of them and not three.

Compares one process for all (as it was, and careful), a process per picture, and artlock; and, as the
measure of what isolation costs, a plain loop that only ever runs one model.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import loops
import models
import result
from loops import Case, Job
from project import Project
from result import Table, tell

SLACK: Final = 1.1
"""The limit over what the largest model alone needs."""
TITLES: Final = {
    "all": "all models in one process",
    "careful": "one process, one model at a time",
    "run_worker": "a process per picture",
    "artlock": "artlock",
    "plain": "plain loop, one model only",
}


def main() -> None:
    """Run every case and publish what they did."""
    options = _options()
    began = result.start()
    with tempfile.TemporaryDirectory(prefix="isolation-") as temporary:
        work = options.work or Path(temporary)
        results = measure(work, options)
    result.publish("isolation", results, tables(results), options, began)


def _options() -> argparse.Namespace:
    parser = result.arguments(__doc__ or "")
    parser.add_argument("--batches", type=int, help="one picture of one model each; 1000, or 9 with --small")
    parser.add_argument("--sample", type=int, help="pictures for the process per picture; 30, or 1")
    parser.add_argument("--size", type=int, default=128, help="pixels of a side")
    parser.add_argument("--steps", type=int, default=4, help="denoising steps")
    options = parser.parse_args()
    options.batches = options.batches or (9 if options.small else 1000)
    options.sample = options.sample or (1 if options.small else 30)
    return options


def measure(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All cases, each under the same limit. The plain loops run first: they say what one model needs."""
    tell("making three models")
    folders = {shape.name: models.make(work / shape.name, shape) for shape in models.THREE}
    jobs = shuffled(options, folders)
    plain = [_plain(work, jobs, threads) for threads in ([1] if options.small else [1, 2])]
    limit = int(max(case.space for case in plain) * SLACK) // 10**6 * 10**6  # whole MB, as it is written
    cases = {
        "all": loops.run(work / "all", jobs, limit=limit, keep="all"),
        "careful": loops.run(work / "careful", jobs, limit=limit, keep="one"),
        "run_worker": loops.run_worker(work / "worker", _sample(jobs, options.sample), limit=limit),
        "artlock": _artlock(work, jobs, options, limit),
        "plain": min(plain, key=lambda case: case.seconds_per_picture),
    }
    ours = cases["artlock"].seconds_per_picture
    return {
        "batches": options.batches,
        "size": options.size,
        "steps": options.steps,
        "limit_bytes": limit,
        "model_bytes": {name: models.size_of(folder) for name, folder in folders.items()},
        "cases": {name: asdict(case) for name, case in cases.items()},
        "plain_by_threads": {str(case.threads): case.seconds_per_picture for case in plain},
        "failed_per_100": cases["artlock"].failed_per_100,
        "times_faster_than_run_worker": cases["run_worker"].seconds_per_picture / ours,
        "time_over_plain_loop": ours / cases["plain"].seconds_per_picture,
    }


def shuffled(options: argparse.Namespace, folders: dict[str, Path]) -> list[Job]:
    """One picture a batch, the models in a fixed random order."""
    names = [list(folders)[number % len(folders)] for number in range(options.batches)]
    random.Random(5).shuffle(names)  # noqa: S311 - an order, not a secret
    return [
        Job(
            number=number,
            name=name,
            model=str(folders[name]),
            prompt=f"a {('moon knight', 'brass key', 'red potion')[number % 3]}, number {number}",
            seed=number,
            size=options.size,
            steps=options.steps,
            guidance=4.5,
        )
        for number, name in enumerate(names)
    ]


def _plain(work: Path, jobs: Sequence[Job], threads: int) -> Case:
    """One process for each model's jobs, without a limit, told as one: the mean start, and all pictures."""
    single = []
    for name in sorted({job.name for job in jobs}):
        own = [job for job in jobs if job.name == name]
        single.append(loops.run(work / f"plain-{threads}-{name}", own, threads=threads))
    return loops.together(single)


def _sample(jobs: Sequence[Job], count: int) -> Sequence[Job]:
    return jobs[:: max(1, len(jobs) // count)][:count]


def _artlock(work: Path, jobs: Sequence[Job], options: argparse.Namespace, limit: int) -> Case:
    tell(f"artlock: {len(jobs)} batches")
    project = Project(work / "artlock", manifest(jobs, options, limit))
    # Inherited as well as in the manifest: the experiment must hold whatever the product enforces.
    built = project.build(limit)
    made = len(built.outcome.get("built", ()))
    failures = built.outcome.get("failed", ())
    return Case(
        batches=len(jobs),
        failed=len(jobs) - made,
        seconds=built.watched.seconds,
        memory=built.watched.memory,
        space=built.watched.space,
        loads=built.watched.loads.get("diffusion", 0),
        errors=loops.counted(str(item.get("message", item)) for item in failures),
    )


def manifest(jobs: Sequence[Job], options: argparse.Namespace, limit: int) -> dict[str, Any]:
    """The same jobs as a project: an engine for each model, an asset for each batch."""
    return {
        "roles": {"sprite": jobs[0].name},
        "engines": {
            job.name: {
                "adapter": "diffusion",
                "model": job.model,
                "steps": options.steps,
                "guidance": job.guidance,
                "max_sequence_length": 77,
                "limits": {"memory": f"{limit // 10**6} MB"},
            }
            for job in jobs
        },
        "assets": {
            f"batch-{job.number:04}": {
                "role": "sprite",
                "engine": job.name,
                "prompt": job.prompt,
                "seed": job.seed,
                "size": [job.size, job.size],
            }
            for job in jobs
        },
    }


def tables(results: dict[str, Any]) -> tuple[Table, ...]:
    """What people read."""
    rows = []
    for name, case in results["cases"].items():
        sampled = case["batches"] < results["batches"]
        rows.append(
            (
                TITLES[name] + (f" (sample of {case['batches']})" if sampled else ""),
                f"{case['failed_per_100']:.1f}",
                f"{case['seconds_per_picture']:.3f}",
                f"{case['memory'] / 2**20:.0f}",
                f"{case['loads']}",
            )
        )
    headings = ("case", "failed of 100", "seconds a picture", "peak memory, MiB", "loads")
    limit = f"{results['limit_bytes'] / 2**20:.0f} MiB of address space a process"
    title = f"isolation: {results['batches']} batches, three models, {limit}"
    targets = Table(
        "isolation: targets",
        ("target", "wanted", "measured"),
        (
            ("artlock's failed batches of 100", "0", f"{results['failed_per_100']:g}"),
            (
                "times faster than a process per picture",
                "10 or more",
                f"{results['times_faster_than_run_worker']:.1f}",
            ),
            ("time a picture, plain loop = 1", "1.05 or less", f"{results['time_over_plain_loop']:.2f}"),
        ),
    )
    return Table(title, headings, tuple(rows)), targets


if __name__ == "__main__":
    main()
