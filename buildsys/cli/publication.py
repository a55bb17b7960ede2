"""What `artlock diff` writes for others: the page, the comment of a pull request, the contact sheet."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Final

from buildsys import git
from buildsys.cli.console import say, tame
from buildsys.cli.pages import check_target
from buildsys.errors import ArtlockError, GitError
from buildsys.files import write_durably
from buildsys.review.model import Pictures, Review

_STDOUT: Final = Path("-")


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--html`, `--folder`, `--inline`, `--markdown`, `--sheet`, `--link`, `--sheet-link`."""
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page that needs nothing else")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--folder", action="store_true", default=None, help="put its pictures into a folder beside it"
    )
    where.add_argument(
        "--inline", dest="folder", action="store_false", default=None, help="put them into it, however many"
    )
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write a comment for a pull request; `-` prints it"
    )
    parser.add_argument("--link", default="", metavar="URL", help="where the comment finds the page")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write a contact sheet, a PNG")
    parser.add_argument("--sheet-link", default="", metavar="URL", help="where the comment finds the sheet")


def on_stdout(options: argparse.Namespace) -> bool:
    """Whether the comment goes where the table would."""
    return bool(options.markdown == _STDOUT)


def check(options: argparse.Namespace) -> None:
    """Refuse what can't be written, before anything is measured. Raises `ArtlockError`."""
    if options.json and on_stdout(options):
        raise ArtlockError("`--json` and `--markdown -` are both for stdout", "give `--markdown` a file")
    if options.folder is not None and options.html is None:
        option = "--folder" if options.folder else "--inline"
        raise ArtlockError(f"`{option}` is about a page, and none is asked for", "add `--html FILE`")
    if options.no_pictures and (options.html or options.sheet):
        option = "--html" if options.html else "--sheet"
        raise ArtlockError(f"`{option}` shows pictures, and `--no-pictures` looks at none", "leave one away")
    if options.html is not None:
        from buildsys.review.page import MARK  # noqa: PLC0415 - only a page needs it

        check_target(options.html, MARK, "diff")
    if options.markdown is not None and not on_stdout(options):
        from buildsys.review.markdown import MARK as COMMENT  # noqa: PLC0415 - only a comment needs it

        check_target(options.markdown, COMMENT, "diff --markdown")
    if options.sheet is not None:
        from buildsys.review.sheet import MARK as SHEET  # noqa: PLC0415 - only a sheet needs it

        check_target(options.sheet, SHEET, "diff --sheet")


def publish(options: argparse.Namespace, review: Review, pictures: Pictures, root: Path) -> None:
    """Write what the options ask for. Raises `ArtlockError`."""
    if options.html is not None:
        from buildsys.review.page import write  # noqa: PLC0415 - only a page needs it

        write(review, pictures, options.html, folder=options.folder)
        say(tame(str(options.html)))
    if options.sheet is not None:
        _sheet(options.sheet, review, pictures, root)
    if options.markdown is not None:
        _comment(options, review, root)


def _sheet(path: Path, review: Review, pictures: Pictures, root: Path) -> None:
    from buildsys.review.run import workplace  # noqa: PLC0415 - only a sheet needs it
    from buildsys.review.sheet import draw  # noqa: PLC0415 - the same

    if not review.changes:
        say(tame(f"nothing differs: `{path}` is not written"))
        return
    with workplace(root) as work:
        write_durably(path.absolute(), draw(review, pictures, work))
    say(tame(str(path)))


def _comment(options: argparse.Namespace, review: Review, root: Path) -> None:
    from buildsys.review.markdown import comment  # noqa: PLC0415 - only a comment needs it

    place = ""
    with suppress(GitError):  # a bare repository has no work tree
        place = git.prefix(root).rstrip("/")
    text = comment(review, link=options.link, sheet=options.sheet_link, place=place)
    if on_stdout(options):
        print(text, end="")
        return
    write_durably(options.markdown.absolute(), text.encode())
    say(tame(str(options.markdown)))
