"""What each request took: how long it waited, for what, and how long it was worked on.

Pure sums over moments that the caller gives. Knows nothing of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from buildsys.make.events import RequestSpent
from buildsys.make.failure import EngineFailed
from buildsys.make.made import Made
from engines.protocol import Done


def _as_told(done: Done) -> float | None:
    """What the provider says."""
    return done.cost


@dataclass(slots=True)
class LoadingTime:
    """For how long at least one worker of an engine has been loading, in all."""

    _loading: int = 0
    _since: float = 0.0
    _seconds: float = 0.0

    def begin(self, now: float) -> None:
        """One more worker loads."""
        if not self._loading:
            self._since = now
        self._loading += 1

    def end(self, now: float) -> None:
        """One worker less loads."""
        self._loading -= 1
        if not self._loading:
            self._seconds += now - self._since

    def seconds(self, now: float) -> float:
        """Up to `now`."""
        return self._seconds + (now - self._since if self._loading else 0.0)


@dataclass(slots=True)
class Account:
    """One request through all of its tries."""

    tries: int = 0
    device: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Of the worker that had it last."""
    outcome: Made | EngineFailed | None = None
    """How it ended; None while it may be tried again."""
    _waited: float = 0.0
    _loaded: float = 0.0
    _made: float = 0.0
    _batches: int = 0
    """Batches under way that it was in: one whose answer came early is only paid for at the end."""
    _since: float = 0.0
    _mark: float = 0.0

    def wait(self, now: float, loading: LoadingTime) -> None:
        """It waits for a worker."""
        self._since = now
        self._mark = loading.seconds(now)

    def work(
        self, now: float, loading: LoadingTime, device: str, environment: Mapping[str, str] | None = None
    ) -> None:
        """It waits no longer: a worker on `device` has it, which makes pictures with `environment`."""
        self.wait_no_more(now, loading)
        self.tries += 1
        self.device = device
        self.environment = environment or {}
        self._batches += 1

    def take_back(self, now: float, loading: LoadingTime) -> None:
        """It waits again: the worker that should have had it was gone by then."""
        self.tries -= 1
        self._batches -= 1
        self.wait(now, loading)

    def wait_no_more(self, now: float, loading: LoadingTime) -> None:
        """It waits no longer."""
        self._waited += now - self._since
        self._loaded += loading.seconds(now) - self._mark

    def pay(self, seconds: float) -> None:
        """A batch that it was in has ended, and this is its share."""
        self._batches -= 1
        self._made += seconds

    @property
    def closed(self) -> bool:
        """Whether nothing can be added any more."""
        return self.outcome is not None and not self._batches

    def spent(
        self, engine: str, asset: str, version: str, cost: Callable[[Done], float | None] = _as_told
    ) -> RequestSpent:
        """The sum; `cost`: what a picture took, in US dollars."""
        ended = self.outcome
        done = ended if isinstance(ended, Made) else None
        return RequestSpent(
            engine=engine,
            asset=asset,
            version=version,
            device=self.device,
            environment=self.environment,
            tries=self.tries,
            queue_seconds=self._waited - self._loaded,
            load_seconds=self._loaded,
            make_seconds=self._made,
            host_bytes=ended.host_bytes if ended else 0,
            device_bytes=done.device_bytes if done else 0,
            cost=cost(done) if done else None,
            error=ended.kind if isinstance(ended, EngineFailed) else None,
        )
