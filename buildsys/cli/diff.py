"""`artlock diff [REV[..REV]] [NAME …]`: what changed between two revisions, for a reviewer."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import msgspec

from buildsys import git
from buildsys.cli import options as shared
from buildsys.cli import publication
from buildsys.cli.console import print_json, say, tame
from buildsys.cli.reviewed import table
from buildsys.errors import ArtlockError, Exit, GitError, LockError, did_you_mean
from buildsys.history.run import Place, place
from buildsys.lock.read import load
from buildsys.lockwords import meant
from buildsys.manifest.model import AssetName
from buildsys.places import LOCK
from buildsys.review.model import Pictures, Review, Revision
from buildsys.review.revisions import Ends, ends, lock_of
from buildsys.review.run import review

_GLOB = frozenset("*?[")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "-C", dest="start", metavar="DIR", type=Path, default=Path(), help="work in this folder"
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="REV, REV..REV or REV...REV (HEAD against the working tree), then names of assets, or globs",
    )
    parser.add_argument(
        "--merge-base", action="store_true", help="from where REV and the other side went apart"
    )
    parser.add_argument(
        "--staged", "--cached", action="store_true", help="what is staged, not the working tree"
    )
    parser.add_argument(
        "--no-pictures", action="store_true", help="look at the locks alone: nothing is measured"
    )
    parser.add_argument("--exit-code", action="store_true", help="leave with 1 where anything differs")
    parser.add_argument(
        "--project", default="", metavar="FOLDER", help="in a bare repository: the project's folder"
    )
    shared.add_json(parser)
    publication.add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Show what changed; what is lost is said, and no mistake."""
    publication.check(options)
    here = _place(options)
    found, pictures = _reviewed(options, here)
    publication.publish(options, found, pictures, here.folder)
    if options.json:
        print_json(as_json(found))
    elif not publication.on_stdout(options):
        print(table(found))
    for note in found.notes:
        say(f"note: {tame(note)}")
    return Exit.FAILED if options.exit_code and found.changes else Exit.FINE


def as_json(found: Review) -> dict[str, Any]:
    """The review for a program, as `docs/review.md` lists it: each change with its name first."""
    value: dict[str, Any] = msgspec.to_builtins(found)
    value["changes"] = [
        {"name": change.name, **told} for change, told in zip(found.changes, value["changes"], strict=True)
    ]
    return value


def _reviewed(options: argparse.Namespace, here: Place) -> tuple[Review, Pictures]:
    """The review that the options ask for. Raises `ArtlockError`."""
    asked, names = _asked(here, options.words)
    if here.bare and asked.after is None:
        raise ArtlockError(
            "in a bare repository nothing is checked out or staged",
            "name two commits: `artlock diff HEAD~1..HEAD`",
        )
    if options.staged and asked.after is not None:
        fact = f"`{options.words[0]}` names both sides, and so does `--staged`"
        raise ArtlockError(fact, "leave one of the two away")
    if options.merge_base and len(names) == len(options.words):  # no word was a revision
        raise ArtlockError(
            "`--merge-base` of what?", "name the other branch: `artlock diff --merge-base main`"
        )
    with ExitStack() as closing:
        tell = None
        if not options.json and not options.no_pictures:
            from buildsys.cli.live import display  # noqa: PLC0415 - only what measures has anything to show

            tell = closing.enter_context(display()).tell
        return review(
            here.folder,
            asked.before,
            asked.after,
            merge_base=asked.merge_base or options.merge_base,
            staged=options.staged,
            measure=not options.no_pictures,
            names=names,
            above=here.above,
            tell=tell or (lambda _: None),
        )


def _place(options: argparse.Namespace) -> Place:
    """The project; of a bare repository the one whose lock either side has. Raises `ArtlockError`."""
    sides = next((ends(word) for word in options.words[:1] if ".." in word), Ends())
    return place(options.start, options.project, sides.before, sides.after or "HEAD")


def _asked(here: Place, words: Collection[str]) -> tuple[Ends, tuple[str, ...]]:
    """What the words of the command line mean: the first may be a revision, the others are names.

    Raises `ArtlockError` for a word that could be either.
    """
    first, *others = words or ("HEAD",)
    if ".." in first:
        return ends(first), tuple(others)
    is_revision, is_asset = _is_revision(here.folder, first), first in _assets(here)
    if is_revision and is_asset:
        raise ArtlockError(
            f"`{first}` is a revision, and an asset, too",
            f"write `artlock diff HEAD {first}` for the asset, or `heads/{first}` for the branch",
        )
    if is_revision:
        _check_names(here, first, others)
        return ends(first), tuple(others)
    if is_asset or not _GLOB.isdisjoint(first) or first in _assets(here, "HEAD"):
        return Ends(), tuple(words)
    if hint := did_you_mean(first, _assets(here)):
        raise ArtlockError(f"`{first}` is neither a revision nor an asset", hint)
    return ends(first), tuple(others)  # git says best what it lacks


def _check_names(here: Place, first: str, words: Collection[str]) -> None:
    """Refuse a second revision, as git takes two. Raises `ArtlockError`."""
    second = next(iter(words), "")
    if not second or not _is_revision(here.folder, second):
        return
    try:
        meant([second], {**dict.fromkeys(_assets(here)), **dict.fromkeys(_assets(here, first))})
    except LockError:
        raise ArtlockError(
            f"`{second}` is a revision, where the name of an asset would stand",
            f"write `artlock diff {first}..{second}` to compare the two",
        ) from None


def _is_revision(root: Path, word: str) -> bool:
    with suppress(GitError):
        return bool(git.commit(root, word))
    return False


def _assets(here: Place, revision: str = "") -> Collection[AssetName]:
    """The assets of the lock that lies here, or of that revision's; a lock that is no use has none."""
    with suppress(GitError, LockError):
        if revision:
            commit = Revision(asked=revision, commit=git.commit(here.folder, revision))
            return lock_of(here.folder, commit, here.above)[0].records
        return load(here.folder / LOCK).records
    return ()
