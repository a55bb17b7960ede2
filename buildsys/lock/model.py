"""The lock's values. Knows nothing of TOML or files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from buildsys.digest import Digest
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record

VERSION: Final = 1
"""Raised when an older artlock would misread the lock."""
REVISION: Final = 2
"""Raised when the lock says more, in a way that an older artlock may leave out."""


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word that a picture is right. It names the picture, so it lapses when that changes."""

    pixels: Digest
    """Of the decoded picture that was accepted: another encoding of it is accepted too."""
    by: str
    """Who, as git calls them: `Name <email>`."""


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that both sides of a merge changed, each in its own way; None where a side has it no more."""

    base: Record | None = None
    """What both sides had before; None also where nobody knows."""
    ours: Record | None = None
    theirs: Record | None = None
    mixed: tuple[bool, bool] = (False, False)
    """Whether git put lines of both sides into `ours`, and into `theirs`: then that is no record to take."""
    approvals: tuple[Approval | None, Approval | None] = (None, None)
    """Of the picture of `ours`, and of that of `theirs`: whichever is taken brings its own."""

    def approval(self, record: Record | None) -> Approval | None:
        """What was said of the picture of `record`; with None, of what is made anew, the first that there is.

        That may come out as either side had it: a word on another picture only lapses.
        """
        words = (word for word in self.approvals if word is not None)
        return next((word for word in words if record is None or word.pixels == record.picture.pixels), None)


class Lock(msgspec.Struct, frozen=True):
    """Every asset that was made, by name."""

    records: Mapping[AssetName, Record] = {}
    version: int = VERSION
    revision: int = REVISION
    placeholders: Mapping[AssetName, Digest] = {}
    """SHA-256 of the stand-in that lies where a blocked asset goes: never taken for the asset."""
    conflicts: Mapping[AssetName, Conflict] = {}
    """What a merge left to a person to decide. None of it is in `records`: no command may guess."""
    approvals: Mapping[AssetName, Approval] = {}
    frozen: Mapping[AssetName, Digest] = {}
    """SHA-256 of the file that stays as it is until it is thawed, whatever becomes of its recipe."""
    marked: bool = False
    """Whether its text holds git's marks of a merge; the next that is written holds those of conflicts."""

    def is_approved(self, name: AssetName) -> bool:
        """Whether a person accepted the very picture that this lock has of `name`."""
        approval, record = self.approvals.get(name), self.records.get(name)
        return approval is not None and record is not None and approval.pixels == record.picture.pixels

    def following(self, renames: Mapping[AssetName, AssetName]) -> Lock:
        """This lock with what was said of pictures under their old names said under their new ones.

        `renames`: old names by new ones. An approval stays under the old name as well, as long as its record
        does: who takes the rename back finds it there. But the old file is frozen no more, only left over.
        """
        approvals, frozen = dict(self.approvals), dict(self.frozen)
        for new, old in renames.items():
            if old in approvals:
                approvals.setdefault(new, approvals[old])
            if old in frozen:
                frozen[new] = frozen.pop(old)
        return msgspec.structs.replace(
            self, approvals=dict(sorted(approvals.items())), frozen=dict(sorted(frozen.items()))
        )

    def settled(self) -> Lock:
        """This lock without approvals of pictures that it no longer has, and frozen files of no asset.

        An approval names a picture: one that lapsed holds of whichever asset has that picture now.
        """
        known = self.records.keys() | self.conflicts.keys()
        lapsed = {
            name: word
            for name, word in self.approvals.items()
            if name not in self.conflicts and not self.is_approved(name)
        }
        kept = {name: word for name, word in self.approvals.items() if name not in lapsed}
        free = {word.pixels: word for word in lapsed.values()}
        # Where names were handed on, its old owner may still be in the lock, and left over.
        every = {**{word.pixels: word for word in kept.values()}, **free}
        moved = {
            name: words[record.picture.pixels]
            for name, record in self.records.items()
            if name not in kept and record.picture.pixels in (words := every if name in lapsed else free)
        }
        return msgspec.structs.replace(
            self,
            approvals=dict(sorted({**kept, **moved}.items())),
            frozen={name: file for name, file in self.frozen.items() if name in known},
        )

    def updated(self, made: Iterable[Record], removed: Iterable[AssetName] = ()) -> Lock:
        """This lock with the records `made` in place of older ones, without those `removed`.

        A conflict over any of them is over, and the approval of what was taken stays. What is frozen stays
        so, as what was put in its place.
        """
        new = {record.name: record for record in made}
        gone = frozenset(removed)
        records = {name: record for name, record in self.records.items() if name not in gone}
        conflicts = {
            name: found for name, found in self.conflicts.items() if name not in gone and name not in new
        }
        kept = {
            name: new[name].picture.file if name in new else file
            for name, file in self.frozen.items()
            if name not in gone
        }
        said = {
            name: word
            for name in self.conflicts.keys() - conflicts.keys()
            if (word := self.conflicts[name].approval(new.get(name))) is not None
        }
        return msgspec.structs.replace(
            self,
            records={**records, **new},
            conflicts=conflicts,
            approvals=dict(sorted({**self.approvals, **said}.items())) if said else self.approvals,
            frozen=kept,
            marked=self.marked and bool(conflicts),
        )
