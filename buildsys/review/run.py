"""A review carried out: locks from git, pictures from wherever they are, measured, explained and ranked.

Writes nothing into the project but what its own caches are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import msgspec

from buildsys.digest import Digest
from buildsys.errors import LockError, did_you_mean
from buildsys.journal.costs import Costs
from buildsys.journal.words import count
from buildsys.lock.model import Lock
from buildsys.make.events import Event
from buildsys.manifest.model import AssetName
from buildsys.places import LOCK, MANIFEST, PRIVATE
from buildsys.review import lying, revisions
from buildsys.review.changes import Snapshot, compare
from buildsys.review.costs import costs, total
from buildsys.review.known import Known, Pair
from buildsys.review.model import Change, Kind, Measure, Pictures, Review, Revision, Side
from buildsys.review.pictures import Sources
from buildsys.review.rank import attention
from buildsys.store.objects import Store
from buildsys.store.place import default_root

_SAME: Final = "identical-pixels"


def review(  # noqa: PLR0913 - all named where a review is asked for
    root: Path,
    before: str,
    after: str | None,
    *,
    merge_base: bool,
    staged: bool,
    measure: bool = True,
    names: Collection[str] = (),
    store: Store | None = None,
    tell: Callable[[Event], None] = lambda _: None,
) -> tuple[Review, Pictures]:
    """What changed between two revisions of the project in the folder `root`, and its pictures.

    Args:
        root: the project.
        before: a revision.
        after: another one; None for the working tree, or for the index.
        merge_base: from where the two went apart, instead of `before`.
        staged: the index, where there is no `after`.
        measure: look at the pictures. Else all that is told is what the locks say, and what lies in the
            working tree; no process is started, and nothing is read but the locks.
        names: assets to look at, or globs; all where none is given. An asset's other scales and formats
            go with it.
        store: this user's, if left out.
        tell: given what happens to the processes that measure.

    Raises `GitError`, `LockError` (also for a name of no asset), and `KeyboardInterrupt` on INT, TERM or HUP.
    What is lost is said, not raised.
    """
    store = store or Store(default_root())
    old, new = revisions.revisions(root, before, after, merge_base=merge_base, staged=staged)
    (lock_before, notes_before), (lock_after, notes_after) = (
        revisions.lock_of(root, side) for side in (old, new)
    )
    sources = Sources(root, store)
    _check_names(names, lock_before, lock_after)
    first, second = _snapshots(root, (old, lock_before), (new, lock_after), sources, looking=measure)
    changes, unchanged = compare(first, second, _wanted(names))
    notes: tuple[str, ...] = (*dict.fromkeys([*notes_before, *notes_after]),)
    if measure:
        notes += sources.bring([file for file in _shown(changes) if not sources.has(file)])
        changes = _sourced(changes, sources)
        notes += _losses(changes, sources, (old, new))
        found = _measured(root, changes, sources, Known(store), tell)
        changes = tuple(_judged(change, found) for change in changes)
        sources.close()
    known = costs(root, store)
    changes = tuple(_priced(change, known) for change in changes)
    ranked = [msgspec.structs.replace(change, attention=attention(change)) for change in changes]
    ranked.sort(key=lambda change: (-change.attention, change.name))
    return Review(
        before=old,
        after=new,
        changes=tuple(ranked),
        unchanged=unchanged,
        counts={kind: number for kind in Kind if (number := sum(one.kind is kind for one in ranked))},
        cost=total(ranked),
        project=root.name,
        notes=notes,
    ), sources


def _snapshots(
    root: Path,
    before: tuple[Revision, Lock],
    after: tuple[Revision, Lock],
    sources: Sources,
    *,
    looking: bool,
) -> tuple[Snapshot, Snapshot]:
    """The locks, each with the files that are not what it tells of."""
    (old, lock_before), (new, lock_after) = before, after
    is_tree = not new.commit and not new.index
    edited = lying.in_tree(root, lock_after, sources) if is_tree else {}
    if not looking:
        return Snapshot(lock=lock_before), Snapshot(lock=lock_after, edited=edited)
    paths = revisions.changed(root, old, new)
    names = lying.suspects(lock_before, lock_after, paths) | edited.keys()
    first = lying.in_git(root, old, lock_before, names, sources)
    if not is_tree:
        edited = lying.in_git(root, new, lock_after, names, sources)
    return Snapshot(lock=lock_before, edited=first), Snapshot(lock=lock_after, edited=edited)


def _wanted(names: Collection[str]) -> Callable[[AssetName], bool]:
    """Whether an asset is among `names`: by its name, as another scale or format of it, or by a glob."""
    return lambda name: (
        not names or any(fnmatchcase(name, word) or name.startswith(f"{word}@") for word in names)
    )


def _check_names(names: Collection[str], before: Lock, after: Lock) -> None:
    """Raise `LockError` for a word that means no asset of either side."""
    known = {*before.records, *after.records, *before.conflicts, *after.conflicts}
    for word in names:
        if not any(map(_wanted([word]), known)):
            hint = did_you_mean(word, known) or "run `artlock status` for the list"
            raise LockError(f"asset `{word}` is on neither side", hint)


def _shown(changes: Collection[Change]) -> list[Digest]:
    sides = (side for change in changes for side in (change.before, change.after))
    return list(dict.fromkeys(side.shown for side in sides if side is not None))


def _sourced(changes: Collection[Change], sources: Sources) -> tuple[Change, ...]:
    """`changes` with what is known of their files, and which are lost."""

    def known(side: Side | None) -> Side | None:
        if side is None:
            return None
        lost, size = sources.lost(side.shown), sources.size(side.shown)
        return msgspec.structs.replace(side, lost=lost, file_bytes=size)

    return tuple(
        msgspec.structs.replace(change, before=known(change.before), after=known(change.after))
        for change in changes
    )


def _losses(
    changes: Collection[Change], sources: Sources, sides: tuple[Revision, Revision]
) -> tuple[str, ...]:
    """How many pictures can't be shown, and the one command that may bring them."""
    olds, news = [change.before for change in changes], [change.after for change in changes]
    files = [[side.shown for side in each if side is not None and side.lost] for each in (olds, news)]
    lost = {file for each in files for file in each}
    if not lost:
        return ()
    told = f"{count(len(lost), 'picture')} can't be shown: "
    if not sources.unfetched(lost):
        return (f"{told}neither git nor the store has {'it' if len(lost) == 1 else 'them'}",)
    commits = [
        side.commit or "HEAD" for side, wanted in zip(sides, files, strict=True) if sources.unfetched(wanted)
    ]
    fetch = " ".join(dict.fromkeys(commits))
    return (f"{told}Git LFS has not fetched all; run `git lfs fetch origin {fetch}`",)


