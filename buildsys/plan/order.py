"""The order of work: models switch rarely, and every device and every engine is busy from the start.

Knows nothing of processes or of time. A device holds one model at a time, and a switch costs a whole load;
an engine without a device keeps nobody waiting.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from buildsys.manifest.model import AssetName
from buildsys.plan import graph
from buildsys.plan.step import Step, Verdict


class Owner(NamedTuple):
    """Who carries out a step: an engine, and the device that it needs for itself."""

    device: str
    """Empty where it needs none."""
    engine: str
    """Empty where a step needs no engine."""

    @property
    def lane(self) -> tuple[str, ...]:
        """What moves on one step at a time: a device, or an engine without one."""
        return (self.device,) if self.device else self


def owner(step: Step) -> Owner:
    """Who carries out `step`."""
    # What is restored needs no engine, so it keeps no device from its work.
    return Owner(step.device, step.asset.engine) if step.verdict is Verdict.BUILD else Owner("", "")


def arrange(steps: Iterable[Step]) -> tuple[Step, ...]:
    """`steps` in the order in which to begin them, each after those that it is made from.

    On a device, engine after engine; across devices and engines without one, each in proportion to its
    work, so that all are busy at once. Never more switches than `steps` have, which must be in an order
    that works.
    """
    given = tuple(steps)
    grouped = _Walk(given).grouped()
    # The walk looks one switch ahead; where that was wrong, the plan's own order stands.
    return _interleaved(min(grouped, given, key=switches))


def switches(steps: Iterable[Step]) -> int:
    """How often some device changes its engine, if `steps` are carried out in this order."""
    holds: dict[str, str] = {}
    count = 0
    for device, engine in map(owner, steps):
        if device:
            count += holds.get(device, engine) != engine
            holds[device] = engine
    return count


class _Walk:
    """What is ready, and for whom, while steps are taken one by one."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        numbers = {step.name: number for number, step in enumerate(steps)}
        self._owners = [owner(step) for step in steps]
        self._needs = [_within(step, numbers) for step in steps]
        self._missing = [len(needs) for needs in self._needs]
        self._feeds: list[list[int]] = [[] for _ in steps]
        self._left = Counter(self._owners)
        self._foreign: Counter[Owner] = Counter()
        """Of each owner: how often its steps wait for those of another."""
        for number, needs in enumerate(self._needs):
            for need in needs:
                self._feeds[need].append(number)
                self._foreign[self._owners[number]] += self._owners[number] != self._owners[need]
        self._ready: dict[Owner, list[int]] = {}
        for number, missing in enumerate(self._missing):
            if not missing:
                self._ready.setdefault(self._owners[number], []).append(number)
        self._holds: dict[str, Owner] = {}
        self._taken: list[int] = []

    def grouped(self) -> tuple[Step, ...]:
        """All steps: first what needs no switch, then the switch that promises most, and so on."""
        while self._ready:
            free = [who for who in self._ready if not who.device or self._holds.get(who.device) == who]
            for who in free or [max(self._ready, key=self._promise)]:
                self._drain(who)
        return tuple(self._steps[number] for number in self._taken)

    def _drain(self, who: Owner) -> None:
        """Take all that `who` can do, with what becomes ready on the way."""
        self._holds[who.device] = who
        queue = self._ready[who]
        while queue:
            number = heapq.heappop(queue)
            self._taken.append(number)
            self._left[who] -= 1
            for later in self._feeds[number]:
                other = self._owners[later]
                self._foreign[other] -= other != who
                self._missing[later] -= 1
                if not self._missing[later]:
                    heapq.heappush(self._ready.setdefault(other, []), later)
        del self._ready[who]

    def _promise(self, who: Owner) -> tuple[bool, bool, int, int]:
        """How good it is to switch to `who` now; the greatest is best."""
        held = self._holds.get(who.device)
        return (
            not self._foreign[who],  # all of it can be done in one go, so it need not come back
            held is None or not self._left[held],  # nobody is sent away who must come back
            len(self._ready[who]),
            -self._ready[who][0],
        )


def _within(step: Step, numbers: Mapping[AssetName, int]) -> list[int]:
    return [numbers[name] for name in graph.upstream(step.asset) if name in numbers]


def _interleaved(steps: Sequence[Step]) -> tuple[Step, ...]:
    """`steps`, lane by lane in the same order, each lane in proportion to its length."""
    lanes: dict[tuple[str, ...], deque[Step]] = {}
    for step in steps:
        lanes.setdefault(owner(step).lane, deque()).append(step)
    shares = {lane: 1 / len(queue) for lane, queue in lanes.items()}
    reached = dict(shares)
    names = {step.name for step in steps}
    taken: list[Step] = []
    while lanes:
        # The first step that is left heads its lane and waits for nobody, so one is always found.
        lane = next(
            lane for lane in sorted(lanes, key=reached.__getitem__) if _is_ready(lanes[lane][0], names)
        )
        step = lanes[lane].popleft()
        names.discard(step.name)
        taken.append(step)
        reached[lane] += shares[lane]
        if not lanes[lane]:
            del lanes[lane]
    return tuple(taken)


def _is_ready(step: Step, left: set[AssetName]) -> bool:
    return not any(name in left for name in graph.upstream(step.asset))
