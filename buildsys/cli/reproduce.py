"""`artlock reproduce NAME`: make assets again from their lock entries alone, and say how close."""

from __future__ import annotations

import argparse

import msgspec

from buildsys.cli import options as shared
from buildsys.cli.console import paint, print_json, say, tame
from buildsys.cli.live import PlainLines
from buildsys.errors import ArtlockError, Exit, did_you_mean
from buildsys.make.schedule import default_jobs
from buildsys.manifest.model import AssetName
from buildsys.reproduce import Distance, Likeness, Reproduction, reproduce
from buildsys.session import Session
from engines.protocol import Determinism

_COLOURS = {
    Likeness.BYTES: "green",
    Likeness.PIXELS: "green",
    Likeness.DIFFERENT: "yellow",
    Likeness.IMPOSSIBLE: "red",
}
_PROMISES = {
    Determinism.BITWISE: "the same bytes on any machine",
    Determinism.ENVIRONMENT: "the same bytes in the same environment",
    Determinism.SEEDED: "a close picture",
    Determinism.NONE: "no two alike",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    shared.add_json(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="assets in the lock")
    parser.add_argument("--all", action="store_true", help="every asset in the lock")


def run(options: argparse.Namespace) -> int:
    """Make them again; exit 1 where a picture differs or can't be made."""
    session = shared.presets(options)
    if not options.names and not options.all:
        raise ArtlockError("no asset is named", "name assets, or give `--all`")
    if options.names and options.all:
        raise ArtlockError("assets are named, and `--all` is given", "leave one of the two away")
    names = _known(session, options.names) if options.names else sorted(session.lock.records)
    results = []
    for result in reproduce(session, names, default_jobs(), PlainLines().tell):
        results.append(result)
        if not options.json:
            print("\n".join(_lines(result)), flush=True)
    if options.json:
        print_json([msgspec.to_builtins(result) | {"verdict": result.likeness.value} for result in results])
    alike = sum(result.likeness in (Likeness.BYTES, Likeness.PIXELS) for result in results)
    say(f"{alike} of {len(results)} are the same pictures")
    return Exit.FINE if alike == len(results) else Exit.FAILED


def _known(session: Session, names: list[str]) -> list[AssetName]:
    for name in names:
        if name not in session.lock.records:
            hint = did_you_mean(name, session.lock.records) or "run `artlock build` first"
            raise ArtlockError(f"asset `{name}` is not in the lock", hint)
    return [AssetName(name) for name in names]


def _lines(result: Reproduction) -> list[str]:
    lines = [f"{paint(result.likeness.value, _COLOURS[result.likeness])}  {result.name}"]
    if result.message:
        lines.append(f"  {tame(result.message)}")
    if result.hint:
        lines.append(f"  hint: {tame(result.hint)}")
    if result.distance is not None:
        lines.append(f"  {_distance(result.distance)}")
    if result.likeness is Likeness.DIFFERENT and result.determinism is not None:
        lines.append(f"  the adapter promises: {_PROMISES[result.determinism]}")
        lines += [
            f"  {key}: {result.then.get(key, '—')} then, {result.now.get(key, '—')} now"
            for key in sorted({*result.then, *result.now})
            if result.then.get(key) != result.now.get(key)
        ]
    return lines


def _distance(distance: Distance) -> str:
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
