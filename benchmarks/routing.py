"""Two models on one device: what a picture of each costs, and what it costs to change between them.

Stable Diffusion 3.5 Medium and Large Turbo in their real shapes, with random weights made on the
device, through artlock's own pool and adapter; printed beside the numbers of the founding story.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import checkout
import result
import shapes
from memory import Meter
from project import Project
from result import Table, tell

_STORY: Final = {"medium": 12.4, "turbo": 3.2, "mixed": 8.7}
"""Seconds a picture, as the founding story gives them. Its mixed average is what 6 Medium in 10 give."""
_STEPS: Final = {"medium": 40, "turbo": 4}
_GUIDANCE: Final = {"medium": 4.5, "turbo": 0.0}
_TITLES: Final = {"medium": "SD 3.5 Medium", "turbo": "SD 3.5 Large Turbo", "mixed": "mixed, whole build"}


def main() -> None:
    """Measure both models, the change between them, and a mixed build."""
    options = _options()
    began = result.start()
    with tempfile.TemporaryDirectory(prefix="routing-") as temporary:
        work = options.work or Path(temporary)
        results = measure(work, options)
    result.publish("routing", results, tables(results), options, began)


def _options() -> argparse.Namespace:
    parser = result.arguments(__doc__ or "")
    parser.add_argument("--device", default="", help="`cuda:0` or `cpu`; cpu with --small")
    parser.add_argument("--pictures", type=int, help="of Medium; of Turbo two thirds. 6, or 3 with --small")
    parser.add_argument("--size", type=int, help="pixels of a side; 512, or 64 with --small")
    parser.add_argument("--dtype", default="", help="number format; the adapter's own choice")
    options = parser.parse_args()
    options.device = options.device or ("cpu" if options.small else "cuda:0")
    options.pictures = options.pictures or (3 if options.small else 6)
    options.size = options.size or (64 if options.small else 512)
    return options


def measure(work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """First both models through a pool, one after the other; then a build that mixes them."""
    tell("writing configurations")
    folders = {
        "medium": shapes.medium(work / "medium", small=options.small),
        "turbo": shapes.large_turbo(work / "turbo", small=options.small),
    }
    counts = {"medium": options.pictures, "turbo": max(1, options.pictures * 2 // 3)}
    project = _project(work / "mixed", folders, counts, options)
    found = _one_after_the_other(project, counts, options)
    tell("a mixed build")
    built = project.build()
    if len(built.outcome["built"]) != sum(counts.values()):
        sys.exit(f"`artlock build` did not make everything:\n{built.watched.output}")
    return {
        "device": options.device,
        "size": options.size,
        "counts": counts,
        **found,
        "mixed": {
            "seconds": built.watched.seconds,
            "seconds_per_picture": built.watched.seconds / sum(counts.values()),
            "loads": built.watched.loads.get("random_weights", 0),
        },
        "story": dict(_STORY),
    }


def _project(
    folder: Path, folders: dict[str, Path], counts: dict[str, int], options: argparse.Namespace
) -> Project:
    """A project with an engine for each model and their assets in turn: what a mixed build is."""
    settings = {"device": options.device} | ({"dtype": options.dtype} if options.dtype else {})
    engines = {
        name: {
            "adapter": "tools/random_weights.py",
            "model": str(model.resolve()),
            "steps": _STEPS[name],
            "guidance": _GUIDANCE[name],
            "max_sequence_length": 256,
            **settings,
        }
        for name, model in folders.items()
    }
    assets = {
        f"{number:02}-{name}": {
            "role": "portrait",
            "engine": name,
            "prompt": f"moon knight, number {number}",
            "seed": number,
            "size": [options.size, options.size],
        }
        for name, count in counts.items()
        for number in range(count)
    }
    manifest = {"roles": {"portrait": "medium"}, "engines": engines, "assets": dict(sorted(assets.items()))}
    project = Project(folder, manifest)
    (folder / "tools").mkdir()
    for suffix in (".py", ".toml"):
        shutil.copy(checkout.HERE / f"random_weights{suffix}", folder / "tools")
    return project


def _one_after_the_other(
    project: Project, counts: dict[str, int], options: argparse.Namespace
) -> dict[str, Any]:
    """All of Medium, then all of Turbo, each picture timed alone, with the device's memory at each turn."""
    sys.path.insert(0, str(checkout.ROOT))
    from buildsys.make.events import WorkerStarted  # noqa: PLC0415 - of this checkout
    from buildsys.make.pool import Pool  # noqa: PLC0415
    from buildsys.manifest.read import read  # noqa: PLC0415
    from engines.protocol import Request  # noqa: PLC0415

    engines = read(project.folder).engines
    loaded: dict[str, tuple[float, float]] = {}

    def note(event: object) -> None:
        if isinstance(event, WorkerStarted):
            loaded[event.engine] = (time.monotonic(), event.seconds)

    found: dict[str, Any] = {"models": {}}
    with Meter(options.device) as meter:
        empty = meter.now()
        with Pool(project.folder / ".artlock", root=project.folder, jobs=1, on_event=note) as pool:
            for name, count in counts.items():
                tell(f"{_TITLES[name]}: {count} pictures")
                before = meter.now()
                meter.restart()
                asked = time.monotonic()
                seconds = []
                for number in range(count):
                    began = time.monotonic()
                    request = Request(
                        id=str(number),
                        asset=f"{name}-{number}",
                        output=f"{number}.png",
                        prompt=f"moon knight, number {number}",
                        seed=number,
                        size=(options.size, options.size),
                        parameters=dict(engines[name].parameters),
                    )
                    pool.render(engines[name], request)
                    now = time.monotonic()
                    seconds.append(now - max(began, loaded[name][0]))
                ready, load = loaded[name]
                found["models"][name] = {
                    "steps": _STEPS[name],
                    "load_seconds": load,
                    "ready_seconds": ready - asked,
                    "first_seconds": seconds[0],
                    "seconds_per_picture": statistics.median(seconds[1:] or seconds),
                    "memory": meter.now(),
                    "peak_memory": meter.highest,
                }
                if name == "turbo":
                    found["switch"] = {
                        "seconds": ready - asked,
                        "memory_empty": empty,
                        "memory_before": before,
                        "memory_lowest": meter.lowest,
                        "memory_after": meter.now(),
                    }
        found["switch"]["memory_closed"] = meter.now()
    return found


