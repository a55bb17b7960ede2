"""`artlock sweep NAME`: a grid of pictures over seeds, parameters and engines."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import product
from typing import Any, Final, TypeAlias

import rtoml

from buildsys.cli import compare, grid
from buildsys.cli.generate import parameter
from buildsys.comparison import sheet
from buildsys.comparison.model import Question
from buildsys.errors import ArtlockError
from buildsys.session import Session

Axis: TypeAlias = tuple[str, tuple[Any, ...]]
"""A parameter, and the values to try."""

_OPENING: Final = ("[", "{", '"', "'")
"""What a TOML value begins with that may hold commas."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--engines", "--engine", metavar="A,B", help="the asset's own otherwise")
    parser.add_argument(
        "--set", dest="axes", action="append", default=[], metavar="KEY=A,B,C", help="values of a parameter"
    )
    compare.add_subject(parser, "sweep")


def run(options: argparse.Namespace) -> int:
    """Make, measure and show; exit 1 where a picture could not be made."""
    return grid.carry_out(options, _question, "sweep")


def _question(options: argparse.Namespace, session: Session) -> Question:
    engines = _engines(options, session)
    subject, seed = compare.subject_wanted(options, engines, session)
    seeds = compare.seeds_named(options.seeds) if options.seeds else (seed,)
    axes = [axis(words) for words in options.axes]
    compare.check_known([key for key, _ in axes], "--set", engines, session)
    _check_once([key for key, _ in axes])
    settings = tuple(dict(zip((key for key, _ in axes), row, strict=True)) for row in _rows(axes))
    columns = _columns(axes, seeds, len(engines))
    pictures = len(engines) * len(settings) * len(seeds)
    sheet.check(pictures // columns, columns, ("rows", "columns"))
    asked = Question(
        subject=subject,
        engines=engines,
        seeds=seeds,
        settings=settings,
        columns=columns,
        reference_engine=engines[0],
        retry_refused=options.retry_refused,
    )
    return compare.referred(asked, options, session)


def _engines(options: argparse.Namespace, session: Session) -> tuple[str, ...]:
    if options.engines:
        return compare.engines_named(options.engines, session)
    if not options.name:
        raise ArtlockError("there is no engine to sweep", "name one with `--engine`")
    (name,) = session.names([options.name]) or ()
    asset = session.manifest.assets[name]
    if not asset.engine:
        fact, _, _ = asset.blocked.partition("\n\nhint: ")
        raise ArtlockError(fact, "name one with `--engine`")
    return (asset.engine,)


def axis(words: str) -> Axis:
    """The parameter and the values of `--set KEY=A,B,C`; each is TOML, or a string. Raises `ArtlockError`."""
    key, equals, values = words.partition("=")
    found = [parameter(f"{key}={value}")[1] for value in _parted(values) if value]
    if not (key and equals and found):
        raise ArtlockError(f"`--set {words}` names no values", "write it like `--set guidance=3,5,7`")
    return key, tuple(found)


def _parted(words: str) -> Iterator[str]:
    """What stands between the commas of `words`; those of a TOML array, table or string part nothing."""
    pieces = words.split(",")
    while pieces:
        most = len(pieces) if pieces[0].lstrip().startswith(_OPENING) else 1
        longer = (end for end in range(1, most + 1) if _is_toml(",".join(pieces[:end])))
        end = next(longer, 1)  # what is never closed is a plain word: `'tis`
        yield ",".join(pieces[:end]).strip()
        del pieces[:end]


def _is_toml(words: str) -> bool:
    try:
        rtoml.loads(f"value = {words}")
    except rtoml.TomlParsingError:
        return False
    return True


def _check_once(keys: list[str]) -> None:
    for key in keys:
        if keys.count(key) > 1:
            raise ArtlockError(f"`--set {key}` is given twice", "give all its values at once")


def _rows(axes: list[Axis]) -> product[tuple[Any, ...]]:
    """Every combination of values; those of the last parameter change fastest."""
    return product(*(values for _, values in axes))


def _columns(axes: list[Axis], seeds: tuple[int, ...], engines: int) -> int:
    """A column for each seed; with one seed, for each value of the last parameter, else for each engine."""
    if len(seeds) > 1:
        return len(seeds)
    return len(axes[-1][1]) if axes else engines
