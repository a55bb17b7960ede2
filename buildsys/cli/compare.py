"""`artlock compare NAME --engines a,b,c`: the same prompt and seed on several engines, side by side."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from buildsys.cli import options as shared
from buildsys.cli.console import columns, count, paint, print_json, say, tame
from buildsys.cli.generate import parameter, size
from buildsys.cli.live import display
from buildsys.cli.money import sum_json, sum_told
from buildsys.comparison import sheet
from buildsys.comparison.model import Comparison, Entry, Question, Subject
from buildsys.comparison.page import page
from buildsys.comparison.run import compare
from buildsys.comparison.subject import of_asset
from buildsys.comparison.words import alpha_told, cost_told, measures, took_told
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, Exit, MakeError, did_you_mean
from buildsys.files import write_durably
from buildsys.journal.words import NOTHING, seconds_told
from buildsys.lock.model import Lock
from buildsys.lock.read import load as load_lock
from buildsys.make.schedule import default_jobs
from buildsys.manifest.cards import OWN
from buildsys.manifest.read import parse
from buildsys.plan.judge import output_of
from buildsys.session import LOCK, PRIVATE, Session
from buildsys.store.objects import Store
from buildsys.store.place import default_root
from buildsys.trial import open_manifest

SHEET: Final = "sheet.png"
PAGE: Final = "index.html"
_FOLDER: Final = "comparison"
_WORDS: Final = ("prompt", "negative", "text", "size", "parameters")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="an asset; or give `--prompt`")
    parser.add_argument("--engines", required=True, metavar="A,B,C", help="see `artlock engines`")
    parser.add_argument("--seeds", metavar="1,2,3", help="the asset's, or 1, otherwise")
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
        "-o", dest="target", type=Path, metavar="FOLDER", help=f"where to put it ({PRIVATE}/compare/NAME)"
    )
    parser.add_argument("--html", action="store_true", help="write a page that needs nothing else, too")
    shared.add_budget(parser)
    shared.add_retry(parser)
    shared.add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Make, measure and show; exit 1 where a picture could not be made."""
    budget = shared.budget(options)
    with tempfile.TemporaryDirectory(prefix="artlock-compare-") as scratch:
        session = _session(options, Path(scratch))
        question = _question(options, session)
        target = options.target
        if target is None and session.root != Path(scratch):
            target = _emptied(session.root / PRIVATE / "compare" / PurePosixPath(options.name or "prompt"))
        target = _free(target or Path(_FOLDER))
        with display() as shown:
            found = compare(
                session,
                question,
                default_jobs(),
                shown.tell,
                budget=budget,
                priced=lambda expected: say(f"expected cost: {sum_told(expected)}"),
            )
    files = _written(found, session.store, target, html=options.html)
    if options.json:
        print_json(_facts(found, target))
    else:
        print(_table(found))
        for path in files:
            print(path)
        _tell_notes(found.entries)
    say(f"cost: {sum_told(found.cost)}")
    failed = sum(entry.picture is None for entry in found.entries)
    if failed:
        say(f"{count(failed, 'picture')} could not be made")
    return Exit.FAILED if failed else Exit.FINE


def _session(options: argparse.Namespace, scratch: Path) -> Session:
    if options.name:
        return Session.open(options.start, options.profile)
    root, texts = open_manifest(options.start, scratch)
    lock = load_lock(root / LOCK) if root != scratch else Lock()
    return Session(root, parse(texts, options.profile, root=root), lock, Store(default_root()))


def _question(options: argparse.Namespace, session: Session) -> Question:
    engines = _engines(options.engines, session)
    subject, seed = _subject(options, engines, session)
    seeds = _seeds(options.seeds) if options.seeds else (seed,)
    sheet.check(len(engines), len(seeds))
    question = Question(
        subject=subject,
        engines=engines,
        seeds=seeds,
        reference_engine=engines[0],
        retry_refused=options.retry_refused,
    )
    if options.reference in engines:
        return msgspec.structs.replace(question, reference_engine=options.reference)
    if options.reference:
        path = Path(options.reference)
        if not path.is_file():
            fact = f"the reference `{options.reference}` is no file, and none of the engines"
            raise ArtlockError(fact, did_you_mean(options.reference, engines) or "name one of the two")
        return _against(question, path, options.reference)
    if subject.name:
        output = output_of(
            session.manifest, session.manifest.assets[next(iter(session.names([subject.name]) or ()))]
        )
        if (session.root / output).is_file():
            return _against(question, session.root / output, output)
    return question


