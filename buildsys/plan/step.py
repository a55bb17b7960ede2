"""What the plan says of each asset: a verdict with typed reasons.

Knows nothing of how a verdict is reached (`judge`) or carried out (`make`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from buildsys.digest import Digest
from buildsys.manifest.model import Asset, AssetName
from buildsys.plan.recipe import ABSENT
from buildsys.plan.record import Parts, Record

CANDIDATE: Final = "#"
"""Stands between an asset's name and the number of a candidate; no name has it."""


def asset_of(label: str) -> AssetName:
    """The asset of a step's label, which may tell a candidate's number as well."""
    return AssetName(label.partition(CANDIDATE)[0])


class Verdict(StrEnum):
    """What a build does with an asset."""

    FRESH = "fresh"
    """Recipe and file are the lock's: nothing to do."""
    RESTORE = "restore"
    """The bytes are known: brought back without an engine."""
    BUILD = "build"
    """Nothing is known for this recipe: made."""
    EDITED = "edited"
    """The file was changed by hand: kept."""
    BLOCKED = "blocked"
    """It can't be made here and now; the reason holds the mend."""


class Why(StrEnum):
    """Why a verdict is what it is."""

    NEW = "new"
    """The lock does not know it."""
    PART = "part"
    """A part of the recipe changed: `field`, `old`, `new`."""
    MISSING = "missing"
    """Its file is not there."""
    EDITED = "edited"
    """Its file is not what the lock says."""
    FOREIGN = "foreign"
    """A file that artlock did not make lies where it goes."""
    LEFT = "left"
    """A picture lies where it goes that a killed build put there, and no lock ever told of."""
    MOVED = "moved"
    """A picture lies where it goes that was another asset's, whose own place is elsewhere now."""
    POINTER = "pointer"
    """Only a pointer of Git LFS lies there, its own or that of an input: `field` which, `new` its path."""
    PLACEHOLDER = "placeholder"
    """A stand-in lies where it goes."""
    UPSTREAM = "upstream"
    """An asset that it is made from is made first: `field`. The result may prove it fresh."""
    CANDIDATES = "candidates"
    """How many candidates there are, or how one of them is chosen, is not as it was."""
    ASKED = "asked"
    """Asked for on the command line."""
    INPUT = "input"
    """An input file is not there: `field` its parameter, `new` its path."""
    ENGINE = "engine"
    """Its engine can't run: `new` says why."""
    RETIRED = "retired"
    """Its engine's provider has ended it: `new` says when."""
    REFUSED = "refused"
    """Its engine refused this recipe before, and is not asked again: `field` the engine, `new` its words."""
    GATES = "gates"
    """Its recipe is the lock's, but what its gates ask is not."""
    REJECTED = "rejected"
    """What this recipe makes failed its gates before: `new` says how."""
    GAVE_UP = "gave_up"
    """Its engine gave up on it in this build: `field` the engine, `new` its words."""
    STANDIN = "standin"
    """An engine of the fallback makes it: `field` that one, `old` the one asked for, `new` why not that."""
    RENAMED = "renamed"
    """The lock has it under another name: `field`."""
    FROZEN = "frozen"
    """Its picture is to stay, and can't be had: `new` says why."""
    CONFLICT = "conflict"
    """Both sides of a merge changed its entry in the lock, and nobody has said yet which one holds."""
    DISK = "disk"
    """The disk won't give its file, or an input, such as where a folder is there: `new` says why."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason."""

    why: Why
    field: str = ""
    old: str = ""
    new: str = ""
    hint: str = ""
    more: str = ""
    """The command that tells more."""

    def text(self) -> str:
        """One line for a person."""
        match self.why:
            case Why.PART:
                return f"{self.field}: {shown(self.old, self.new)} → {shown(self.new, self.old)}"
            case Why.POINTER if self.field:
                return f"`{self.field}`: only a Git LFS pointer is here of `{self.new}`"
            case Why.GAVE_UP:
                return f"`{self.field}` gave up on it: {self.new.partition(chr(10))[0]}"
            case Why.EDITED | Why.LEFT | Why.MISSING if self.field:
                return f"`{self.field}`: {_SENTENCES[self.why]}"
            case Why.REJECTED if self.more:
                return f"{self.new}; `{self.more}` tells more"
            case _:
                return _SENTENCES[self.why].format(field=self.field, new=self.new)


