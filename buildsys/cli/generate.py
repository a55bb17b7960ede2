"""`artlock generate`: one picture with any engine, outside the manifest and its lock."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec
import rtoml

from buildsys import trial
from buildsys.cli import options as shared
from buildsys.cli.console import print_json, say, tame
from buildsys.cli.live import display
from buildsys.cli.money import sum_json, sum_told
from buildsys.errors import ArtlockError, Exit


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "-C", dest="start", metavar="DIR", type=Path, default=Path(), help="work in this folder"
    )
    parser.add_argument("--engine", required=True, metavar="NAME", help="see `artlock engines`")
    parser.add_argument("--prompt", default="", help="what to draw")
    parser.add_argument("--negative", default="", help="what to keep out")
    parser.add_argument("--text", default="", help="exact lettering")
    parser.add_argument("--seed", type=int, help="where the engine honours one")
    parser.add_argument("--size", metavar="WxH", help="in pixels, such as 512x512")
    parser.add_argument(
        "-p", dest="parameters", action="append", default=[], metavar="KEY=VALUE", help="a parameter"
    )
    parser.add_argument(
        "-o", dest="target", type=Path, metavar="FILE", help="where to put it (ENGINE-SEED.png)"
    )
    shared.add_budget(parser)
    shared.add_retry(parser)
    shared.add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Make it, and say how long it took and what it did cost."""
    wanted = trial.Wanted(
        engine=options.engine,
        prompt=options.prompt,
        negative=options.negative,
        text=options.text,
        seed=options.seed,
        size=size(options.size) if options.size else None,
        parameters=dict(parameter(word) for word in options.parameters),
        retry_refused=options.retry_refused,
    )
    name = options.engine if options.seed is None else f"{options.engine}-{options.seed}"
    with display() as shown:
        made = trial.run(
            options.start,
            wanted,
            options.target or Path(f"{name}.png"),
            shown.tell,
            budget=shared.budget(options),
            priced=lambda expected: say(f"expected cost: {sum_told(expected)}"),
        )
    if options.json:
        print_json(_facts(made))
    else:
        print(made.path)
        for note in made.notes:
            say(f"note: {tame(note)}")
        picture = made.record.picture
        say(
            f"{picture.width} by {picture.height} pixels in {made.seconds:.2f} s; cost: {sum_told(made.cost)}"
        )
    return Exit.FINE


def _facts(made: trial.Trial) -> dict[str, Any]:
    """The trial for a program. What comes from the store costs nothing now."""
    return {
        "path": made.path,
        "seconds": round(made.seconds, 3),
        "from_store": made.spent is None,
        "make_seconds": made.spent.make_seconds if made.spent else None,
        "load_seconds": made.spent.load_seconds if made.spent else None,
        "expected": sum_json(made.expected),
        "cost": None if made.cost.unknown else made.cost.usd,
        "notes": made.notes,
        **msgspec.to_builtins(made.record.picture),
    }


def size(word: str) -> tuple[int, int]:
    """`WxH` as two numbers. Raises `ArtlockError`."""
    width, cross, height = word.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise ArtlockError(f"`{word}` is not a size", "write it like `512x512`")
    return int(width), int(height)


def parameter(word: str) -> tuple[str, Any]:
    """`KEY=VALUE`; the value as TOML has it, or a string."""
    key, equals, value = word.partition("=")
    if not equals:
        raise ArtlockError(f"`{word}` is not a parameter", "write it like `-p style=pixel`")
    try:
        return key, rtoml.loads(f"value = {value}")["value"]
    except rtoml.TomlParsingError:
        return key, value
