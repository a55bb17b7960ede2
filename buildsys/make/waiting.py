"""The requests that wait for one engine: who goes next, together with whom, and not before when.

Knows nothing of workers and devices. Moments are those of the pool's clock.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable
from typing import Final

from buildsys.make.driver import Job

_MINUTE: Final = 60.0


class Line:
    """What failed goes first and alone; the rest in the order in which it came."""

    def __init__(self) -> None:
        self._new: deque[Job] = deque()
        self._again: deque[Job] = deque()
        self._later: list[tuple[float, int, Job]] = []
        self._paused = -math.inf
        self._per_minute = 0
        self._begun: deque[float] = deque()
        """When the latest requests were begun, where a minute may see only so many."""

    def add(self, job: Job) -> None:
        """Have `job` wait: in front of all that did not fail yet, if it did."""
        self._per_minute = job.engine.limits.per_minute
        (self._again if job.failures else self._new).append(job)

    def put_off(self, job: Job, until: float) -> None:
        """Have `job` wait until then, at least; the others go on."""
        heapq.heappush(self._later, (until, job.order, job))

    def pause(self, until: float) -> None:
        """Have everybody wait until then."""
        self._paused = max(self._paused, until)

    def put_back(self, batch: Iterable[Job]) -> None:
        """Have those wait in front who were taken last, as if they had never been."""
        for job in reversed(list(batch)):
            (self._again if job.failures else self._new).appendleft(job)
            if self._per_minute:
                self._begun.pop()

    def __len__(self) -> int:
        return len(self._new) + len(self._again) + len(self._later)

    @property
    def first(self) -> Job:
        """The oldest of all that wait, put off or not."""
        failed = [*self._again, *(job for _, _, job in self._later)]
        if not failed:
            return self._new[0]
        return min([*failed, *([self._new[0]] if self._new else [])], key=lambda job: job.order)

    def ready(self, now: float) -> int:
        """How many may be begun now."""
        while self._later and self._later[0][0] <= now:
            self._again.append(heapq.heappop(self._later)[2])
        if now < self._paused or not (self._new or self._again):
            return 0
        return min(len(self._again) + len(self._new), self._allowance(now))

    def changes(self, now: float) -> float:
        """When more may be begun than now, if nothing else happens; infinity for never."""
        moments = [moment for moment, _, _ in self._later[:1]]
        if self._again or self._new:
            if now < self._paused:
                moments.append(self._paused)
            if self._begun and not self._allowance(now):
                moments.append(self._begun[0] + _MINUTE)
        return min(moments, default=math.inf)

    def take(self, most: int, now: float) -> tuple[Job, ...]:
        """The next batch, of at most `most`; `ready` must have said that there is one."""
        most = min(most, self._allowance(now))
        if self._again:
            batch = [self._again.popleft()]
        else:
            batch = [self._new.popleft() for _ in range(min(most, len(self._new)))]
        if self._per_minute:
            self._begun.extend([now] * len(batch))
        return tuple(batch)

    def clear(self) -> list[Job]:
        """Everyone who waited; nobody does any more."""
        everyone = [*self._again, *self._new, *(job for _, _, job in self._later)]
        self._again.clear()
        self._new.clear()
        self._later.clear()
        return everyone

    def _allowance(self, now: float) -> int:
        """How many more may be begun in this minute."""
        if not self._per_minute:
            return len(self._again) + len(self._new)
        while self._begun and self._begun[0] + _MINUTE <= now:
            self._begun.popleft()
        return max(0, self._per_minute - len(self._begun))