_SENTENCES = {
    Why.NEW: "the lock does not know it",
    Why.MISSING: "its file is not there",
    Why.EDITED: "its file was changed by hand",
    Why.FOREIGN: "a file that artlock did not make lies where it goes",
    Why.LEFT: "a picture of a build that was killed lies where it goes",
    Why.MOVED: "the picture of another asset, which has moved, lies where it goes",
    Why.POINTER: "only a Git LFS pointer is here of its file",
    Why.PLACEHOLDER: "a placeholder lies where it goes",
    Why.UPSTREAM: "made from `{field}`, which is made first",
    Why.CANDIDATES: "its candidates changed, or how one of them is chosen",
    Why.ASKED: "asked for on the command line",
    Why.GATES: "its gates changed",
    Why.INPUT: "`{field}` names `{new}`, which is not there",
    Why.ENGINE: "{new}",
    Why.RETIRED: "{new}",
    Why.REFUSED: "{new}",
    Why.REJECTED: "{new}",
    Why.STANDIN: "{new}; `{field}` makes it instead",
    Why.RENAMED: "renamed from `{field}`",
    Why.FROZEN: "{new}",
    Why.CONFLICT: "both sides of a merge changed its entry in the lock",
    Why.DISK: "{new}",
}


def shown(value: str, other: str) -> str:
    """A part's JSON as a person reads it: a string without quotes, unless `other` is not a string."""
    strings = all(text.startswith(('"', ABSENT)) for text in (value, other))
    return shorten(json.loads(value) if strings and value != ABSENT else value)


def shorten(text: str, width: int = 60) -> str:
    """`text` on one line of at most `width` characters; a digest to its first twelve."""
    if len(text) == 64 and set(text) <= set("0123456789abcdef"):  # noqa: PLR2004 - a SHA-256
        return text[:12]
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One asset in the plan."""

    name: AssetName
    asset: Asset
    verdict: Verdict
    reasons: tuple[Reason, ...]
    output: str
    """Path relative to the project, with `/`."""
    parts: Parts | None = None
    """None until an asset that it is made from is made, or where an input is not there."""
    recipe: Digest | None = None
    known: Record | None = None
    """What is brought back, for RESTORE."""
    recorded: Record | None = None
    """Its table in the lock."""
    on_disk: Digest | None = None
    """Digest of the file that lies there now."""
    companions: Mapping[str, Digest | None] = {}
    """Path to the digest of what lies there now, for each further file that the lock has of it."""
    device: str = ""
    """The device that its engine shares with others; empty where it works on none."""
    instead_of: str = ""
    """The engine that was asked for, where one of its fallback makes it: `asset`, `parts` and `recipe` are
    that one's."""
    asked: Digest | None = None
    """What was asked for, where `recipe` is a stand-in's, or a candidate's, or the choice of one."""
    candidate: int = 0
    """Number of the candidate that it makes; 0 where it is no candidate."""
    gates: Digest | None = None
    """The digest of what its gates ask; None where it has none."""
    gate_inputs: Mapping[str, Digest] = {}
    """Digests of the gates' files, as `gates.NAME.PARAMETER`."""
    renamed_from: AssetName = AssetName("")
    """Its name in the lock, where that is another one: `recorded` has its new name already."""
    frozen: bool = False
    """Whether its picture stays as the lock has it. Recipe and gates are the lock's then; what the manifest
    asks for otherwise is told by its reasons, and changes nothing."""

    @property
    def label(self) -> AssetName:
        """Its name, and which candidate it is: `hero#3`."""
        return AssetName(f"{self.name}{CANDIDATE}{self.candidate}") if self.candidate else self.name

    @property
    def word(self) -> str:
        """Its verdict in a word, or that it is fresh because it is frozen."""
        return "frozen" if self.frozen and self.verdict is Verdict.FRESH else self.verdict.value

    @property
    def settled(self) -> Digest | None:
        """The bytes that lie in its place after the build, where that is known beforehand."""
        match self.verdict:
            case Verdict.RESTORE:
                return self.known.picture.file if self.known else None
            case Verdict.BUILD:
                return None
            case _:
                return self.on_disk

    @property
    def stale(self) -> bool:
        """Whether a build has anything to do."""
        return self.verdict in (Verdict.BUILD, Verdict.RESTORE)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Every asset that was asked for, each after those that it is made from."""

    steps: Mapping[AssetName, Step]
    orphans: tuple[AssetName, ...] = ()
    """In the lock, but in no profile of the manifest."""
    costs: Mapping[AssetName, float | None] = {}
    """US dollars that each step to build should cost; None: nobody knows. Empty until it is priced."""
    pictures: Mapping[AssetName, int] = {}
    """Of these, the steps that pay for more than one picture: for how many."""

    def having(self, *verdicts: Verdict) -> tuple[Step, ...]:
        """The steps with one of these verdicts."""
        return tuple(step for step in self.steps.values() if step.verdict in verdicts)
