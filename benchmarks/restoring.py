"""What it takes to bring back the small pictures of a whole game, against copying and hashing them by hand.

From a warm store, from git alone, and a build that finds everything in place. By hand means: `cp -r` of the
same files and `sha256sum` of the copies, which syncs nothing. Times are of whole commands.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import checkout
import gallery
import result

_HANDS: Final = "cp -r ../game/out . && find out -type f -print0 | xargs -0 sha256sum > sums"


def main() -> None:
    """Measure, print, and write what is asked for."""
    parser = result.arguments(__doc__ or "")
    parser.add_argument("--assets", type=int, default=10_000, metavar="N", help="pictures of 16 x 16")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of which the median is told")
    options = parser.parse_args()
    if options.small:
        options.assets, options.rounds = 70, 1
    began = result.start()
    with _folder(options.work) as work:
        result.tell(f"a game of {options.assets} pictures")
        gallery.fill(work / "game", work / "cache", options.assets)
        cases = {case: _measured(case, work, options.rounds) for case in _CASES}
    hand = statistics.median(cases["by hand"]["seconds"])
    for found in cases.values():
        found["ratio"] = statistics.median(found["seconds"]) / hand
    results = {"assets": options.assets, "cases": cases}
    result.publish("restoring", results, (_table(cases, options),), options, began)


def _measured(case: str, work: Path, rounds: int) -> dict[str, Any]:
    found: dict[str, Any] = {"seconds": [], "processor_seconds": []}
    prepare, command, folder = _CASES[case](work)
    environ = checkout.environment(work / ("empty" if case == "build, from git" else "cache"))
    for _ in range(rounds):
        result.tell(case)
        prepare()
        before, start = _processor(), time.monotonic()
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False)
        found["seconds"].append(time.monotonic() - start)
        found["processor_seconds"].append(_processor() - before)
        if done.returncode:
            sys.exit(f"{case}: exit {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}")
    found["files"] = sum(1 for path in (folder / "out").rglob("*.png"))
    return found


Case = tuple[Callable[[], object], list[str], Path]


def _put_away(folder: Path, work: Path) -> None:
    """Have nothing at `folder`.

    Moved, not removed: ext4 gives a freed inode away only after minutes, and looks through all of them for
    each new file. A fresh checkout has none.
    """
    if folder.exists():
        folder.rename(Path(tempfile.mkdtemp(dir=work)) / folder.name)


def _from_store(work: Path) -> Case:
    return lambda: _put_away(work / "game" / "out", work), _BUILD, work / "game"


def _fresh(work: Path) -> Case:
    return lambda: None, _BUILD, work / "game"


def _plan(work: Path) -> Case:
    return lambda: None, checkout.artlock("plan", "--json"), work / "game"


def _by_hand(work: Path) -> Case:
    def clear() -> None:
        _put_away(work / "hand", work)
        (work / "hand").mkdir()

    return clear, ["sh", "-c", _HANDS], work / "hand"


def _from_git(work: Path) -> Case:
    game = work / "game"

    def clear() -> None:
        if not (game / ".git").exists():
            _git(game, "init", "--quiet")
            (game / ".gitignore").write_text(".artlock/\n", encoding="utf-8")
            _git(game, "add", "--all")
            _git(game, "commit", "--quiet", "--message=art")
        _put_away(work / "empty", work)
        _put_away(game / "out", work)

    return clear, _BUILD, game


def _git(folder: Path, *words: str) -> None:
    person = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.invalid")
    subprocess.run(["git", *person, *words], cwd=folder, check=True)


_BUILD: Final = checkout.artlock("build", "--json")
_CASES: Final[dict[str, Callable[[Path], Case]]] = {
    "build, from the store": _from_store,
    "by hand": _by_hand,
    "build, nothing to do": _fresh,
    "plan, nothing to do": _plan,
    "build, from git": _from_git,
}


def _processor() -> float:
    """Seconds that processors worked for commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _table(cases: dict[str, Any], options: argparse.Namespace) -> result.Table:
    rows = tuple(
        (
            case,
            f"{statistics.median(found['seconds']):.2f}",
            f"{statistics.median(found['processor_seconds']):.2f}",
            f"{found['ratio']:.1f}",
        )
        for case, found in cases.items()
    )
    title = f"restoring: {options.assets} pictures of 16 x 16, median of {options.rounds}"
    return result.Table(title, ("case", "seconds", "of processors", "against by hand"), rows)


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    main()
