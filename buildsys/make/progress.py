"""What a build tells of its assets while it runs; engines tell of themselves in `events`.

Knows nothing of who listens.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from buildsys.digest import Digest
from buildsys.make.supply import Supply
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record
from buildsys.plan.step import Step, Verdict


class AssetStarted(msgspec.Struct, frozen=True, kw_only=True):
    """An asset is taken up."""

    name: AssetName
    engine: str
    verdict: Verdict
    recipe: Digest | None = None
    reasons: tuple[str, ...] = ()


class Action(StrEnum):
    """One step of making an asset."""

    GENERATE = "generate"
    FINISH = "finish"
    RESTORE = "restore"
    JUDGE = "judge"
    """Its gates are held against the finished picture."""


class ActionStarted(msgspec.Struct, frozen=True, kw_only=True):
    """An action of an asset goes to an engine."""

    name: AssetName
    action: Action
    engine: str
    key: Digest
    """What the store keeps its result under."""


class ActionRecalled(msgspec.Struct, frozen=True, kw_only=True):
    """An action of an asset needs no engine: the store has its result."""

    name: AssetName
    action: Action
    engine: str
    key: Digest
    remote: bool = False
    """Whether the store has it from the remote, since this build began."""


class AssetsKept(msgspec.Struct, frozen=True, kw_only=True):
    """Told once, before anything is taken up: how many assets a build leaves as they lie."""

    fresh: int
    edited: int


class AssetHandedOn(msgspec.Struct, frozen=True, kw_only=True):
    """An engine gave up on an asset, and the next one of its fallback makes it."""

    name: AssetName
    engine: str
    message: str
    """Why that one gave up."""
    to: str


class CandidateOut(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate of an asset was not made; the others go on without it."""

    name: AssetName
    """With its number: `hero#3`."""
    engine: str
    message: str


class AssetDone(msgspec.Struct, frozen=True, kw_only=True):
    """An asset is in its place, or proved fresh."""

    name: AssetName
    verdict: Verdict
    seconds: float
    notes: tuple[str, ...] = ()
    remote: bool = False
    """Whether it was restored of what the remote brought in this build."""


class RemoteAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The remote was asked, before anything was made, for what this machine lacks."""

    objects: int
    """That came, with results the next."""
    actions: int
    bytes: int
    seconds: float
    wanted: int = 0
    """Pictures that the lock names and this machine lacked."""
    lacking: int = 0
    """Of these, what the remote does not have: they are made again. Not what it has with wrong bytes."""


class RemotePoisoned(msgspec.Struct, frozen=True, kw_only=True):
    """The remote has other bytes than those of their name: they were refused, and each is told once."""

    places: tuple[str, ...]


class RemoteTrouble(msgspec.Struct, frozen=True, kw_only=True):
    """The remote can't be asked: told once, and the build goes on without it."""

    message: str
    hint: str = ""


class KeptNowhere(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures of the lock are made again: git does not keep them here, and there is no remote to ask."""

    names: tuple[AssetName, ...]


class AssetFailed(msgspec.Struct, frozen=True, kw_only=True):
    """An asset was not made."""

    name: AssetName
    message: str
    hint: str = ""
    blocked: bool = False
    kind: str = ""
    """Of the engine's error; `gate` where its picture failed a gate, and empty where neither is to blame."""


class JournalTrouble(msgspec.Struct, frozen=True, kw_only=True):
    """The journal could not be kept, or was begun anew; told once, and the build is none the worse."""

    message: str


Event: TypeAlias = msgspec.Struct
"""Any of these, or one of the pool's."""


def recalled(step: Step, record: Record, supply: Supply) -> ActionRecalled:
    """What is told when the picture of `record` is brought back for `step`."""
    return ActionRecalled(
        name=step.name,
        action=Action.RESTORE,
        engine=step.asset.engine,
        key=record.recipe,
        remote=supply.brought(record.picture.file),
    )


def taken_up(step: Step) -> AssetStarted:
    """What is told when `step` is taken up."""
    return AssetStarted(
        name=step.name,
        engine=step.asset.engine,
        verdict=step.verdict,
        recipe=step.recipe,
        reasons=tuple(reason.text() for reason in step.reasons),
    )
