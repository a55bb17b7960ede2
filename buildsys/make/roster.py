"""The engines of a run and their workers: what is known of each, and simple questions about them.

Decides nothing; `staff` and `dispatch` do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count

from buildsys.make.accounts import LoadingTime
from buildsys.make.devices import CPU
from buildsys.make.driver import Driver, Job
from buildsys.make.failure import EngineFailed
from buildsys.make.relief import Relief
from buildsys.make.waiting import Line
from engines.protocol import ErrorKind


class Stage(Enum):
    """Where a worker is in its life."""

    AHEAD = auto()
    """It imports its libraries, or did, and waits for its device."""
    LOADING = auto()
    READY = auto()
    LEAVING = auto()
    """It was told to end; its process may still be there."""


@dataclass(slots=True, eq=False)
class Post:
    """What is known of one driver and its worker."""

    driver: Driver
    seat: int
    """1 for the first worker of its engine, and so on."""
    stage: Stage
    device: str = ""
    """Of one that is only prepared: the device that it was meant for; it may get another one."""
    level: int = 0
    """Steps of relief that it runs with."""
    limit: int = 1
    """The most jobs of one batch."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What it said that it makes pictures with."""
    served: bool = False
    """Whether it has answered anything."""
    batch: dict[str, Job] = field(default_factory=dict)
    """Jobs without an answer, by the id of their request."""
    given: tuple[Job, ...] = ()
    """The whole batch that it is at, answered or not."""
    began: float = 0.0
    holds: bool = True
    """Whether its process may be on its device: not while it is only prepared."""
    number: int = field(default_factory=count(1).__next__)
    """No other worker has it."""

    @property
    def name(self) -> str:
        """Its engine's."""
        return self.driver.engine.name

    def fits(self, name: str, device: str) -> bool:
        """Whether it, only prepared so far, may load on `device` for the engine of this name.

        One that was started for the processor has other walls than one for a GPU: less address space.
        """
        return self.name == name and (self.device == CPU) is (device == CPU)

    @property
    def idle(self) -> bool:
        """Whether it waits for work."""
        return self.stage is Stage.READY and not self.batch

    @property
    def on_gpu(self) -> bool:
        """Whether its device has a memory of its own."""
        return self.device not in {"", CPU}


@dataclass(slots=True, eq=False)
class Standing:
    """What this run knows of one engine."""

    name: str
    line: Line = field(default_factory=Line)
    loading: LoadingTime = field(default_factory=LoadingTime)
    relief: Relief = field(default_factory=Relief)
    load_failures: dict[str, list[ErrorKind]] = field(default_factory=dict)
    """By device, since it loaded there last."""
    unloadable: dict[str, EngineFailed] = field(default_factory=dict)
    """Devices on which no worker of it is started any more, and why; the latest comes last."""


class Roster:
    """All of them."""

    def __init__(self) -> None:
        self.posts: dict[Driver, Post] = {}
        self._standings: dict[str, Standing] = {}

    def standing(self, name: str) -> Standing:
        """That of the engine of this name."""
        return self._standings.setdefault(name, Standing(name))

    def standings(self) -> list[Standing]:
        """Those of all engines that were ever asked for something."""
        return list(self._standings.values())

    def of(self, name: str, *stages: Stage) -> list[Post]:
        """The workers of an engine, in any of `stages`; of none named, all."""
        return [post for post in self.posts.values() if post.name == name and post.stage in (stages or Stage)]

    def holders(self, device: str) -> list[Post]:
        """Whose process may be on `device`."""
        return [post for post in self.posts.values() if post.device == device and post.holds]

    def prepared(self) -> list[Post]:
        """Who is prepared, and waits for a device."""
        return [post for post in self.posts.values() if post.stage is Stage.AHEAD]

    def ahead(self, name: str, device: str) -> Post | None:
        """Who of an engine is prepared, and may load on `device`."""
        return next((post for post in self.prepared() if post.fits(name, device)), None)

    def free_seat(self, name: str) -> int:
        """The first that no worker of this engine has."""
        taken = {post.seat for post in self.of(name)}
        return next(seat for seat in count(1) if seat not in taken)