def _against(question: Question, path: Path, name: str) -> Question:
    return msgspec.structs.replace(
        question, reference_engine="", reference_file=name, reference=path.read_bytes()
    )


def _engines(words: str, session: Session) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(filter(None, (word.strip() for word in words.split(",")))))
    known = [name for name in session.manifest.engines if name not in OWN]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or "run `artlock engines` for the list"
            raise ArtlockError(f"there is no engine `{name}`", hint)
    if not names:
        raise ArtlockError("`--engines` names none", "write it like `--engines stock,vector`")
    return names


def _subject(options: argparse.Namespace, engines: tuple[str, ...], session: Session) -> tuple[Subject, int]:
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
    known = {name for engine in engines for name in session.manifest.engines[engine].card.parameters}
    for key in parameters:
        if key not in known:
            hint = did_you_mean(key, known) or f"leave `-p {key}` out"
            raise ArtlockError(f"none of these engines has a parameter `{key}`", hint)
    subject = Subject(
        prompt=options.prompt,
        negative=options.negative,
        text=options.text,
        size=size(options.size) if options.size else None,
        parameters=parameters,
    )
    return subject, 1


def _seeds(words: str) -> tuple[int, ...]:
    parts = [word.strip() for word in words.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise ArtlockError(f"`{words}` are not seeds", "write them like `--seeds 1,2,3`")
    return tuple(dict.fromkeys(map(int, parts)))


def _emptied(folder: Path) -> Path:
    """A folder of our own, where each comparison replaces the last one."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _free(folder: Path) -> Path:
    """`folder`, in which nothing of a person is overwritten. Raises `ArtlockError`."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArtlockError(f"`{folder}` is there already", "give another folder with `-o`")
    return folder


def _written(found: Comparison, store: Store, target: Path, *, html: bool) -> list[Path]:
    """Put everything in its place; the files that a person looks at first."""

    def read(digest: Digest) -> bytes:
        data = store.read(digest)
        if data is None:
            raise MakeError("a picture is lost from the store", "run the command again")
        return data

    for entry in found.entries:
        if entry.picture is not None:
            write_durably(target / entry.file, read(entry.picture.file))
    write_durably(target / SHEET, read(found.sheet))
    if html:
        write_durably(target / PAGE, page(found, read).encode())
    return [target / SHEET, *([target / PAGE] if html else [])]


def _facts(found: Comparison, target: Path) -> dict[str, Any]:
    """The comparison for a program."""
    pictures = [
        {**msgspec.to_builtins(entry), "file": str(target / entry.file) if entry.file else None}
        for entry in found.entries
    ]
    page_there = (target / PAGE).is_file()
    return {
        "subject": msgspec.to_builtins(found.subject),
        "reference": found.reference,
        "sheet": str(target / SHEET),
        "page": str(target / PAGE) if page_there else None,
        "expected": sum_json(found.expected),
        "cost": sum_json(found.cost),
        "pictures": pictures,
    }


def _table(found: Comparison) -> str:
    heads = "ENGINE", "SEED", "SIZE", "ALPHA", "MADE IN", "LOAD", "COST", "HASH", "PSNR", "SSIM", "CHANGED"
    return columns([heads, *map(_row, found.entries)])


def _row(entry: Entry) -> tuple[str, ...]:
    seed = NOTHING if entry.seed is None else str(entry.seed)
    if entry.picture is None:
        return entry.engine, seed, paint("not made", "red"), *[""] * 8
    return (
        entry.engine,
        seed,
        f"{entry.picture.width}x{entry.picture.height}",
        alpha_told(entry),
        took_told(entry),
        seconds_told(entry.load_seconds),
        cost_told(entry),
        *measures(entry.distance, is_reference=entry.is_reference),
    )


def _tell_notes(entries: Iterable[Entry]) -> None:
    """What was ignored, each thing once for an engine, and how to mend what failed."""
    told = [
        (entry.engine, words)
        for entry in entries
        for words in (
            entry.message.partition("\n")[0],
            *([f"hint: {entry.hint}"] if entry.hint else []),
            *(f"note: {note}" for note in entry.notes),
        )
        if words
    ]
    for engine, words in dict.fromkeys(told):
        say(f"{engine}: {tame(words)}")
    if any(entry.distance and entry.distance.resized for entry in entries):
        say("*: the sizes differ; PSNR and SSIM are computed at the smaller width and height")
