"""`artlock audit`: for each picture that ships who, when, with what, from what, and under which licence."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from buildsys import git
from buildsys.audit import disclosure, forms, page, statement
from buildsys.audit.gather import chosen, gather
from buildsys.audit.ground import Ground, Past
from buildsys.audit.inbound import Files
from buildsys.audit.makers import raw_of
from buildsys.audit.model import Audit
from buildsys.audit.shown import shown
from buildsys.cli import options as shared
from buildsys.cli.console import count, say, tame
from buildsys.cli.pages import check_target
from buildsys.errors import ArtlockError, Exit, GitError
from buildsys.files import write_durably
from buildsys.history.run import Place, place
from buildsys.places import LOCK, MANIFEST, find_root


class _Form(NamedTuple):
    write: Callable[[Audit], str]
    mark: str
    """By which a file of this form is known as ours, and may be written over."""


_FORMS: Final[Mapping[str, _Form]] = {
    "text": _Form(forms.text, "  made by: "),
    "jsonl": _Form(forms.jsonl, '{"audit":'),
    "csv": _Form(forms.comma_separated, ",".join(forms.COLUMNS[:4])),
    "html": _Form(page.page, page.MARK),
}
_SUFFIXES: Final = {".txt": "text", ".jsonl": "jsonl", ".csv": "csv", ".html": "html"}
_SIDECAR: Final = ".c2pa"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="assets, or globs; all that ship otherwise")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--format", choices=_FORMS, help="how to tell it; by the suffix of --out, else text")
    form.add_argument(
        "--statement", action="store_true", help="an in-toto statement with SLSA provenance, unsigned"
    )
    form.add_argument(
        "--disclosure", action="store_true", help="a text for storefronts' questions about AI content"
    )
    parser.add_argument("--rev", default="", metavar="REV", help="of this commit; the working tree otherwise")
    parser.add_argument(
        "--project", default="", metavar="FOLDER", help="in a bare repository: the project's folder"
    )
    parser.add_argument("--out", type=Path, metavar="PATH", help="write it to this file")
    parser.add_argument(
        "--sidecars", type=Path, metavar="DIR", help="write the C2PA manifests that came in to this folder"
    )
    parser.add_argument(
        "--builder",
        default=statement.BUILDER,
        metavar="URI",
        help="with --statement: the platform that built, such as the address of a CI workflow",
    )


def run(options: argparse.Namespace) -> int:
    """Tell what ships. What could not be told is said on stderr."""
    if options.disclosure and options.names:
        raise ArtlockError("`--disclosure` tells of all that ships", "name no asset")
    form = _form(options)
    if options.out is not None:
        check_target(options.out, form.mark, "audit")
    here = _place(options)
    # In a bare repository nothing is checked out: what ships is what was committed last.
    revision = options.rev or ("HEAD" if here.bare else "")
    options.start = here.folder
    session = shared.presets(options)
    with ExitStack() as stack:
        if revision:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="artlock-"))
            ground: Ground = Past(session, revision, Path(scratch), here.above)
        else:
            ground = Ground(session)
        files = Files(ground.data)
        audit = gather(session, ground, files, options.names)
        text = page.page(audit, shown(ground, audit)) if form.write is page.page else form.write(audit)
        if options.sidecars is not None:
            _sidecars(options, ground, files)
    if options.out is None:
        sys.stdout.write(text if form.write is not forms.text else tame(text))
    else:
        write_durably(options.out.absolute(), text.encode())
        print(options.out)
    for note in (*audit.notes, *(_left_out(audit) if options.statement else ())):
        say(f"note: {tame(note)}")
    return Exit.FINE


def _place(options: argparse.Namespace) -> Place:
    """Where the project is, in git or without it. Raises `ArtlockError`."""
    try:
        return place(options.start, options.project, options.rev)
    except GitError:
        if _git_answers(options.start):
            raise
        # No git, or no repository: who asks for a revision is told below, and the rest can be said without.
        return Place(find_root(options.start / options.project, LOCK, MANIFEST), "", LOCK)


def _git_answers(folder: Path) -> bool:
    try:
        git.run(folder, "rev-parse", "--git-dir")
    except GitError:
        return False
    return True


def _form(options: argparse.Namespace) -> _Form:
    if options.statement:
        return _Form(lambda audit: _stated(audit, options.builder), statement.TYPE)
    if options.disclosure:
        return _Form(disclosure.disclosure, disclosure.TITLE)
    if options.format or options.out is None:
        return _FORMS[options.format or "text"]
    if (suffix := options.out.suffix.lower()) not in _SUFFIXES:
        known = ", ".join(f"`{known}`" for known in _SUFFIXES)
        raise ArtlockError(
            f"`--out {options.out}` ends in none of {known}",
            "name the form with `--format`, such as `--format csv`",
        )
    return _FORMS[_SUFFIXES[suffix]]


def _stated(audit: Audit, builder: str) -> str:
    if not statement.attested(audit):
        raise ArtlockError(
            "no file is as the lock has it, so there is nothing to state",
            "run `artlock build`, then try again",
        )
    return json.dumps(statement.statement(audit, builder), ensure_ascii=False, indent=2) + "\n"


def _left_out(audit: Audit) -> tuple[str, ...]:
    attested = {entry.asset for entry in statement.attested(audit)}
    left = [entry.asset for entry in audit.entries if entry.asset not in attested]
    if not left:
        return ()
    named = ", ".join(f"`{name}`" for name in left[: shared.MOST_NAMED])
    more = f" and {len(left) - shared.MOST_NAMED} more" if len(left) > shared.MOST_NAMED else ""
    return (f"the statement leaves out {named}{more}: changed by hand, or not here",)


def _sidecars(options: argparse.Namespace, ground: Ground, files: Files) -> None:
    """Write each inbound manifest store beside its asset's name; `c2patool` reads these files."""
    written = 0
    cards = ground.cards
    for name in chosen(ground, options.names):
        found = raw_of(ground.lock.records[name], cards)
        data = files.sidecar(*found) if found is not None else None
        if data is not None:
            write_durably(options.sidecars.absolute() / f"{name}{_SIDECAR}", data)
            written += 1
    say(f"{count(written, 'C2PA manifest')} written to `{tame(str(options.sidecars))}`")
