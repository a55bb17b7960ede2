"""`artlock git …`: what git runs by itself: the filter of `git diff`, the merge driver, the difftool.

`artlock hooks install` sets them up. What they return is what git expects.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from buildsys.errors import Exit

_MOST_NAMED = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what git may ask for."""
    asked = parser.add_subparsers(dest="asked", required=True, metavar="WHAT")
    show = asked.add_parser("textconv", help="print the facts of a picture, for `git diff`")
    show.add_argument("file", type=Path)
    merge = asked.add_parser("merge-lock", help="merge three versions of assets.lock into the second")
    for name in ("base", "ours", "theirs"):
        merge.add_argument(name, type=Path)
    merge.add_argument("path", nargs="?", default="assets.lock", help="its name in the repository")
    tool = asked.add_parser("difftool", help="show two pictures, or two folders of them, side by side")
    tool.add_argument("before", type=Path)
    tool.add_argument("after", type=Path)


def run(options: argparse.Namespace) -> int:
    """Do what git asked for."""
    match options.asked:
        case "textconv":
            return _textconv(options.file)
        case "merge-lock":
            return _merge_lock(options)
        case _:
            return _difftool(options.before, options.after)


def _merge_lock(options: argparse.Namespace) -> int:
    """0 where nothing is in conflict; 21 (`Exit.CONFLICT`) where marks say what is.

    Not 1, though git takes that for a conflict, too: Python ends so where artlock can't even be loaded, and
    then nothing was merged.
    """
    from buildsys.cli.console import say, tame  # noqa: PLC0415 - each errand loads what it needs
    from buildsys.githooks.lockmerge import merge_files  # noqa: PLC0415

    merged = merge_files(options.base, options.ours, options.theirs, options.path)
    if not merged.conflicts:
        return Exit.FINE
    names = [f"`{name}`" for name in merged.conflicts]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    listed = ", ".join(names[:_MOST_NAMED])
    say(tame(f"both sides changed {listed}{more} in `{options.path}`\n\nhint: run `artlock resolve`"))
    return Exit.CONFLICT


def _textconv(file: Path) -> int:
    from buildsys.cli.console import tame  # noqa: PLC0415 - as above
    from buildsys.githooks.facts import facts_of  # noqa: PLC0415

    print(tame("\n".join(facts_of(file))))
    return Exit.FINE


def _difftool(before: Path, after: Path) -> int:
    import tempfile  # noqa: PLC0415 - as above
    import webbrowser  # noqa: PLC0415

    from buildsys.cli.console import say  # noqa: PLC0415
    from buildsys.githooks.sides import review_of  # noqa: PLC0415
    from buildsys.review import page  # noqa: PLC0415

    review, pictures = review_of(before, after)
    # Not removed: the browser reads it when this is long over.
    file = Path(tempfile.mkdtemp(prefix="artlock-difftool-"), "review.html")
    page.write(review, pictures, file)
    if not webbrowser.open(file.as_uri()):
        say("no browser could be opened\n")
    print(f"the page is {file}")
    return Exit.FINE
