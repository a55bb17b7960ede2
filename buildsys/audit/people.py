"""What people did to the pictures: sources, adoptions, changed files, picks; and who, where git knows.

Knows nothing of what made a picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from buildsys.audit import history
from buildsys.audit.ground import Ground
from buildsys.audit.history import Drawn
from buildsys.audit.model import Accepted, Brought, Choice, Commit, Hand
from buildsys.audit.wording import Written, written
from buildsys.digest import Digest
from buildsys.errors import GitError
from buildsys.lock.model import Lock
from buildsys.manifest.cards import FINISH
from buildsys.manifest.model import Asset, AssetName
from buildsys.plan.record import Record, asset_of

PERSON = "person"


class Manuscript:
    """What the manifest's text says of each asset beside its values, and who wrote it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._texts: dict[str, str] = {}
        self._written: dict[AssetName, Written] = {}
        self._pickers: dict[tuple[str, int], Commit] | None = None

    def of(self, name: AssetName) -> Written:
        """What stands in the table of an asset."""
        asset = self._ground.manifest.assets.get(name)
        if asset is None:
            return Written()
        if name not in self._written:
            file = asset.location.file
            if file not in self._texts:
                self._texts[file] = self._ground.text(file)
            self._written[name] = written(self._texts[file], asset.location.line)
        return self._written[name]

    def picker(self, asset: Asset) -> Commit | None:
        """Who wrote the `pick` of an asset; None where git does not know."""
        if self._pickers is None:
            self._pickers = self._blamed()
        return self._pickers.get((asset.location.file, self.of(asset.name).pick))

    def _blamed(self) -> dict[tuple[str, int], Commit]:
        """One question for each file of the manifest that holds a pick."""
        lines: defaultdict[str, list[int]] = defaultdict(list)
        for name, asset in self._ground.manifest.assets.items():
            if line := self.of(name).pick:
                lines[asset.location.file].append(line)
        found: dict[tuple[str, int], Commit] = {}
        revision = None if self._ground.working else self._ground.commit
        for file, wanted in sorted(lines.items()):
            try:
                told = history.blame(self._ground.root, revision, file, tuple(wanted))
            except GitError:
                continue  # not committed yet, or no repository
            found.update({(file, line): commit for line, commit in told.items()})
        return found


def picked(record: Record, asset: Asset | None) -> bool:
    """Whether a person picked this very picture: a pick of which nothing was built yet is another's."""
    if asset is None or asset.among is None:
        return False
    return (record.parts.seed, record.parts.candidate) == (asset.seed, asset.candidate)


def choice(record: Record, asset: Asset | None, number: int) -> Choice | None:
    """Which candidate was taken, and by what; None where there was nothing to choose.

    `number`: what the manifest picks.
    """
    if picked(record, asset):
        return Choice(number=number or record.candidate, of=_of(asset).candidates, by=PERSON)
    if not record.candidate:
        return None
    among = _of(asset)
    return Choice(number=record.candidate, of=among.candidates, by=among.choose)


def _of(asset: Asset | None) -> Asset:
    """The asset with its candidates; one that the manifest has no more has none."""
    if asset is None:
        return Asset(name=AssetName(""), role="", engine="")
    return asset.among or asset


def hands(
    record: Record, manuscript: Manuscript, asset: Asset | None, lying: Digest | None, *, replaced: bool
) -> tuple[Hand, ...]:
    """What people did to a picture, the first first; `replaced`: whether git has an engine's before it."""
    found = []
    path = record.paths.get("image", "")
    if record.parts.adapter == FINISH and path and asset_of(path) is None:
        if manuscript.of(record.name).adopted:
            found.append(Hand(what="adopted", told=f"a changed picture was adopted as `{path}`"))
        elif replaced:
            told = f"`{path}` took the place of what an engine drew"
            found.append(Hand(what="adopted", told=told))
        else:
            found.append(Hand(what="source", told=f"`{path}` is the project's own picture"))
    if asset is not None and picked(record, asset):
        told = "a person picked this candidate"
        found.append(Hand(what="picked", told=told, by=manuscript.picker(asset)))
    if lying is not None:
        found.append(Hand(what="edited", told="the file was changed by hand since it was made"))
    return tuple(found)


def accepted(lock: Lock, record: Record) -> Accepted | None:
    """Somebody's word for a picture, and whether it is still this one."""
    approval = lock.approvals.get(record.name)
    if approval is None:
        return None
    return Accepted(by=approval.by, holds=approval.pixels == record.picture.pixels)


class Histories(msgspec.Struct, frozen=True):
    """Who brought each picture, what it took the place of, and what could not be told."""

    brought: Mapping[str, Brought] = {}
    drawn: Mapping[str, Drawn] = {}
    """Of the project's own pictures, where an engine's lay before."""
    notes: tuple[str, ...] = ()


def histories(ground: Ground) -> Histories:
    """Who brought the pictures of a lock, all in one go."""
    if not ground.commit:
        return Histories(notes=("git was not there to ask, or has no commit: nobody knows who and when",))
    wanted: dict[str, str] = {name: record.picture.pixels for name, record in ground.lock.records.items()}
    try:
        found = history.traced(ground.root, ground.commit, wanted)
    except GitError as error:
        return Histories(notes=(f"git's history could not be read: {error.message}",))
    earlier = sum(item.earlier for item in found.brought.values())
    shallow = f"the clone is shallow: of {earlier} pictures an earlier commit may be the one"
    return Histories(*found, (f"{shallow}; `git fetch --unshallow` brings them",) if earlier else ())
