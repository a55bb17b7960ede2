"""Pictures that are made, measured and shown together: what `compare` and `sweep` have in common."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.cli import options as shared
from buildsys.cli.console import columns, count, paint, print_json, say, tame
from buildsys.cli.live import display
from buildsys.cli.money import sum_json, sum_told
from buildsys.comparison.model import Comparison, Entry, Question
from buildsys.comparison.page import page
from buildsys.comparison.run import compare
from buildsys.comparison.words import alpha_told, cost_told, measures, row_told, took_told
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, Exit, MakeError
from buildsys.files import write_durably
from buildsys.journal.words import NOTHING, seconds_told
from buildsys.lock.model import Lock
from buildsys.lock.read import load as load_lock
from buildsys.make.schedule import default_jobs
from buildsys.manifest.read import parse
from buildsys.session import LOCK, PRIVATE, Session
from buildsys.store.objects import Store
from buildsys.store.place import default_root
from buildsys.trial import open_manifest

Ask: TypeAlias = Callable[[argparse.Namespace, Session], Question]

SHEET: Final = "sheet.png"
PAGE: Final = "index.html"
_FOLDER: Final = "comparison"


def carry_out(options: argparse.Namespace, ask: Ask, place: str) -> int:
    """Make, measure and show what `ask` makes of the options; exit 1 where a picture could not be made.

    `place`: the folder under the private one, where none is given.
    """
    budget = shared.budget(options)
    with tempfile.TemporaryDirectory(prefix=f"artlock-{place}-") as scratch:
        session = _session(options, Path(scratch))
        question = ask(options, session)
        target = options.target
        if target is None and session.root != Path(scratch):
            target = _emptied(session.root / PRIVATE / place / PurePosixPath(options.name or "prompt"))
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
        return row_told(entry), seed, paint("not made", "red"), *[""] * 8
    return (
        row_told(entry),
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
        (row_told(entry), words)
        for entry in entries
        for words in (
            entry.message.partition("\n")[0],
            *([f"hint: {entry.hint}"] if entry.hint else []),
            *(f"note: {note}" for note in entry.notes),
        )
        if words
    ]
    for row, words in dict.fromkeys(told):
        say(f"{tame(row)}: {tame(words)}")
    if any(entry.distance and entry.distance.resized for entry in entries):
        say("*: the sizes differ; PSNR and SSIM are computed at the smaller width and height")
