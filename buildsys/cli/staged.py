"""`artlock check --staged`: does what is staged agree with itself? For a hook before a commit.

What lies around in the checkout is asked for one thing only: which command mends a commit.
"""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from buildsys import agreement, git
from buildsys.agreement import Agreement
from buildsys.cli.console import count, paint, print_json, say, tame
from buildsys.errors import Exit, GitError, ManifestError, NoProjectError
from buildsys.places import LOCK, MANIFEST, find_root
from buildsys.staged.index import Index

if TYPE_CHECKING:
    from buildsys.lock.model import Lock
    from buildsys.manifest.model import AssetName
    from buildsys.plan.step import Step
    from buildsys.staged.examine import Found

_MOST_NAMED = 6
"""Paths that a hint names one by one."""


def tell(options: argparse.Namespace) -> int:
    """Say what differs, and the one command that mends it; nothing is said where nothing is concerned."""
    with Index(_root(options.start)) as index:
        known = index.entries.keys() & {MANIFEST, LOCK}
        if not index.changed or not known:
            return _tell_agreement(0, options)
        if not options.full and (checked := _recalled(index, options.profile)) is not None:
            return _tell_agreement(checked, options)
        # As for `check`: a tenth of the time went into looking for cycles.
        gc.disable()
        try:
            return _whole(index, options)
        finally:
            gc.enable()


def _root(start: Path) -> Path:
    try:
        return find_root(start)
    except NoProjectError:
        pass
    try:
        # Deleted by hand, it may be staged all the same.
        return find_root(start, LOCK, MANIFEST)
    except NoProjectError as error:
        if not (games := _games(start)):
            raise
        import shlex  # noqa: PLC0415 - not for a hook that has nothing to say

        shown = ", ".join(f"`{game}`" for game in games[:_MOST_NAMED])
        more = f" and {len(games) - _MOST_NAMED} more" if len(games) > _MOST_NAMED else ""
        fact = f"there is no `{MANIFEST}` here or above; this repository has games in {shown}{more}"
        raise NoProjectError(fact, f"run `artlock check --staged -C {shlex.quote(games[0])}`") from error


def _games(start: Path) -> list[str]:
    """Folders of the manifests that git has below `start`, from where the command was run."""
    listing = b""
    with suppress(GitError):  # no repository, or a bare one
        listing = git.run(start, "ls-files", "-z", "--", f":(glob)**/{MANIFEST}", keep=["GIT_INDEX_FILE"])
    paths = sorted({os.fsdecode(path) for path in listing.split(b"\0") if path})
    return [os.path.relpath((start / path).parent) for path in paths]


def _recalled(index: Index, profile: str | None) -> int | None:
    """How many assets agree, as far as the last check of the checkout tells: 0 where none is concerned."""
    concerned = False

    def holds(found: Agreement) -> bool:
        nonlocal concerned
        decided = found.files.keys() | found.texts.keys()
        concerned = any(path in decided or path.startswith(f"{found.out}/") for path in index.changed)
        # A file that `include` matched is not there to be matched.
        torn = bool(found.included and index.deleted)
        return index.is_checkout(found.files, found.texts) and not torn

    checked = agreement.agreeing(index.root, profile, holds)
    return checked if concerned or checked is None else 0


def _whole(index: Index, options: argparse.Namespace) -> int:
    from buildsys.staged.examine import examine  # noqa: PLC0415 - not where all is as it was

    try:
        session, found = examine(index, options.profile)
    except ManifestError as error:
        if not index.same(MANIFEST) and (mend := _mend_by_checkout(index, options.profile)):
            raise ManifestError(error.message, mend) from error
        raise
    if found.agree or not found.concerned:
        return _tell_agreement(len(found.plan.steps) if found.concerned else 0, options)
    return _tell_differences(index, found, options, session.lock)


def _tell_agreement(checked: int, options: argparse.Namespace) -> int:
    if options.json:
        nothing: list[str] = []
        print_json(
            {
                "agree": True,
                "kind": "",
                "code": Exit.FINE,
                "checked": checked,
                "differences": nothing,
                "orphans": nothing,
                "placeholders": nothing,
            }
        )
    elif options.quiet:
        pass
    elif checked:
        print(f"{count(checked, 'asset')} checked: manifest, lock and files agree as they are staged")
    else:
        print("nothing is staged that artlock looks after")
    return Exit.FINE


