"""Renames brought to their end: the old entry leaves the lock, and then the old file its place.

Only where nothing can be lost by it: the same bytes lie in the new place and in the store, and nobody touched
the old file. Anything else stays, as the orphan that it is. Knows nothing of how assets are made.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress

from buildsys import files
from buildsys.digest import Digest
from buildsys.errors import DiskError
from buildsys.files.durable import remove_file
from buildsys.ledger import Ledger
from buildsys.manifest.model import AssetName
from buildsys.plan.companions import files_of, stem_of
from buildsys.plan.record import Record
from buildsys.session import Session


def vacate(
    session: Session,
    ledger: Ledger,
    renames: Mapping[AssetName, AssetName],
    orphans: Collection[AssetName],
) -> Mapping[str, Digest]:
    """Take the old entries of `renames` out of the ledger; the files to `remove` once the lock is written.

    `renames`: old names by new ones, whose records the ledger has already. `orphans`: assets of the lock that
    the manifest no longer has. The checkout is held.
    """
    records = ledger.records()
    moved = {
        old: record
        for new, old in renames.items()
        if old in orphans
        and (record := records.get(old)) is not None
        and new in records
        and _is_in_place(session, record, records[new])
    }
    if not moved:
        return {}
    owned = {path for name, record in records.items() if name not in moved for path in files_of(record)}
    # What is made from the file itself, not from the asset, would miss it.
    owned |= {path for record in records.values() for path in record.paths.values()}
    out = session.manifest.project.out
    elsewhere = {f"{out}/{name.partition('@')[0]}" for name in session.manifest.elsewhere}
    left: dict[str, Digest] = {}
    for name, record in moved.items():
        lying = {
            path: file for path, file in files_of(record).items() if os.path.lexists(session.root / path)
        }
        free = not any(path in owned or stem_of(path).partition("@")[0] in elsewhere for path in lying)
        if free and all(_holds(session, path, file) for path, file in lying.items()):
            # A disk that takes no note takes no removal either: then it stays an orphan.
            with suppress(DiskError):
                ledger.leave(name)
                left.update(lying)
    return left


def remove(session: Session, ledger: Ledger, left: Mapping[str, Digest]) -> None:
    """Remove the old files, now that the lock is written; one that was changed just now stays.

    A build that is killed before leaves them, with the note that they are artlock's own; so does a disk that
    says no. `artlock clean` then takes them.
    """
    gone = set()
    for path, file in left.items():
        if _holds(session, path, file):
            with suppress(DiskError):
                remove_file(session.root, path, session.manifest.project.out)
                gone.add(path)
    ledger.left(gone)


def _is_in_place(session: Session, old: Record, new: Record) -> bool:
    """Whether all that `old` has is in the store, and lies at the place of `new`, which is another."""
    before, after = files_of(old), files_of(new)
    if sorted(before.values()) != sorted(after.values()):
        return False
    # `hero` and `Hero` are one file where a disk does not tell letters by their case.
    if any(_same(session, one, other) for one in before for other in after):
        return False
    return all(session.store.has(file) and _holds(session, path, file) for path, file in after.items())


def _same(session: Session, one: str, other: str) -> bool:
    with suppress(OSError):
        return (session.root / one).samefile(session.root / other)
    return False


def _holds(session: Session, path: str, file: Digest) -> bool:
    """Whether these very bytes lie there: read anew, for a stat index may be a moment behind a person."""
    with suppress(DiskError):
        target = session.root / path
        return files.inside(session.root, target) and files.digest_file(target, follow=False) == file
    return False
