"""`artlock compare NAME --engines a,b,c`: the same prompt and seed on several engines, side by side."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from buildsys.cli import grid
from buildsys.cli import options as shared
from buildsys.cli.generate import parameter, size
from buildsys.comparison import sheet
from buildsys.comparison.model import Question, Subject
from buildsys.comparison.subject import of_asset
from buildsys.errors import ArtlockError, did_you_mean
from buildsys.manifest.cards import OWN
from buildsys.plan.graph import output_of
from buildsys.session import PRIVATE, Session

_MANY: Final = 1000
_WORDS: Final = ("prompt", "negative", "text", "size", "parameters")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--engines", required=True, metavar="A,B,C", help="see `artlock engines`")
    add_subject(parser, "compare")


def add_subject(parser: argparse.ArgumentParser, place: str) -> None:
    """The options that say what to draw, what to hold it against, and where to put it."""
    shared.add_project(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="an asset; or give `--prompt`")
    parser.add_argument(
        "--seeds", metavar="1,2,3", help="the asset's, or 1, otherwise; `1..4` for all between"
    )
    parser.add_argument(
        "--reference", metavar="ENGINE|FILE", help="what to measure against (the asset's picture, else A)"
    )
    parser.add_argument("--prompt", default="", help="what to draw, instead of an asset")
    parser.add_argument("--negative", default="", help="what to keep out")
    parser.add_argument("--text", default="", help="exact lettering")
    parser.add_argument("--size", metavar="WxH", help="in pixels, such as 512x512")
    parser.add_argument(
        "-p", dest="parameters", action="append", default=[], metavar="KEY=VALUE", help="a parameter"
    )
    parser.add_argument(
        "-o", dest="target", type=Path, metavar="FOLDER", help=f"where to put it ({PRIVATE}/{place}/NAME)"
    )
    parser.add_argument("--html", action="store_true", help="write a page that needs nothing else, too")
    shared.add_budget(parser)
    shared.add_retry(parser)
    shared.add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Make, measure and show; exit 1 where a picture could not be made."""
    return grid.carry_out(options, question, "compare")


def question(options: argparse.Namespace, session: Session) -> Question:
    """What the options ask for. Raises `ArtlockError`."""
    engines = engines_named(options.engines, session)
    subject, seed = subject_wanted(options, engines, session)
    seeds = seeds_named(options.seeds) if options.seeds else (seed,)
    sheet.check(len(engines), len(seeds))
    asked = Question(
        subject=subject,
        engines=engines,
        seeds=seeds,
        reference_engine=engines[0],
        retry_refused=options.retry_refused,
    )
    return referred(asked, options, session)


def referred(asked: Question, options: argparse.Namespace, session: Session) -> Question:
    """`asked` with what the options hold its pictures against. Raises `ArtlockError`."""
    subject, engines = asked.subject, asked.engines
    if options.reference in engines:
        return msgspec.structs.replace(asked, reference_engine=options.reference)
    if options.reference:
        path = Path(options.reference)
        if not path.is_file():
            fact = f"the reference `{options.reference}` is no file, and none of the engines"
            raise ArtlockError(fact, did_you_mean(options.reference, engines) or "name one of the two")
        return _against(asked, path, options.reference)
    if subject.name:
        output = output_of(
            session.manifest, session.manifest.assets[next(iter(session.names([subject.name]) or ()))]
        )
        if (session.root / output).is_file():
            return _against(asked, session.root / output, output)
    return asked


def _against(asked: Question, path: Path, name: str) -> Question:
    return msgspec.structs.replace(
        asked, reference_engine="", reference_file=name, reference=path.read_bytes()
    )


def engines_named(words: str, session: Session) -> tuple[str, ...]:
    """The engines of `--engines A,B,C`. Raises `ArtlockError`."""
    names = tuple(dict.fromkeys(filter(None, (word.strip() for word in words.split(",")))))
    known = [name for name in session.manifest.engines if name not in OWN]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or "run `artlock engines` for the list"
            raise ArtlockError(f"there is no engine `{name}`", hint)
    if not names:
        raise ArtlockError("`--engines` names none", "write it like `--engines stock,vector`")
    return names


def subject_wanted(
    options: argparse.Namespace, engines: tuple[str, ...], session: Session
) -> tuple[Subject, int]:
    """What to draw, and the seed that it has unless another is asked for."""
    given = [word for word in _WORDS if getattr(options, word)]
    if options.name:
        if given:
            option = "-p" if given[0] == "parameters" else f"--{given[0]}"
            raise ArtlockError(f"`{options.name}` and `{option}` are both given", "leave one of the two away")
        (name,) = session.names([options.name]) or ()
        seed = session.manifest.assets[name].seed
        return of_asset(session.manifest, name), 1 if seed is None else seed
    if not options.prompt and not options.text:
        raise ArtlockError("there is nothing to compare", "name an asset, or give `--prompt TEXT`")
    parameters = dict(parameter(word) for word in options.parameters)
    check_known(parameters, "-p", engines, session)
    subject = Subject(
        prompt=options.prompt,
        negative=options.negative,
        text=options.text,
        size=size(options.size) if options.size else None,
        parameters=parameters,
    )
    return subject, 1


def check_known(keys: Iterable[str], option: str, engines: Iterable[str], session: Session) -> None:
    """Raise `ArtlockError` where none of `engines` has one of the parameters that `option` gave."""
    known = {name for engine in engines for name in session.manifest.engines[engine].card.parameters}
    for key in keys:
        if key not in known:
            hint = did_you_mean(key, known) or f"leave `{option} {key}` out"
            raise ArtlockError(f"none of these engines has a parameter `{key}`", hint)


def seeds_named(words: str) -> tuple[int, ...]:
    """The seeds of `--seeds 1,2,3` or `1..3`. Raises `ArtlockError`."""
    seeds: list[int] = []
    for part in words.split(","):
        first, dots, last = (word.strip() for word in part.partition(".."))
        if not (first.isdecimal() and (last.isdecimal() if dots else True)):
            raise ArtlockError(f"`{words}` are not seeds", "write them like `--seeds 1,2,3`")
        # No longer than what is refused anyway, before a list of billions is made.
        seeds += range(int(first), min(int(last or first), int(first) + _MANY) + 1)
    if not seeds:
        raise ArtlockError(f"`{words}` are no seeds", "write them like `--seeds 1..4`")
    return tuple(dict.fromkeys(seeds))