def _tell_differences(index: Index, found: Found, options: argparse.Namespace, lock: Lock) -> int:
    from buildsys.cli import differences  # noqa: PLC0415 - it loads what a commit mostly does not need

    told = [differences.as_json(step) for step in found.differing]
    told += [differences.undecided(name) for name in found.undecided]
    code = differences.code_of(
        {str(item["kind"]) for item in told} | ({"orphan"} if found.plan.orphans else set())
    )
    if options.json:
        print_json(
            {
                "agree": False,
                "kind": code.name.lower() if code >= Exit.RECIPE else "several",
                "code": code,
                "checked": len(found.plan.steps),
                "differences": told,
                "orphans": list(found.plan.orphans),
                "placeholders": list(found.placeholders),
            }
        )
        return code
    for step in found.differing:
        print(f"{paint(differences.kind(step), 'yellow')}  {step.name}: {tame(_told(step))}")
    for name in found.plan.orphans:
        print(
            f"{paint('orphan', 'yellow')}  {name}: the staged manifest no longer has it, the staged lock has"
        )
    for name in found.undecided:
        print(f"{paint('conflict', 'yellow')}  {name}: both sides of a merge changed it")
    number = len(found.differing) + len(found.plan.orphans) + len(found.undecided)
    mend = _mend(index, found, lock, options.profile)
    checked = count(max(len(found.plan.steps), len(lock.records)), "asset")
    say(f"\n{count(number, 'difference')} in {checked}, as they are staged\n\nhint: {mend}")
    return Exit.FAILED


def _told(step: Step) -> str:
    """Why one asset differs, in the words of what is staged."""
    from buildsys.cli.differences import OF_ENGINES, engines  # noqa: PLC0415 - as above
    from buildsys.plan.step import Why  # noqa: PLC0415

    said = {
        Why.NEW: f"the staged `{LOCK}` does not know it",
        Why.MISSING: "`{}` is not staged",
        Why.EDITED: f"the staged `{{}}` is not the one that the staged `{LOCK}` tells of",
        Why.FOREIGN: f"`{{}}` is staged, and the staged `{LOCK}` does not know it",
        Why.MOVED: "the staged `{}` is another asset's picture",
        Why.INPUT: "`{}` is not staged",
    }
    reasons = [item for item in step.reasons if item.why not in OF_ENGINES] or list(step.reasons)
    # One file of an asset tells as much as that the lock does not know it.
    if any(item.why is Why.FOREIGN for item in reasons):
        reasons = [item for item in reasons if item.why is not Why.NEW]
    texts = [
        said[item.why].format(item.new if item.why is Why.INPUT else item.field or step.output)
        if item.why in said
        else item.text()
        for item in reasons
    ]
    return "; ".join([*engines(step), *texts])


def _mend(index: Index, found: Found, lock: Lock, profile: str | None) -> str:
    """One action: to stage the rest where the checkout agrees, else what makes it agree."""
    from buildsys.cli.differences import kind  # noqa: PLC0415 - as above

    if found.undecided or any(kind(step) == "conflict" for step in found.differing):
        return "run `artlock resolve`"
    build = f"artlock build --profile {profile}" if profile else "artlock build"
    # Of an asset that is gone from the manifest, a build keeps the entry as long as its file lies there.
    lasting = any((index.root / lock.records[name].output).exists() for name in found.plan.orphans)
    mend = "artlock clean" if lasting and not found.differing else build
    names = [step.name for step in found.differing]
    return _mend_by_checkout(index, profile, names) or f"run `{mend}`, and stage what it changes"


def _mend_by_checkout(index: Index, profile: str | None, differing: Collection[AssetName] = ()) -> str:
    """What mends a commit where a build would change nothing; empty where that is not so."""
    from buildsys.staged.examine import lying  # noqa: PLC0415 - as above

    found = lying(index, profile, differing)
    if found is None:
        return ""
    if found.edited:
        from buildsys.cli import edited  # noqa: PLC0415 - as above

        mend = edited.mend(found.session, found.edited, profile)
        # Of one that is frozen, nothing changes: the next hint is which file to stage.
        return mend if found.edited[0].frozen else f"{mend}, and stage what it changes"
    return _staging(index, found.unstaged)


def _staging(index: Index, paths: Collection[str]) -> str:
    """The command that stages `paths`."""
    if not paths:
        return ""
    if ignored := sorted(index.ignored(paths)):
        return f"take `{ignored[0]}` out of what git ignores, and stage it"
    if len(paths) > _MOST_NAMED:
        # One by one, they would hide the command. A folder of the project's stands for what is in it.
        paths = dict.fromkeys(path.partition("/")[0] for path in paths)
    import shlex  # noqa: PLC0415 - as above

    here = [os.path.relpath(index.root / path) for path in paths]
    return f"run `git add {shlex.join(here)}`"
