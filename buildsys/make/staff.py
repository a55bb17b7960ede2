"""Who is started, where, and who is sent away: devices go from engine to engine as rarely as possible.

Knows nothing of answers and retries. Called by the one thread that owns the roster.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path

import msgspec

from buildsys.make.devices import CPU, Devices
from buildsys.make.driver import Driver, DriverReport
from buildsys.make.events import WorkerLoading
from buildsys.make.failure import EngineFailed
from buildsys.make.keys import Keys
from buildsys.make.relief import settings_at
from buildsys.make.roster import Post, Roster, Stage, Standing
from buildsys.make.runfolder import RunFolder
from buildsys.make.surroundings import settings_here
from buildsys.make.worker import Place, Worker
from buildsys.manifest.model import Engine


class Staff:
    """Starts workers for those who wait, and ends those who stand in the way."""

    def __init__(
        self,
        roster: Roster,
        folder: RunFolder,
        *,
        root: Path,
        jobs: int,
        environ: Mapping[str, str],
        keys: Keys,
        tell: Callable[[DriverReport | WorkerLoading], None],
    ) -> None:
        self._roster = roster
        self._folder = folder
        self._root = root
        self._environ = environ
        self._keys = keys
        self._tell = tell
        self._devices = Devices(environ, jobs)
        self._numbers = count(1)

    def arrange(self, now: float) -> None:
        """Start whom there is work and room for."""
        wanting = [standing for standing in self._roster.standings() if standing.line.ready(now)]
        wanting.sort(key=lambda standing: standing.line.first.order)
        where = {standing.name: self._places(standing) for standing in wanting}
        for standing in wanting:
            if "" in where[standing.name]:
                self._fill(standing, "", now)
        devices = list(dict.fromkeys(device for names in where.values() for device in names if device))
        for device in devices:
            here = [standing for standing in wanting if device in where[standing.name]]
            self._settle(device, here, now)
        self._look_ahead(devices, wanting, where, now)

    def given_up(self, standing: Standing) -> EngineFailed | None:
        """Why no worker of an engine that is asked for something will ever load again; None: one may."""
        if not standing.unloadable or self._places(standing):
            return None
        return next(reversed(standing.unloadable.values()))

    def _places(self, standing: Standing) -> list[str]:
        """Where an engine that is asked for something may load; an empty name where it needs no device."""
        devices = self._devices.of(standing.line.first.engine) or ("",)
        return [device for device in devices if device not in standing.unloadable]

    def dismiss(self, post: Post, now: float, *, cut: bool = False) -> None:
        """End a worker: politely once its batch is done, or now."""
        if cut:
            post.driver.cut()
        elif post.stage is not Stage.LEAVING:
            post.driver.leave()
        self.enter(post, Stage.LEAVING, now)

    def enter(self, post: Post, stage: Stage, now: float) -> None:
        """Note where `post` is now."""
        loading = self._roster.standing(post.name).loading
        before, post.stage = post.stage, stage
        if before is Stage.LOADING:
            loading.end(now)
        if stage is Stage.LOADING:
            loading.begin(now)
        if (before is Stage.LOADING) is not (stage is Stage.LOADING):
            number = len(self._roster.of(post.name, Stage.LOADING))
            self._tell(WorkerLoading(post.name, post.device, number))

    def _settle(self, device: str, here: list[Standing], now: float) -> None:
        """Give a free device to whom it is due, and let its owner fill it."""
        if not self._kept(device) and not self._roster.holders(device):
            heir = self._heir(device, here, Counter(), now)
            if heir is not None:
                self._devices.owners[device] = heir.name
        for standing in here:
            if standing.name == self._devices.owners.get(device):
                self._fill(standing, device, now)

    def _look_ahead(
        self,
        devices: Iterable[str],
        wanting: list[Standing],
        where: Mapping[str, Sequence[str]],
        now: float,
    ) -> None:
        """Have idle owners leave for whoever waits, and prepare a process for each device to come."""
        self._drop_prepared(now)
        claimed: Counter[str] = Counter()
        spare = self._roster.prepared()
        # What comes free soonest is claimed first: nobody waits for a busy device beside an idle one.
        for device in sorted(devices, key=lambda name: (self._haste(name), name)):
            owner = self._devices.owners.get(device)
            others = [one for one in wanting if device in where[one.name] and one.name != owner]
            heir = self._heir(device, others, claimed, now)
            if heir is None:
                continue
            claimed[heir.name] += 1
            if not self._kept(device):
                self._clear(device, now)
            ahead = next((post for post in spare if post.fits(heir.name, device)), None)
            if ahead is None:
                self._start(heir, device, Stage.AHEAD, now)
            else:
                spare.remove(ahead)

    def _drop_prepared(self, now: float) -> None:
        """End who was prepared for an engine that waits for a device no more.

        Not who was prepared for a device that another will get: which comes free first changes with every
        request of its owner, and processes would start and end without ever loading.
        """
        left: Counter[str] = Counter()
        for post in self._roster.prepared():
            standing = self._roster.standing(post.name)
            waiting = bool(standing.line) and self.given_up(standing) is None
            left[post.name] += 1
            if not waiting or left[post.name] > len(standing.line) - self._loading(standing):
                self.dismiss(post, now, cut=True)

    def _kept(self, device: str) -> bool:
        """Whether requests wait for the owner of `device`, even if not one of them may begin now."""
        owner = self._devices.owners.get(device)
        if owner is None:
            return False
        standing = self._roster.standing(owner)
        return bool(standing.line) and device not in standing.unloadable

    def _haste(self, device: str) -> int:
        """0 for a device that is as good as free, 2 for one whose owner has more to do."""
        if self._kept(device):
            return 2
        return int(any(post.batch for post in self._roster.holders(device)))

    def _heir(
        self, device: str, waiting: list[Standing], claimed: Mapping[str, int], now: float
    ) -> Standing | None:
        """Whose the device is next: the oldest, and nobody gets a second one before all have one."""
        lacking = [
            standing
            for standing in waiting
            if self._lacks(standing, now) > claimed.get(standing.name, 0)
            and self._devices.room(standing.line.first.engine, device)
        ]
        has_one = {post.name for post in self._roster.posts.values() if post.device and post.holds}
        return min(
            lacking,
            key=lambda one: (one.name in has_one or one.name in claimed, one.line.first.order),
            default=None,
        )

    def _lacks(self, standing: Standing, now: float) -> int:
        """For how many requests no worker is on its way."""
        return standing.line.ready(now) - self._loading(standing)

    def _loading(self, standing: Standing) -> int:
        return len(self._roster.of(standing.name, Stage.LOADING))

    def _fill(self, standing: Standing, device: str, now: float) -> None:
        """Start workers of `standing` while there is room and work for them."""
        held = self._roster.holders(device) if device else self._roster.of(standing.name)
        room = self._devices.room(standing.line.first.engine, device) - len(held)
        for _ in range(min(room, self._lacks(standing, now)) if room > 0 else 0):
            ahead = self._roster.ahead(standing.name, device)
            if ahead is None:
                self._start(standing, device, Stage.LOADING, now)
            else:
                self._open(ahead, standing, device, now)

    def _open(self, ahead: Post, standing: Standing, device: str, now: float) -> None:
        """Have who is prepared load, with what is known by now."""
        ahead.device, ahead.level, ahead.holds = device, _level(standing, device), True
        ahead.driver.open(self._equipped(standing.line.first.engine, device, ahead.level))
        self.enter(ahead, Stage.LOADING, now)

    def _clear(self, device: str, now: float) -> None:
        """Have everyone leave who has nothing to do there; for the rest, its batch ends first."""
        for post in self._roster.holders(device):
            if post.idle:
                self.dismiss(post, now)
            elif post.stage is Stage.LOADING:
                self.dismiss(post, now, cut=True)

    def _start(self, standing: Standing, device: str, stage: Stage, now: float) -> None:
        engine = standing.line.first.engine
        seat = self._roster.free_seat(engine.name)
        place = self._folder.place(engine.name, next(self._numbers), seat)
        level = _level(standing, device)
        equipped = self._equipped(engine, device, level)
        driver = Driver(
            equipped,
            start=partial(self._hire, equipped, place),
            clear=partial(self._folder.clear, place),
            tell=self._tell,
            ahead=stage is Stage.AHEAD,
        )
        post = Post(driver, seat, Stage.AHEAD, device, level, holds=stage is not Stage.AHEAD)
        self._roster.posts[driver] = post
        self.enter(post, stage, now)

    def _hire(self, engine: Engine, place: Place) -> Worker:
        """Start a process. By the thread that drives it: the command for its key may ask a person."""
        return Worker(engine, self._adapter(engine), place, self._keys.environ(engine.card), self._root)

    def _adapter(self, engine: Engine) -> str:
        name = engine.card.name
        return str(self._root / name) if name.endswith(".py") else name

    def _equipped(self, engine: Engine, device: str, level: int) -> Engine:
        """`engine` with its device, its relief, and its interpreter as this machine names it."""
        said = settings_here(engine.card, engine.settings, self._environ)
        settings = settings_at(engine.card, said, level)
        if device:
            settings["device"] = device
        python = engine.python
        if os.sep in python:
            # As the manifest says it: from the project's folder, or from home; a bare name is searched.
            python = str(self._root / Path(python).expanduser())
        return msgspec.structs.replace(engine, settings=settings, python=python)


def _level(standing: Standing, device: str) -> int:
    """Offloading moves weights off a GPU: elsewhere there is nothing to relieve."""
    return 0 if device in {"", CPU} else standing.relief.level
