"""Whether the build system costs time: `artlock build` against a plain loop over the same library calls.

Stock icons with finish steps, and small Stable Diffusion 3 pictures. The loop is the best case of a
script: one process, every engine loaded once, the adapters' own functions, no store and no hashes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice, product
from pathlib import Path
from typing import Any, Final

import checkout
import models
import result
import watch
from project import Project
from result import Table, tell

_LOOP: Final = checkout.HERE / "engines_loop.py"
_THINGS: Final = (
    "sword", "red potion", "wooden shield", "gold coin", "treasure chest", "castle", "dragon", "key",
    "magic wand", "crown", "axe", "bow", "helmet", "scroll", "blue gem", "skull", "torch", "boot",
    "ring", "spell book",
)  # fmt: skip
_STYLES: Final = ("painted", "pixel", "flat", "sticker")
_FINISHES: Final = (
    [{"trim": {}}, {"resize": {"size": [64, 64]}}],
    [{"pad": {"margin": [4]}}, {"outline": {"width": 2}}],
    [{"resize": {"size": [96, 96]}}, {"quantize": {"colors": 16}}],
    [{"trim": {}}, {"levels": {"gamma": 1.2}}, {"resize": {"size": [48, 48]}}],
)
_KINDS: Final = {"icons": "stock icons", "sd3": "small SD3 pictures"}


def main() -> None:
    """Time both ways for both kinds of picture, and publish the ratios."""
    parser = result.arguments(__doc__ or "")
    parser.add_argument("--icons", type=int, help="how many; 500, or 8 with --small")
    parser.add_argument("--pictures", type=int, help="how many of the SD3; 50, or 2 with --small")
    parser.add_argument("--runs", type=int, help="of which the median counts; 3, or 1 with --small")
    options = parser.parse_args()
    options.icons = options.icons or (8 if options.small else 500)
    options.pictures = options.pictures or (2 if options.small else 50)
    options.runs = options.runs or (1 if options.small else 3)
    began = result.start()
    with tempfile.TemporaryDirectory(prefix="throughput-") as temporary:
        work = options.work or Path(temporary)
        results = {"runs": options.runs, "kinds": dict(measure(work, options))}
    result.publish("throughput", results, tables(results), options, began)


def measure(work: Path, options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Both kinds in turn. The two ways alternate, so that a busy hour of the machine hits both."""
    folder = models.make(work / "model", models.THREE[0])
    for kind, manifest in (("icons", icons(options.icons)), ("sd3", pictures(options.pictures, folder))):
        builds, loops = [], []
        same = True
        for number in range(options.runs):
            tell(f"{_KINDS[kind]}: run {number + 1} of {options.runs}")
            project = Project(work / f"{kind}-{number}", manifest)
            built = project.build()
            if len(built.outcome["built"]) != len(manifest["assets"]):
                sys.exit(f"`artlock build` did not make everything:\n{built.watched.output}")
            builds.append(built.watched)
            loops.append(_loop(project))
            same = same and _same(project.folder)
        loop = statistics.median(item.seconds for item in loops)
        build = statistics.median(item.seconds for item in builds)
        yield (
            kind,
            {
                "pictures": len(manifest["assets"]),
                "loop_seconds": [item.seconds for item in loops],
                "artlock_seconds": [item.seconds for item in builds],
                "loop_median": loop,
                "artlock_median": build,
                "ratio": loop / build,
                "loop_memory": max(item.memory for item in loops),
                "artlock_memory": max(item.memory for item in builds),
                "same_bytes": same,
            },
        )


def icons(count: int) -> dict[str, Any]:
    """A project of stock icons, no two alike, each with one of four chains of finish steps."""
    mixed = islice(cycle(product(_THINGS, zip(_STYLES, _FINISHES, strict=True))), count)
    return {
        "roles": {"icon": "stock"},
        "assets": {
            f"icon-{number:03}": {
                "role": "icon",
                "prompt": thing,
                "seed": number,
                "size": [128, 128],
                "parameters": {"style": style},
                "finish": finish,
            }
            for number, (thing, (style, finish)) in enumerate(mixed)
        },
    }


def pictures(count: int, folder: Path) -> dict[str, Any]:
    """A project of small SD3 pictures, four drawn together, each made half as large."""
    return {
        "roles": {"sprite": "small"},
        "engines": {
            "small": {
                "adapter": "diffusion",
                "model": str(folder.resolve()),
                "steps": 4,
                "guidance": 4.5,
                "max_sequence_length": 77,
                "batch": 4,
            }
        },
        "assets": {
            f"picture-{number:03}": {
                "role": "sprite",
                "prompt": f"{_THINGS[number % len(_THINGS)]} in moonlight",
                "seed": number,
                "size": [128, 128],
                "finish": [{"resize": {"size": [64, 64]}}],
            }
            for number in range(count)
        },
    }


def _loop(project: Project) -> watch.Watched:
    """The same requests, from the manifest that artlock read, to the same functions."""
    requests = project.folder / "requests.json"
    requests.write_text(json.dumps(_requests(project)), encoding="utf-8")
    command = [sys.executable, str(_LOOP), str(requests), str(project.folder / "loop")]
    log = project.folder / "loop.log"
    seen = watch.run(command, cwd=project.folder, environ=project.environ, log=log)
    if seen.code:
        sys.exit(f"`{_LOOP.name}` ended with {seen.code}:\n{seen.output}")
    return seen


def _requests(project: Project) -> list[dict[str, Any]]:
    """Each asset with its engine, parameters and steps resolved, as the manifest's reader resolves them."""
    sys.path.insert(0, str(checkout.ROOT))
    from buildsys.manifest.read import read  # noqa: PLC0415 - of this checkout, not of an installed artlock

    manifest = read(project.folder)
    return [
        {
            "name": asset.name,
            "adapter": manifest.engines[asset.engine].card.name,
            "model": manifest.engines[asset.engine].model,
            "settings": dict(manifest.engines[asset.engine].settings),
            "prompt": asset.prompt,
            "seed": asset.seed,
            "size": asset.size,
            "parameters": dict(asset.parameters),
            "steps": [[step.name, dict(step.parameters)] for step in asset.finish],
        }
        for asset in manifest.assets.values()
    ]


def _same(folder: Path) -> bool:
    """Whether both ways made the same files, byte by byte."""
    ours = {path.name: path.read_bytes() for path in (folder / "out").glob("*.png")}
    theirs = {path.name: path.read_bytes() for path in (folder / "loop").glob("*.png")}
    return bool(ours) and ours == theirs


def tables(results: dict[str, Any]) -> tuple[Table, ...]:
    """What people read."""
    rows = [
        (
            f"{kind['pictures']} {_KINDS[name]}",
            f"{kind['loop_median']:.1f}",
            f"{kind['artlock_median']:.1f}",
            f"{kind['ratio']:.2f}",
            f"{kind['loop_memory'] / 2**20:.0f}",
            f"{kind['artlock_memory'] / 2**20:.0f}",
            "yes" if kind["same_bytes"] else "no",
        )
        for name, kind in results["kinds"].items()
    ]
    headings = (
        "what",
        "loop, s",
        "artlock, s",
        "loop / artlock",
        "loop, MiB",
        "artlock, MiB",
        "same bytes",
    )
    title = f"throughput: median of {results['runs']}, target 1.0 or more"
    return (Table(title, headings, tuple(rows)),)


if __name__ == "__main__":
    main()