def tables(results: dict[str, Any]) -> tuple[Table, ...]:
    """What people read."""
    rows = [
        (
            _TITLES[name],
            str(model["steps"]),
            f"{model['load_seconds']:.1f}",
            f"{model['first_seconds']:.2f}",
            f"{model['seconds_per_picture']:.2f}",
            f"{model['peak_memory'] / 2**20:.0f}",
            f"{results['story'][name]:g}",
        )
        for name, model in results["models"].items()
    ]
    mixed = results["mixed"]["seconds_per_picture"]
    rows.append((_TITLES["mixed"], "", "", "", f"{mixed:.2f}", "", f"{results['story']['mixed']:g}"))
    switch = results["switch"]
    first = Table(
        f"routing on {results['device']}, {results['size']} x {results['size']}",
        ("model", "steps", "load, s", "first, s", "picture, s", "peak memory, MiB", "the story, s"),
        tuple(rows),
    )
    second = Table(
        "routing: from Medium to Turbo",
        ("", "measured"),
        (
            ("seconds until Turbo is ready", f"{switch['seconds']:.1f}"),
            *(
                (title, f"{switch[key] / 2**20:.0f}")
                for title, key in (
                    ("memory with nothing loaded, MiB", "memory_empty"),
                    ("memory before, MiB", "memory_before"),
                    ("lowest in between, MiB", "memory_lowest"),
                    ("memory after, MiB", "memory_after"),
                    ("memory when all is closed, MiB", "memory_closed"),
                )
            ),
        ),
    )
    return first, second


if __name__ == "__main__":
    main()
