"""`artlock reproduce NAME`: make assets again from their lock entries alone, and say how close."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec

from buildsys.cli import options as shared
from buildsys.cli.console import paint, print_json, say, tame
from buildsys.cli.live import PlainLines
from buildsys.errors import ArtlockError, Exit, LockError, did_you_mean
from buildsys.lock.model import Lock
from buildsys.make.schedule import default_jobs
from buildsys.manifest.model import AssetName
from buildsys.reproduce.model import (
    ALIKE,
    Closeness,
    Distance,
    Held,
    Likeness,
    Promised,
    Reproduction,
    Tolerance,
    Wanted,
)
from buildsys.reproduce.run import reproduce
from engines.protocol import Determinism

_COLOURS = {
    Likeness.BYTES: "green",
    Likeness.PIXELS: "green",
    Likeness.CLOSE: "green",
    Likeness.DIFFERENT: "yellow",
    Likeness.IMPOSSIBLE: "red",
}
_PROMISES = {
    Determinism.BITWISE: "the same bytes on any machine",
    Determinism.ENVIRONMENT: "the same bytes in the same environment",
    Determinism.SEEDED: "a close picture",
    Determinism.NONE: "no two alike",
}
_HELD = {
    Held.PLACE: "its locked picture is in its place",
    Held.STORE: "its locked picture is in the store",
    Held.GIT: "its locked picture is in git",
    Held.REMOTE: "its locked picture is in the remote",
    Held.LOST: "its locked picture is lost: it is not in its place, in the store or in git",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="assets in the lock")
    parser.add_argument("--all", action="store_true", help="every asset in the lock")
    parser.add_argument("--rev", metavar="REV", default="", help="the lock of this git revision")
    parser.add_argument(
        "--tolerance", metavar="METRIC=LIMIT", help="what passes for the same picture, such as `largest=1`"
    )
    parser.add_argument("--to", metavar="DIR", type=Path, help="put the pictures into this new folder")
    shared.add_budget(parser)
    shared.add_no_remote(parser)


def run(options: argparse.Namespace) -> int:
    """Make them again; exit 1 where a picture is not as promised, or can't be made."""
    session = shared.presets(options)
    if not options.names and not options.all:
        raise ArtlockError("no asset is named", "name assets, or give `--all`")
    if options.names and options.all:
        raise ArtlockError("assets are named, and `--all` is given", "leave one of the two away")
    wanted = Wanted(
        revision=options.rev,
        tolerance=None if options.tolerance is None else Tolerance.read(options.tolerance),
        to=_new_folder(options.to),
        budget=shared.budget(options),
        jobs=default_jobs(),
        remote=options.remote,
    )
    results = []
    for result in reproduce(session, partial(chosen, options.names), wanted, PlainLines().tell):
        results.append(result)
        if not options.json:
            print("\n".join(lines(result)), flush=True)
    if options.json:
        print_json([{**as_json(result), "failed": result.failed} for result in results])
    alike = sum(result.likeness in ALIKE for result in results)
    say(f"{alike} of {len(results)} are the same pictures")
    return Exit.FAILED if any(result.failed for result in results) else Exit.FINE


def _new_folder(folder: Path | None) -> Path | None:
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArtlockError(f"`{folder}` is there already, and not empty", "name a new folder for `--to`")
    return folder


def chosen(names: Collection[str], lock: Lock) -> list[AssetName]:
    """The assets of `lock` that a command line names; all where it names none. Raises `ArtlockError`."""
    for name in names or lock.conflicts:
        if name in lock.conflicts:
            fact = f"both sides of a merge changed `{name}` in the lock"
            raise LockError(fact, f"run `artlock resolve {name}` first")
        if name not in lock.records:
            hint = did_you_mean(name, lock.records) or "run `artlock build` first"
            raise ArtlockError(f"asset `{name}` is not in the lock", hint)
    return [AssetName(name) for name in names] or sorted(lock.records)


def as_json(result: Reproduction) -> Mapping[str, object]:
    """One result for a program."""
    built: dict[str, object] = msgspec.to_builtins(result)
    return {"name": result.name, "verdict": result.likeness.value, **built}


def lines(result: Reproduction) -> Iterator[str]:
    """One result for a person."""
    yield f"{paint(result.likeness.value, _COLOURS[result.likeness])}  {result.name}"
    if result.message:
        yield f"  {tame(result.message)}"
    if result.hint:
        yield f"  hint: {tame(result.hint)}"
    if result.held is not None:
        yield f"  {_HELD[result.held]}{_way_back(result.held, result.put)}"
    if result.closeness is not None:
        yield f"  {_closeness(result.closeness)}"
    if result.distance is not None:
        yield f"  {distance_told(result.distance)}"
    for path in result.differing:
        yield f"  `{path}` is another file"
    if result.determinism is not None and result.distance is not None:
        broken = "; it broke its word" if result.promised is Promised.BROKEN else ""
        yield f"  the adapter promises: {_PROMISES[result.determinism]}{broken}"
    if result.likeness is not Likeness.BYTES and result.now:
        yield from _environments(result.then, result.now)
    for path in result.put:
        yield f"  put at {tame(path)}"


def _way_back(held: Held, put: Collection[str]) -> str:
    """What becomes of a locked picture where no new one can be made."""
    if put:
        return ", and taken from there"
    return "" if held in {Held.PLACE, Held.LOST} else "; `--to DIR` takes it from there"


def _environments(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    same = [f"{key} {tame(value)}" for key, value in sorted(then.items()) if now.get(key) == value]
    if same:
        yield f"  then and now: {', '.join(same)}"
    for key in sorted({*then, *now}):
        if then.get(key) != now.get(key):
            yield f"  {key}: {tame(then.get(key, '—'))} then, {tame(now.get(key, '—'))} now"


def _closeness(close: Closeness) -> str:
    value = "beyond measure" if close.value is None else f"{close.value:g}"
    return f"{close.metric} is {value}, the limit {close.limit:g}"


def distance_told(distance: Distance) -> str:
    """How far two pictures are from each other, on one line."""
    words = [f"perceptual hash differs in {distance.hash_bits} of 64 bits"]
    if distance.psnr is not None:
        words.append(f"PSNR {distance.psnr:.1f} dB")
    if distance.ssim is not None:
        words.append(f"SSIM {distance.ssim:.3f}")
    if distance.resized:
        words.append("at the smaller width and height, for the sizes differ")
    if distance.largest is not None:
        words.append(f"largest difference {distance.largest} of 255")
    if distance.changed is not None:
        words.append(f"{distance.changed:.1%} of pixels changed")
    return ", ".join(words)