def _pair(change: Change) -> Pair | None:
    """What is to be measured of a change, if anything."""
    if change.kind not in (Kind.CHANGED, Kind.ENCODING) or change.before is None or change.after is None:
        return None
    if change.before.lost or change.after.lost:
        return None
    sizes = [side.record.picture.width * side.record.picture.height for side in (change.before, change.after)]
    return Pair(change.before.shown, change.after.shown, max(sizes))


def _measured(
    root: Path, changes: Collection[Change], pictures: Pictures, known: Known, tell: Callable[[Event], None]
) -> Mapping[Pair, Measure | str]:
    """The pictures that changed, measured; no process is started where all of it is known."""
    pairs = dict.fromkeys(pair for change in changes if (pair := _pair(change)) is not None)
    found: dict[Pair, Measure | str] = {
        pair: measure for pair in pairs if (measure := known.recall(pair)) is not None
    }
    if waiting := [pair for pair in pairs if pair not in found]:
        from buildsys.make.schedule import default_jobs  # noqa: PLC0415 - as below
        from buildsys.review.measured import measured  # noqa: PLC0415 - a fifth of a second, needed once

        with workplace(root) as work:
            for pair, answer in measured(waiting, pictures, work, jobs=default_jobs(), tell=tell):
                found[pair] = answer
                if isinstance(answer, Measure):
                    known.keep(pair, answer)
    return found


def _judged(change: Change, found: Mapping[Pair, Measure | str]) -> Change:
    """`change` with its measures, and of the kind that they show it to be."""
    pair = _pair(change)
    if pair is None:
        return change
    answer = found[pair]
    if not isinstance(answer, Measure):
        return msgspec.structs.replace(change, notes=(*change.notes, f"not measured: {answer}"))
    same, notes = answer.likeness == _SAME, change.notes
    if change.kind is Kind.ENCODING and not same:
        notes = (*notes, "the lock says that its pixels are the same, and they are not")
    kind = Kind.ENCODING if same else Kind.CHANGED
    return msgspec.structs.replace(change, kind=kind, measure=answer, notes=notes)


def _priced(change: Change, known: Costs) -> Change:
    def priced(side: Side | None) -> Side | None:
        return side and msgspec.structs.replace(side, cost=known.of(side.record))

    return msgspec.structs.replace(change, before=priced(change.before), after=priced(change.after))


@contextmanager
def workplace(root: Path) -> Iterator[Path]:
    """Where engines work: the project's own folder, or one for now where there is no project."""
    if any((root / name).is_file() for name in (MANIFEST, LOCK)):
        yield root / PRIVATE / "review"
        return
    with tempfile.TemporaryDirectory(prefix="artlock-review-") as scratch:
        yield Path(scratch)
