"""Approval: a person's word that a picture is right, in the lock.

It names the picture by its pixels, so it goes where the picture goes, through squash, rebase and cherry-pick,
and lapses when the picture changes. Knows nothing of terminals.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from buildsys import git
from buildsys.digest import Digest
from buildsys.errors import ArtlockError, GitError
from buildsys.files.durable import disk_error
from buildsys.lock.model import Approval, Lock
from buildsys.lockwords import chosen, lying, rewrite
from buildsys.manifest.model import AssetName
from buildsys.session import Session

_PERSON: Final = re.compile(r"[^<>\x00-\x1f]*[^<>\x00-\x20] <[^<>\x00-\x20]+>")
"""As git writes one: `Name <mail>`."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A person's mark on one picture of a review."""

    name: AssetName
    pixels: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    mark: Literal["approved", "rejected"]
    note: str = ""


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """The file that the page of a review exports."""

    artlock: Literal["marks"]
    version: Literal[1]
    marks: tuple[Mark, ...]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a person's word."""

    approved: tuple[AssetName, ...] = ()
    already: tuple[AssetName, ...] = ()
    """Approved before, by whomever; that stays."""
    revoked: tuple[AssetName, ...] = ()
    skipped: tuple[tuple[AssetName, str], ...] = ()
    """Marks that were not taken, with why."""
    rejected: tuple[Mark, ...] = ()
    """Marks that a person is to follow: the manifest is theirs to change."""


def person(session: Session, given: str = "") -> str:
    """Who approves: who is `given`, else who git takes you for. Raises `ArtlockError`."""
    if given and not _PERSON.fullmatch(given):
        raise ArtlockError(
            f"`{given}` is no person as git writes one", 'write it so: `--by "Ada <ada@x.org>"`'
        )
    if given:
        return given
    try:
        return git.identity(session.root)
    except GitError as error:
        if error.hint:
            raise
        fact = "git does not know who you are, and an approval is somebody's"
        raise GitError(
            fact, 'add `--by "NAME <MAIL>"`, or set `user.name` and `user.email` in git'
        ) from error


def approve(session: Session, words: Collection[str], by: str) -> Said:
    """Approve the pictures of `words` as they lie there: all of them or none. Raises `ArtlockError`."""
    done: Said = Said()

    def change(lock: Lock) -> Lock:
        nonlocal done
        names = chosen(lock, words)
        for name in names:
            if lying(session, lock, name) is None:
                output = lock.records[name].output
                raise ArtlockError(
                    f"`{output}` is not there, so nobody saw it", f"run `artlock build {name}`"
                )
        done = Said(
            approved=tuple(name for name in names if not lock.is_approved(name)),
            already=tuple(name for name in names if lock.is_approved(name)),
        )
        return _with(lock, done.approved, by)

    rewrite(session, change)
    return done


def revoke(session: Session, words: Collection[str]) -> Said:
    """Take back what was said of `words`, by whomever. Raises `ArtlockError`."""
    done: Said = Said()

    def change(lock: Lock) -> Lock:
        nonlocal done
        done = Said(revoked=tuple(name for name in chosen(lock, words) if name in lock.approvals))
        left = {name: word for name, word in lock.approvals.items() if name not in done.revoked}
        return msgspec.structs.replace(lock, approvals=left)

    rewrite(session, change)
    return done


def follow(session: Session, marks: Marks, by: str) -> Said:
    """Approve what was marked so on the page of a review. Raises `ArtlockError`.

    A mark names a picture. One of a picture that the lock no longer has is skipped; a file need not lie here,
    for the person saw it there.
    """
    done: Said = Said()

    def change(lock: Lock) -> Lock:
        nonlocal done
        skipped = {mark.name: why for mark in marks.marks if (why := _why_not(session, lock, mark))}
        taken = [mark.name for mark in marks.marks if mark.mark == "approved" and mark.name not in skipped]
        names = tuple(dict.fromkeys(taken))
        done = Said(
            approved=tuple(name for name in names if not lock.is_approved(name)),
            already=tuple(name for name in names if lock.is_approved(name)),
            skipped=tuple(skipped.items()),
            rejected=tuple(mark for mark in marks.marks if mark.mark == "rejected"),
        )
        return _with(lock, done.approved, by)

    rewrite(session, change)
    return done


def read(path: Path) -> Marks:
    """The marks in a file that a page exported. Raises `ArtlockError`, `DiskError`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Marks)
    except OSError as error:
        raise disk_error("read", path, error) from error
    except msgspec.MsgspecError as error:
        told = str(error)
        raise ArtlockError(
            f"`{path.name}` holds no marks of a review: {told[:1].lower()}{told[1:]}", _EXPORT
        ) from error
    except UnicodeDecodeError as error:
        raise ArtlockError(f"`{path.name}` holds no marks of a review: not UTF-8", _EXPORT) from error


_EXPORT: Final = "export them from the page that `artlock diff --html` writes"


def unapproved(lock: Lock, names: Collection[AssetName]) -> tuple[AssetName, ...]:
    """Those of `names` whose picture nobody accepted."""
    return tuple(name for name in names if not lock.is_approved(name))


def _why_not(session: Session, lock: Lock, mark: Mark) -> str:
    """Why a mark can't be taken; empty where it can."""
    record = lock.records.get(mark.name)
    if mark.mark != "approved":
        return ""
    if mark.name in lock.conflicts:
        return "a merge is open over it"
    if record is None:
        return "the lock does not have it"
    if record.picture.pixels != mark.pixels:
        return "its picture has changed since it was marked"
    try:
        lying(session, lock, mark.name)
    except ArtlockError as error:
        return error.message
    return ""


def _with(lock: Lock, names: Collection[AssetName], by: str) -> Lock:
    said = {name: Approval(pixels=Digest(lock.records[name].picture.pixels), by=by) for name in names}
    return msgspec.structs.replace(lock, approvals=dict(sorted({**lock.approvals, **said}.items())))
