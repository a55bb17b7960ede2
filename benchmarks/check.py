"""Check: what `artlock check`, `status` and a `build` with nothing to do take, against git and sha256sum.

All work on the same tree in turn, one round after the other. What is compared is time of the processor, user
and system: another program that works at the same time makes it no longer, or little.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import agreed
import checkout
import result
from result import Table

_AUTHOR: Final = ("-c", "user.name=Ada", "-c", "user.email=ada@example.invalid")


class Case(NamedTuple):
    """A command that is measured, and what is done before it."""

    words: Sequence[str]
    before: Callable[[Path], object] = lambda _: None
    code: int = 0
    """What it ends with."""


def _forgotten(folder: Path) -> None:
    """As a fresh clone lies there: nothing is known of its files."""
    shutil.rmtree(folder / ".artlock", ignore_errors=True)


def _painted(folder: Path) -> None:
    """As when a person saved a picture anew."""
    picture = min((folder / "out").iterdir())
    picture.write_bytes(picture.read_bytes() + b"x")


def _mended(folder: Path) -> None:
    """As when a person took that back."""
    picture = min((folder / "out").iterdir())
    picture.write_bytes(picture.read_bytes().removesuffix(b"x"))


CASES: Final = {
    "check, fresh clone": Case(checkout.artlock("check"), _forgotten),
    "check, again": Case(checkout.artlock("check")),
    "check, one picture edited": Case(checkout.artlock("check"), _painted, 1),
    "check, that taken back": Case(checkout.artlock("check"), _mended),
    "check --full": Case(checkout.artlock("check", "--full")),
    "status": Case(checkout.artlock("status")),
    "build, nothing to do": Case(checkout.artlock("build")),
    "git status": Case(("git", "status", "--porcelain")),
    "sha256sum of every file": Case(("sh", "-c", "sha256sum out/* assets.* >/dev/null")),
}
_PEER: Final = "sha256sum of every file"


def main() -> None:
    """Measure, and tell."""
    parser = result.arguments(__doc__ or "")
    parser.add_argument("--assets", type=int, default=10_000, help="how many")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is run")
    options = parser.parse_args()
    if options.small:
        options.assets, options.rounds = 20, 1
    began = result.start()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        results = _measured(work, options.assets, options.rounds)
    result.publish("check", results, (_table(results),), options, began)


def _measured(work: Path, assets: int, rounds: int) -> dict[str, Any]:
    folder = work / "game"
    result.tell(f"writing a project of {assets} assets")
    agreed.write_project(folder, assets)
    # With its code compiled, as it is installed.
    environ = checkout.environment(work / "store", PYTHONPYCACHEPREFIX=str(work / "compiled"))
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for words in (("init", "--quiet"), ("add", "--all"), (*_AUTHOR, "commit", "--quiet", "--message=art")):
        subprocess.run(["git", *words], cwd=folder, env=environ, check=True)
    spent: dict[str, list[float]] = {name: [] for name in CASES}
    for number in range(rounds + 1):  # the first compiles, and fills the caches of the disk
        result.tell(f"round {number} of {rounds}")
        for name, case in CASES.items():
            case.before(folder)
            seconds = cpu_seconds(case.words, folder, environ, case.code)
            if number:
                spent[name].append(seconds)
    medians = {name: statistics.median(found) for name, found in spent.items()}
    return {
        "assets": assets,
        "rounds": rounds,
        "cases": {
            name: {
                "seconds": found,
                "median": medians[name],
                "ratio": medians[name] / max(medians[_PEER], 0.001),
            }
            for name, found in spent.items()
        },
    }


def cpu_seconds(words: Sequence[str], folder: Path, environ: Mapping[str, str], code: int = 0) -> float:
    """Time of the processor that the command took, with all that it started and waited for."""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(words, cwd=folder, env=environ, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != code:
            out.seek(0)
            sys.exit(f"`{' '.join(words)}` ended with {process.returncode}:\n{out.read().decode()[-2000:]}")
    return usage.ru_utime + usage.ru_stime


def _table(results: Mapping[str, Any]) -> Table:
    rows = tuple(
        (name, f"{case['median']:.2f}", f"{min(case['seconds']):.2f}", f"{case['ratio']:.1f}")
        for name, case in results["cases"].items()
    )
    title = f"check: {results['assets']} assets, seconds of processor time, {results['rounds']} rounds"
    return Table(title, ("command", "median", "least", "times sha256sum"), rows)


if __name__ == "__main__":
    main()
