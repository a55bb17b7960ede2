"""Log: the history of one asset by `artlock log`, against what git itself tells of its lines in the lock.

All ask the same repository, in turn, one round after the other. Each commit changes a few assets; the one
that is asked for is changed by some, and renamed by one. Compared is time of the processor, user and system,
of each command with all that it started.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, cast

import check
import checkout
import msgspec
import result
from result import Table

sys.path.insert(0, str(checkout.ROOT))

from buildsys import digest
from buildsys.lock.model import Lock
from buildsys.lock.write import LockFile
from buildsys.manifest.model import AssetName
from buildsys.plan import recipe
from buildsys.plan.record import Parts, Picture, Record

_PEER: Final = "git log -p -- assets.lock"
_EVERY: Final = 10
"""Of so many commits, one changes the asset that is asked for."""
_OTHERS: Final = 3
"""Other assets that each commit changes."""
_AUTHOR: Final = "Ada <ada@example.invalid>"
_BEGAN: Final = 1_767_225_600
_LINES: Final = "/^\\[assets.hero\\]$/,/^digest = /:assets.lock"
CASES: Final = {
    "artlock log hero": checkout.artlock("log", "hero"),
    "artlock log hero -n 5": checkout.artlock("log", "hero", "-n", "5"),
    "artlock log hero --prompt --json": checkout.artlock("log", "hero", "--prompt", "--json"),
    _PEER: ("git", "log", "-p", "--", "assets.lock"),
    "git log -L, its lines": ("git", "log", "-L", _LINES),
    "git log -S, its name": ("git", "log", "--oneline", "-S[assets.hero]", "--", "assets.lock"),
}


def main() -> None:
    """Measure, and tell."""
    parser = result.arguments(__doc__ or "")
    parser.add_argument("--sizes", default="200x1000,10000x100", help="assets x commits of each repository")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run")
    options = parser.parse_args()
    if options.small:
        options.sizes, options.rounds = "20x30", 1
    began = result.start()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        sizes = [tuple(map(int, size.split("x"))) for size in options.sizes.split(",")]
        found = [
            _measured(work / f"{assets}x{commits}", assets, commits, options.rounds)
            for assets, commits in sizes
        ]
    results = {"rounds": options.rounds, "repositories": found}
    result.publish("log", results, tuple(_table(item, options.rounds) for item in found), options, began)


def _measured(folder: Path, assets: int, commits: int, rounds: int) -> dict[str, Any]:
    result.tell(f"writing {commits} commits of {assets} assets")
    environ = checkout.environment(
        folder.with_name("store"), PYTHONPYCACHEPREFIX=str(folder.with_name("compiled"))
    )
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    versions, size = write_repository(folder, assets, commits)
    spent: dict[str, list[float]] = {name: [] for name in CASES}
    for number in range(rounds + 1):  # the first compiles, and fills the caches of the disk
        result.tell(f"round {number} of {rounds}")
        for name, words in CASES.items():
            seconds = check.cpu_seconds(words, folder, environ)
            if number:
                spent[name].append(seconds)
    told = subprocess.run(
        checkout.artlock("log", "hero", "--json"), cwd=folder, env=environ, check=True, capture_output=True
    )
    medians = {name: statistics.median(found) for name, found in spent.items()}
    return {
        "assets": assets,
        "commits": commits,
        "lock_bytes": size,
        "versions": versions,
        "told": len(json.loads(told.stdout)["versions"]),
        "cases": {
            name: {
                "seconds": found,
                "median": medians[name],
                "ratio": medians[name] / max(medians[_PEER], 0.001),
            }
            for name, found in spent.items()
        },
    }


def write_repository(folder: Path, assets: int, commits: int) -> tuple[int, int]:
    """A repository of so many commits; how many of them `hero` has a version in, and the bytes of its lock.

    By `git fast-import`, then packed as git packs what it fetches.
    """
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--initial-branch=main")
    versions = 0
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE) as git:
        stream = cast("IO[bytes]", git.stdin)
        for number, (text, touched) in enumerate(_locks(folder / "assets.lock", assets, commits)):
            versions += touched
            head = f"commit refs/heads/main\ncommitter {_AUTHOR} {_BEGAN + 3600 * number} +0000\n"
            stream.write(f"{head}data 4\nart\nM 644 inline assets.lock\ndata {len(text)}\n".encode())
            stream.write(text + b"\n")
        stream.close()
    _git(folder, "reset", "--quiet", "--hard")
    _git(folder, "repack", "-a", "-d", "--quiet")
    return versions, (folder / "assets.lock").stat().st_size


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)


def _locks(path: Path, assets: int, commits: int) -> Iterator[tuple[bytes, bool]]:
    """Each lock, and whether it has another `hero`."""
    dice = random.Random(7)  # noqa: S311 - the same repository each time, no secret
    lock = Lock().updated(_record(f"s{number:05d}", number) for number in range(assets - 1))
    file = LockFile(path)
    name, rename = "knight", commits // 2 | 1  # odd: a commit that changes nothing else of it
    for number in range(commits):
        made = [_record(f"s{dice.randrange(assets - 1):05d}", 10**6 * number + n) for n in range(_OTHERS)]
        touched = number % _EVERY == 0
        if touched:
            made.append(_record(name, -number))
        if number == rename:
            made.append(msgspec.structs.replace(lock.records[AssetName(name)], name=AssetName("hero")))
            lock = lock.updated(made, [AssetName(name)])
            name, touched = "hero", True
        else:
            lock = lock.updated(made)
        file.save(lock)
        yield path.read_bytes(), touched


def _record(name: str, number: int) -> Record:
    """An asset whose recipe and picture follow from `number`."""
    parts = Parts(
        adapter="stock",
        adapter_version="1.0.0",
        prompt=f"a moonlit keep, painted, number {number % 7} of its kind",
        seed=abs(number),
        size=(512, 512),
        parameters={"style": "painted", "palette": "auto", "outline": "auto"},
        finish_version="1.0.0",
    )
    file = digest.of_value([name, number])
    return Record(
        name=AssetName(name),
        recipe=recipe.digest_of(parts),
        parts=parts,
        engine="stock",
        output=f"out/{name}.png",
        picture=Picture(file=file, pixels=file, phash=file[:16], width=512, height=512),
        raw=file,
        environment={"pillow": "11.0.0", "python": "3.12.4"},
    )


def _table(found: Mapping[str, Any], rounds: int) -> Table:
    rows: Sequence[tuple[str, ...]] = [
        (name, f"{case['median']:.2f}", f"{min(case['seconds']):.2f}", f"{case['ratio']:.2f}")
        for name, case in found["cases"].items()
    ]
    title = (
        f"log: {found['commits']} commits of a lock of {found['assets']} assets "
        f"({found['lock_bytes'] / 1e6:.1f} MB), {found['versions']} versions of the asset; "
        f"seconds of processor time, {rounds} rounds"
    )
    return Table(title, ("command", "median", "least", "times git log -p"), tuple(rows))


if __name__ == "__main__":
    main()
