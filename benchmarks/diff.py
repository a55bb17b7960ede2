"""Diff: what `artlock diff` of many changed pictures takes, against reg-cli on the same pictures.

reg-cli compares two folders; artlock reads both sides out of git, too, and tells more of each pair: a
perceptual hash, PSNR and SSIM beside the changed pixels. Both use as many processes as there are cores.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import checkout
import redrawn
import result
from memory import Meter
from result import Table

_REG_CLI: Final = "reg-cli@0.18.16"
_MIB: Final = 2**20


def main() -> None:
    """Measure, and tell."""
    parser = result.arguments(__doc__ or "")
    parser.add_argument("--assets", type=int, default=1000, help="changed pictures")
    parser.add_argument("--side", type=int, default=512, help="pixels of each side of a picture")
    options = parser.parse_args()
    if options.small:
        options.assets, options.side = 8, 32
    began = result.start()
    with tempfile.TemporaryDirectory() as temporary:
        results = _measured(options.work or Path(temporary), options)
    result.publish("diff", results, (_table(results),), options, began)


def _measured(work: Path, options: Any) -> dict[str, Any]:  # noqa: ANN401 - argparse gives no type
    game, store = work / "game", work / "store"
    result.tell(f"drawing {options.assets} pictures twice")
    redrawn.write_history(game, options.assets, options.side)
    environ = checkout.environment(store)
    first = checkout.artlock("diff", "HEAD~1..HEAD", "--json")
    cases = {}
    cases["artlock diff, first"], told = _case(first, game, environ)
    cases["artlock diff, again"], again = _case(first, game, environ)
    if told != again:
        sys.exit("the second diff told other numbers than the first")
    changes = json.loads(told)["changes"]
    if len(changes) != options.assets or any(change["measure"] is None for change in changes):
        sys.exit("not every picture was measured")
    for case in cases.values():
        case["output_bytes"] = len(told)
    page = work / "review" / "index.html"
    page.parent.mkdir()
    words = checkout.artlock("diff", "HEAD~1..HEAD", "--html", str(page))
    shutil.rmtree(store, ignore_errors=True)
    for name in ("artlock diff --html, first", "artlock diff --html, again"):
        cases[name], _ = _case(words, game, environ)
        cases[name]["output_bytes"] = _size(page.parent)
    program = _reg_cli(work, npm=not options.small)
    if program is not None:
        cases["reg-cli"] = _of_reg_cli(program, work, game, environ, options.assets)
    return {"assets": options.assets, "side": options.side, "cases": cases}


def _of_reg_cli(
    program: Path, work: Path, game: Path, environ: Mapping[str, str], assets: int
) -> dict[str, Any]:
    for name, revision in (("expected", "HEAD~1"), ("actual", "HEAD")):
        redrawn.export(game, revision, work / name)
    cores = len(os.sched_getaffinity(0))
    words = [str(program), "actual", "expected", "difference", "--ignoreChange"]
    words += ["--report", "report.html", "--json", "reg.json", "--concurrency", str(cores)]
    case, _ = _case(words, work, environ)
    told = json.loads((work / "reg.json").read_text(encoding="utf-8"))
    if len(told["failedItems"]) != assets:
        sys.exit(f"reg-cli found {len(told['failedItems'])} of {assets} changes")
    case["output_bytes"] = sum(_size(work / name) for name in ("difference", "report.html", "reg.json"))
    return case


def _case(words: Sequence[str], folder: Path, environ: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """Seconds of the wall clock and peak memory of a command with all that it starts, and its output."""
    result.tell(f"running {' '.join(Path(word).name for word in words[:4])}")
    with tempfile.TemporaryFile("w+") as out, Meter("cpu") as meter:
        began = time.perf_counter()
        code = subprocess.run(words, cwd=folder, env=environ, stdout=out, check=False).returncode
        seconds = time.perf_counter() - began
        out.seek(0)
        told = out.read()
    if code:
        sys.exit(f"`{' '.join(words)}` ended with {code}:\n{told[-2000:]}")
    return {"seconds": seconds, "peak_bytes": meter.highest}, told


def _reg_cli(work: Path, *, npm: bool) -> Path | None:
    """reg-cli, where it is installed or npm can install it; a short run asks no network."""
    if found := shutil.which("reg-cli"):
        return Path(found)
    if not npm or shutil.which("npm") is None:
        result.tell("there is no reg-cli: left out")
        return None
    words = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(work / "npm"), _REG_CLI]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        result.tell(f"npm can't install reg-cli: {done.stderr[-500:]}")
        return None
    return work / "npm" / "node_modules" / ".bin" / "reg-cli"


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file())


def _table(results: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            name,
            f"{case['seconds']:.1f}",
            f"{case['seconds'] / results['assets'] * 1000:.0f}",
            f"{case['peak_bytes'] / _MIB:.0f}",
            f"{case['output_bytes'] / _MIB:.1f}",
        )
        for name, case in results["cases"].items()
    )
    title = f"diff: {results['assets']} changed pictures of {results['side']} x {results['side']}"
    headings = ("command", "seconds", "ms a picture", "peak memory, MiB", "output, MiB")
    return Table(title, headings, rows)


if __name__ == "__main__":
    main()
