"""The engines of a run and their workers: what is known of each, and simple questions about them.

Decides nothing; `staff` and `dispatch` do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count

from buildsys.make.accounts import LoadingTime
from buildsys.make.devices import CPU
from buildsys.make.driver import Driver, Job
from buildsys.make.relief import Relief
from buildsys.make.waiting import Line
from buildsys.make.worker import EngineFailed
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
    level: int = 0
    """Steps of relief that it runs with."""
    limit: int = 1
    """The most jobs of one batch."""
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
    load_failures: list[ErrorKind] = field(default_factory=list)
    """Since it loaded last."""
    unloadable: EngineFailed | None = None
    """Why no worker of it is started any more."""


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

    def prepared(self) -> set[str]:
        """The devices for which somebody is prepared."""
        return {post.device for post in self.posts.values() if post.stage is Stage.AHEAD}

    def ahead(self, device: str) -> Post | None:
        """Who is prepared for `device`."""
        found = (post for post in self.posts.values() if post.stage is Stage.AHEAD)
        return next((post for post in found if post.device == device), None)

    def free_seat(self, name: str) -> int:
        """The first that no worker of this engine has."""
        taken = {post.seat for post in self.of(name)}
        return next(seat for seat in count(1) if seat not in taken)
