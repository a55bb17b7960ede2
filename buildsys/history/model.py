"""The values of a history: the versions of one asset, each by the commit that made it.

Knows nothing of git, files or pages.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from buildsys.lock.model import Approval
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record
from buildsys.review.model import Field, Kind

_PROMPTS: Final = frozenset({"prompt", "negative", "text"})
"""The parts of a recipe that a person words."""


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """Who changed the lock, when, and in which words."""

    name: str
    """Full name of the commit."""
    author: str
    mail: str
    date: str
    """Of the author, ISO 8601 with the offset."""
    subject: str

    @property
    def short(self) -> str:
        """As much of its name as a person reads."""
        return self.name[:10]

    @property
    def day(self) -> str:
        """`2026-11-20`, where the author was."""
        return self.date[:10]

    @property
    def time(self) -> str:
        """`14:05`, of that day."""
        return self.date[11:16]


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """That a person accepted the picture of a version, and it was not taken back."""

    word: Approval
    commit: Commit | None = None
    """Which commit said so first; None where that is outside of what was looked at."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What one commit made of the asset."""

    commit: Commit
    kind: Kind
    name: AssetName
    """The name that the asset had from this commit on; of one that was removed, the last."""
    record: Record | None
    """None where the commit removed it."""
    before: Record | None = None
    """What the lock said before, in the commit's parent; None where it was added."""
    fields: tuple[Field, ...] = ()
    """What of the recipe, and beside it, the commit changed."""
    distance: int | None = None
    """Of 64, how many bits of the perceptual hashes differ from the picture before."""
    approved: Approved | None = None
    frozen: bool = False
    """Whether its file was frozen, by the newest word on it."""
    current: bool = False
    """Whether the commit that was asked for has this one: of two branches, a merge may drop the newer."""
    became: AssetName | None = None
    """Of one that was removed: the new name under which the same file went on."""
    oldest_known: bool = False
    """Whether what came before it is not in this clone, or can't be read: it may be no new asset at all."""

    @property
    def rewords(self) -> bool:
        """Whether the prompt is another one than before; a new asset's is."""
        if self.record is None:
            return False
        return self.before is None or any(field.name in _PROMPTS for field in self.fields)


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A commit whose lock says nothing of the asset that could be read."""

    commit: Commit
    why: str


Entry: TypeAlias = Version | Gap


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Every version of one asset, the newest first, as git orders commits."""

    name: AssetName
    """As it was asked for."""
    entries: tuple[Entry, ...] = ()
    passed: bool = False
    """Whether the current version is not among them, for it is older than those."""
    ends: str = ""
    """Why there may be older versions that are not here; empty where all are."""

    @property
    def versions(self) -> tuple[Version, ...]:
        """Those that could be read."""
        return tuple(entry for entry in self.entries if isinstance(entry, Version))
