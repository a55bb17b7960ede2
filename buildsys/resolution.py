"""Resolving: a person's word on assets that both sides of a merge changed, and the picture that goes with it.

The pictures come first, then the lock, so that whatever ends it in between, the same command goes on from
there. Knows nothing of terminals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Final

import msgspec

from buildsys import digest, files, git
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, DiskError, GitError, ManifestError, did_you_mean
from buildsys.files.durable import disk_error
from buildsys.files.placed import Placed
from buildsys.lock.model import Conflict
from buildsys.lock.write import check_writable, save
from buildsys.manifest.model import AssetName
from buildsys.plan import recipe
from buildsys.plan.companions import files_of
from buildsys.plan.record import Record
from buildsys.plan.stale import differences
from buildsys.plan.step import Step
from buildsys.session import LOCK, PRIVATE, Session

_REVISIONS: Final = ("", ":1", ":2", ":3", "HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD")
"""Where git may have a picture: in the index, whole or as one of the three sides, and in what is merged."""


class Choice(StrEnum):
    """What a person may say of a conflict."""

    OURS = "ours"
    THEIRS = "theirs"
    REBUILD = "rebuild"
    """Neither: the next build makes it."""


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """One asset that is in conflict no more."""

    name: AssetName
    choice: Choice
    files: tuple[str, ...] = ()
    """Paths that this changed."""
    notes: tuple[str, ...] = ()
    """For a person: what is left to do."""


def chosen(session: Session, words: Collection[str]) -> tuple[AssetName, ...]:
    """The assets in conflict that the words of a command line name, with all scales and formats.

    Raises `ArtlockError`.
    """
    open_ = session.lock.conflicts
    found: dict[AssetName, None] = {}
    for word in words:
        names = [name for name in open_ if name == word or name.startswith(f"{word}@")]
        if not names:
            hint = did_you_mean(word, open_) or "run `artlock resolve` for the list"
            raise ArtlockError(f"`{word}` is in no conflict", hint)
        found.update(dict.fromkeys(names))
    return tuple(found)


def resolve(session: Session, names: Collection[AssetName], choice: Choice) -> tuple[Resolved, ...]:
    """Write into the lock what a person says of the conflicts over `names`, and bring their pictures.

    What is left in conflict stays between marks. Raises `LockError`, `DiskError`, and `ArtlockError` where
    a side can't be taken.
    """
    with files.ExclusiveLock(session.root / PRIVATE / "build.lock"):
        session.read_lock()
        check_writable(session.lock)
        conflicts = {name: session.lock.conflicts[name] for name in names if name in session.lock.conflicts}
        taken = {name: _side(name, conflict, choice) for name, conflict in conflicts.items()}
        made = [record for record in taken.values() if record is not None]
        lock = session.lock.updated(made, removed=[name for name in taken if taken[name] is None])
        owned = {path for record in lock.records.values() for path in files_of(record)}
        pictures = _Pictures(session)
        brought = {
            name: pictures.follow(conflicts[name], record, owned, rebuild=choice is Choice.REBUILD)
            for name, record in taken.items()
        }
        if session.lock.marked:  # also where nothing was in conflict: then the marks alone go
            save(session.root / LOCK, lock)
        session.index.save()
    session.read_lock()
    steps = _asked(session, taken)
    return tuple(
        Resolved(
            name=name,
            choice=choice,
            files=changed,
            notes=(*notes, *_of_manifest(conflicts[name], taken[name], choice, steps.get(name))),
        )
        for name, (changed, notes) in brought.items()
    )


def _side(name: AssetName, conflict: Conflict, choice: Choice) -> Record | None:
    """The record that `choice` means; None where there is to be none. Raises `ArtlockError`."""
    if choice is Choice.REBUILD:
        return None
    ours = choice is Choice.OURS
    record, mixed = (conflict.ours if ours else conflict.theirs), conflict.mixed[0 if ours else 1]
    if record is not None and (mixed or recipe.digest_of(record.parts) != record.recipe):
        raise ArtlockError(
            f"git mixed the lines of both sides in what the lock has of `{name}`",
            f"run `artlock resolve {name} --rebuild`, or `git checkout --merge {LOCK}` first",
        )
    return record


class _Pictures:
    """Brings the files of what was chosen to where they go."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._placed = Placed(session.root)

    def follow(
        self, conflict: Conflict, record: Record | None, owned: Collection[str], *, rebuild: bool
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Paths that were changed, and notes. What a person painted over is kept, and told."""
        changed, notes = [], []
        wanted = files_of(record) if record is not None else {}
        for path in dict.fromkeys([*wanted, *self._paths(conflict)]):
            if path in owned and path not in wanted:
                continue
            try:
                note = self._follow(path, wanted.get(path), self._known(conflict, path), rebuild=rebuild)
            except DiskError as error:
                note = error.message
            if note:
                notes.append(note)
            elif note is None:
                changed.append(path)
        return tuple(changed), tuple(notes)

    def _follow(
        self, path: str, wanted: Digest | None, known: Collection[Digest], *, rebuild: bool
    ) -> str | None:
        """What is to be said of the file at `path`: None where it was changed, empty for nothing."""
        session = self._session
        lies = session.index.digest(path)
        if lies == wanted or (lies is None and rebuild):
            return ""
        if lies is not None and lies not in known and not self._is_in_git(path, lies):
            return f"`{path}` was changed by hand, and is kept"
        if rebuild and lies is not None:
            # The lock will know nothing of it, and the next build must not take it for a person's work.
            self._placed.note(path, lies)
            return ""
        if wanted is None:
            return None if lies is not None and self._remove(path, lies) else ""
        if not session.store.has(wanted):
            for data in self._in_git(path):
                if digest.of_bytes(data) == wanted:
                    session.store.put_bytes(data)
                    break
        if session.store.place(wanted, session.root / path, within=session.root):
            return None
        return f"`{path}` is neither in the store nor in git: `artlock build` brings it, or makes it"

    def _remove(self, path: str, lies: Digest) -> bool:
        """Remove a picture that goes with the side that was not taken, if it can be had again."""
        if not (self._session.store.has(lies) or self._is_in_git(path, lies)):
            return False
        try:
            (self._session.root / path).unlink()
        except OSError as error:
            raise disk_error("remove", self._session.root / path, error) from error
        return True

    def _is_in_git(self, path: str, lies: Digest) -> bool:
        return any(digest.of_bytes(data) == lies for data in self._in_git(path))

    def _in_git(self, path: str) -> Iterator[bytes]:
        root = self._session.root
        for revision in _REVISIONS:
            with suppress(GitError):  # no repository, or nothing of that name is under way
                for _, data in git.blobs(root, revision, [git.prefix(root) + path]):
                    if data is not None:
                        yield data

    @staticmethod
    def _paths(conflict: Conflict) -> Iterator[str]:
        for record in (conflict.ours, conflict.theirs):
            yield from files_of(record) if record is not None else ()

    @staticmethod
    def _known(conflict: Conflict, path: str) -> set[Digest]:
        sides = [record for record in (conflict.base, conflict.ours, conflict.theirs) if record is not None]
        return {found for record in sides if (found := files_of(record).get(path)) is not None}


def _asked(session: Session, names: Collection[AssetName]) -> Mapping[AssetName, Step | None]:
    """What the manifest asks for; None for what it does not have. Empty where it can't be read."""
    try:
        opened = Session.open(session.root, session.manifest.profile or None)
    except ManifestError:
        return {}
    steps = opened.judge().plan().steps
    return {name: steps.get(name) for name in names}


def _of_manifest(
    conflict: Conflict, taken: Record | None, choice: Choice, step: Step | None
) -> tuple[str, ...]:
    """What the manifest says of the choice, where that is something else."""
    if step is None or step.recipe is None or taken is None or step.parts is None:
        return ()
    if _has(taken, step):
        return ()
    other = conflict.theirs if choice is Choice.OURS else conflict.ours
    whose = "ours" if choice is Choice.THEIRS else "theirs"
    side = f"what `{whose}` has" if other is not None and _has(other, step) else "what neither side has"
    changes = "; ".join(reason.text() for reason in differences(taken.parts, step.parts)[:3])
    return (f"the manifest asks for {side} ({changes}): the next build changes it",)


def _has(record: Record, step: Step) -> bool:
    """Whether `record` is of what `step` asks for, made by whichever engine."""
    return not {record.recipe, record.asked}.isdisjoint({step.recipe, step.asked} - {None})
