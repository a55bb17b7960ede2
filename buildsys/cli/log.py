"""`artlock log NAME`: every version of an asset through git's history, with what each commit changed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from buildsys.cli import options as shared
from buildsys.cli import pages
from buildsys.cli.console import columns, paint, print_json, say, tame
from buildsys.errors import ArtlockError, Exit
from buildsys.files import write_durably
from buildsys.history import words
from buildsys.history.commits import Wanted
from buildsys.history.model import Entry, Gap, History, Version
from buildsys.history.run import Place, history, place
from buildsys.journal.words import printable
from buildsys.review.model import Field, Kind

_COLOURS: Final = {"gone": "red", "new": "green"}
_INDENT: Final = "  "


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "-C", dest="start", metavar="DIR", type=Path, default=Path(), help="work in this folder"
    )
    parser.add_argument("name", metavar="NAME", help="an asset, by any name that it ever had")
    parser.add_argument(
        "revision", nargs="?", metavar="REV", help="a revision or a range, such as v1.0..main (HEAD)"
    )
    parser.add_argument("--all", action="store_true", help="all branches and tags")
    parser.add_argument(
        "--first-parent", action="store_true", help="the main line alone: a merge counts as one commit"
    )
    parser.add_argument("-n", dest="most", type=int, metavar="N", help="the newest N versions only")
    parser.add_argument("--prompt", action="store_true", help="only versions whose prompt changed")
    parser.add_argument("--graph", action="store_true", help="a line for each: how far the pictures moved")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a film strip as one page")
    parser.add_argument(
        "--project", default="", metavar="FOLDER", help="in a bare repository: the project's folder"
    )
    shared.add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Tell the history."""
    if options.most is not None and options.most < 1:
        raise ArtlockError(f"`-n {options.most}` is not a number of versions", "give 1 or more")
    if options.all and options.revision:
        raise ArtlockError(f"`--all` and `{options.revision}` are both given", "leave one of the two away")
    revision = options.revision or "HEAD"
    found = place(options.start, options.project, revision)
    wanted = Wanted(revision=revision, everywhere=options.all, first_parent=options.first_parent)
    told = history(found, options.name, wanted, prompts=options.prompt, most=options.most)
    if options.html is not None:
        _write(options.html, told, found)
    if options.json:
        print_json(as_json(told))
    elif options.html is not None:
        print(options.html)
    else:
        print("\n".join(_graph(told) if options.graph else _list(told)))
    return Exit.FINE


def _write(path: Path, told: History, found: Place) -> None:
    from buildsys.history.page import MARK, page  # noqa: PLC0415 - draws charts: only a page needs it
    from buildsys.history.pictures import collected  # noqa: PLC0415 - the same
    from buildsys.store.objects import Store  # noqa: PLC0415
    from buildsys.store.place import default_root  # noqa: PLC0415

    pages.check_target(path, MARK, "log")
    pictures = collected(found.folder, found.above, Store(default_root()), told.versions)
    for note in pictures.notes:
        say(f"note: {tame(note)}")
    write_durably(path.absolute(), page(told, pictures.kept, pictures.lost).encode())


def as_json(told: History) -> dict[str, Any]:
    """The history for a program."""
    return {
        "name": told.name,
        "versions": [_version_json(version) for version in told.versions],
        "unreadable": [
            {"commit": entry.commit.name, "date": entry.commit.date, "why": entry.why}
            for entry in told.entries
            if isinstance(entry, Gap)
        ],
        "ends": told.ends,
    }


def _version_json(version: Version) -> dict[str, Any]:
    record, approved, commit = version.record, version.approved, version.commit
    return {
        "commit": commit.name,
        "date": commit.date,
        "author": {"name": commit.author, "mail": commit.mail},
        "subject": commit.subject,
        "kind": version.kind.value,
        "name": version.name,
        "renamed_from": version.before.name if version.kind == "renamed" and version.before else None,
        "became": version.became,
        "engine": record.engine if record else None,
        "recipe": record.recipe if record else None,
        "parts": msgspec.to_builtins(record.parts) if record else None,
        "output": record.output if record else None,
        "picture": msgspec.to_builtins(record.picture) if record else None,
        "distance": version.distance,
        "changed": msgspec.to_builtins(version.fields),
        "approved": approved
        and {"by": approved.word.by, "commit": approved.commit.name if approved.commit else None},
        "frozen": version.frozen,
        "current": version.current,
        "oldest_known": version.oldest_known,
    }


def _list(told: History) -> Iterator[str]:
    yield paint(printable(f"{told.name}: {words.heading(told)}"), "bold")
    for entry in told.entries:
        yield ""
        yield from _block(entry)
    yield from _last(told)


def _block(entry: Entry) -> Iterator[str]:
    commit = entry.commit
    line = f"{commit.day}  {printable(words.author_told(commit))}  {printable(commit.subject)}"
    yield f"{paint(commit.short, 'yellow')}  {line}"
    if isinstance(entry, Gap):
        yield _INDENT + paint(printable(f"not readable: {entry.why}"), "red")
        return
    facts = [words.kind_told(entry)]
    if entry.distance is not None and entry.kind is Kind.CHANGED:
        facts.append(f"{words.distance_told(entry.distance)} from the one before")
    facts += [f"pixels {words.picture_told(entry.record)}"] if entry.record else []
    facts += ["frozen"] if entry.frozen else []
    facts += ["current"] if entry.current else []
    yield _INDENT + printable(" · ".join(facts))
    if said := words.approved_told(entry):
        yield _INDENT + paint(printable(said), "green")
    yield from (_INDENT + line for line in _changes(entry))


def _changes(version: Version) -> Iterator[str]:
    if version.record and version.before is None:
        for name, value in words.facts(version.record):
            if value:
                yield f"{name}: {printable(value)}"
        return
    fields, more = words.fewer(version.fields)
    for field in fields:
        yield f"{printable(field.name)}: {_field(field)}"
    if more:
        yield more


def _field(field: Field) -> str:
    if not field.words:
        return printable(words.field_told(field))
    pieces = ((printable(text), state) for text, state in words.marked(field))
    return "".join(paint(text, _COLOURS[state]) if state in _COLOURS else text for text, state in pieces)


def _graph(told: History) -> Iterator[str]:
    yield paint(printable(f"{told.name}: {words.heading(told)}"), "bold")
    yield ""
    rows = []
    for entry in told.entries:
        commit = entry.commit
        if isinstance(entry, Gap):
            bits, what = None, f"not readable: {entry.why}"
        else:
            bits, what = entry.distance, words.kind_told(entry) + (", current" if entry.current else "")
        number = "" if bits is None else str(bits)
        subject = printable(commit.subject)
        cells = (commit.short, commit.day, words.bar(bits), f"{number:>2}", printable(what), subject)
        rows.append(cells)
    yield columns(rows)
    yield ""
    yield f"bits of {words.BITS} in which the perceptual hash differs from that of the version before"
    yield from _last(told)


def _last(told: History) -> Iterator[str]:
    if told.passed:
        yield ""
        yield words.PASSED
    if told.ends:
        yield ""
        yield told.ends
