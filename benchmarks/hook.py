"""Hook: what `artlock check --staged` takes before a commit of the demo, and `textconv` of a picture.

One seed of the demo is changed, built and staged, as a person would. The commands follow each other in the
same repository, one round after the other. Beside the clock, which other programs at work slow down, stands
time of the processor, user and system, with that of git where artlock asks it.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import checkout
import result
from check import cpu_seconds
from result import Table

_AUTHOR: Final = ("-c", "user.name=Ada", "-c", "user.email=ada@example.invalid")
_DEMO: Final = ("assets.toml", "assets.lock", "out")
_CHANGE: Final = ("seed   = 7", "seed   = 8")
"""Of the painted gems in the demo's manifest, and so of what is made from them."""
_PICTURE: Final = "out/items/gem-ruby.png"
_UNKNOWN: Final = "unknown.png"
"""A picture that the lock says nothing of."""
_TARGET_MS: Final = 200

Environ = Mapping[str, str]


class Case(NamedTuple):
    """A command that is measured, and what is done before it."""

    words: Sequence[str]
    before: Callable[[Path, Environ], object] = lambda _folder, _environ: None


def _run(folder: Path, environ: Environ, *words: str) -> None:
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"`{' '.join(words)}` ended with {done.returncode}:\n{done.stderr[-2000:]}")


def _stage(folder: Path, environ: Environ) -> None:
    _run(folder, environ, "git", "add", *_DEMO)


def _built(folder: Path, environ: Environ) -> None:
    """As a build of everything leaves it: no check has run since."""
    (folder / ".artlock" / "agreement").unlink(missing_ok=True)
    _run(folder, environ, *checkout.artlock("build"))
    _stage(folder, environ)


def _forgotten(folder: Path, environ: Environ) -> None:
    """As a fresh clone lies there: nothing is known of its files."""
    shutil.rmtree(folder / ".artlock", ignore_errors=True)
    _stage(folder, environ)


def _unstaged(folder: Path, environ: Environ) -> None:
    _run(folder, environ, "git", "reset", "--quiet")


_STAGED: Final = checkout.artlock("check", "--staged")
CASES: Final = {
    "check --staged, fresh clone": Case(_STAGED, _forgotten),
    "check --staged, after a build": Case(_STAGED, _built),
    "check --staged, again": Case(_STAGED),
    "check --staged --full": Case([*_STAGED, "--full"]),
    "check --staged, nothing staged": Case(_STAGED, _unstaged),
    "textconv, a picture of the lock": Case(checkout.artlock("git", "textconv", _PICTURE)),
    "textconv, an unknown picture": Case(checkout.artlock("git", "textconv", _UNKNOWN)),
    "git status": Case(("git", "status", "--porcelain"), _stage),
    "python -c pass": Case((sys.executable, "-c", "pass")),
}
_PEER: Final = "python -c pass"
_BOUND: Final = ("check --staged, after a build", "check --staged, again", "check --staged, nothing staged")
"""What a commit waits for, day by day; the target is theirs."""


def main() -> None:
    """Measure, and tell."""
    parser = result.arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=15, help="how often each is run")
    options = parser.parse_args()
    if options.small:
        options.rounds = 1
    began = result.start()
    with tempfile.TemporaryDirectory() as temporary:
        results = _measured(options.work or Path(temporary), options.rounds)
    result.publish("hook", results, _tables(results), options, began)


def _measured(work: Path, rounds: int) -> dict[str, Any]:
    folder = work / "game"
    # With its code compiled, as it is installed.
    environ = checkout.environment(work / "store", PYTHONPYCACHEPREFIX=str(work / "compiled"))
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    result.tell("building the demo with one seed changed")
    _prepare(folder, environ)
    cpu: dict[str, list[float]] = {name: [] for name in CASES}
    wall: dict[str, list[float]] = {name: [] for name in CASES}
    for number in range(rounds + 1):  # the first compiles, and fills the caches of the disk
        result.tell(f"round {number} of {rounds}")
        for name, case in CASES.items():
            case.before(folder, environ)
            began = time.perf_counter()
            spent = cpu_seconds(case.words, folder, environ)
            if number:
                wall[name].append(time.perf_counter() - began)
                cpu[name].append(spent)
    return {
        "rounds": rounds,
        "target_ms": _TARGET_MS,
        "slowest_median_ms": 1000 * max(statistics.median(cpu[name]) for name in _BOUND),
        "cases": {
            name: {
                "cpu_seconds": cpu[name],
                "wall_seconds": wall[name],
                "cpu_median": statistics.median(cpu[name]),
                "wall_median": statistics.median(wall[name]),
                "ratio": statistics.median(cpu[name]) / max(statistics.median(cpu[_PEER]), 0.001),
            }
            for name in CASES
        },
    }


def _prepare(folder: Path, environ: Environ) -> None:
    """The demo as a repository of its own, with a change that is built, and staged."""
    folder.mkdir(parents=True)
    for name in _DEMO:
        source = checkout.ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    (folder / ".gitignore").write_text("/.artlock/\n", encoding="utf-8")
    (folder / ".gitattributes").write_text("/out/** -text\n", encoding="utf-8")
    _run(folder, environ, "git", "init", "--quiet")
    _run(folder, environ, "git", "add", "--all")
    _run(folder, environ, "git", *_AUTHOR, "commit", "--quiet", "--message=art")
    shutil.copy(folder / _PICTURE, folder / _UNKNOWN)
    with (folder / _UNKNOWN).open("ab") as file:
        file.write(b"other bytes than the lock has")
    manifest = folder / "assets.toml"
    text = manifest.read_text(encoding="utf-8")
    if _CHANGE[0] not in text:
        sys.exit(f"the demo's manifest has no `{_CHANGE[0]}`")
    manifest.write_text(text.replace(*_CHANGE, 1), encoding="utf-8")
    _run(folder, environ, *checkout.artlock("build"))
    _stage(folder, environ)


def _tables(results: Mapping[str, Any]) -> tuple[Table, ...]:
    rows = tuple(
        (
            name,
            f"{1000 * case['cpu_median']:.0f}",
            f"{1000 * min(case['cpu_seconds']):.0f}",
            f"{1000 * case['wall_median']:.0f}",
            f"{case['ratio']:.1f}",
        )
        for name, case in results["cases"].items()
    )
    headings = ("command", "cpu ms, median", "cpu ms, least", "wall ms, median", "times python -c pass")
    slowest = (
        "ms of processor before a commit",
        f"under {_TARGET_MS}",
        f"{results['slowest_median_ms']:.0f}",
    )
    return (
        Table(f"hook: the demo, one seed changed, {results['rounds']} rounds", headings, rows),
        Table("hook: target", ("target", "wanted", "measured"), (slowest,)),
    )


if __name__ == "__main__":
    main()
