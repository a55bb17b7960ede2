"""What becomes of a failure in this run: whether it is tried again, when, and in what words it is given up.

Holds the rule of `retry` together with what `relief` can still do. Knows nothing of queues.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from buildsys.make import relief, retry
from buildsys.make.driver import Job
from buildsys.make.failure import EngineFailed
from buildsys.make.roster import Post, Standing
from engines.protocol import ErrorKind


class Ruling(NamedTuple):
    """The next try is `wait` seconds from now; None: there is none, and `error` says why."""

    wait: float | None
    error: EngineFailed
    crowded: bool = False
    """Whether the request ran out of memory in company, now or before."""


def on_request(standing: Standing, post: Post, job: Job, error: EngineFailed) -> Ruling:
    """Of a request that failed on `post`; `job.failures` ends with this one."""
    wait = retry.wait_for(job.engine, error, job.failures)
    if error.kind is not ErrorKind.OUT_OF_MEMORY or _by_the_machine(post, error):
        return Ruling(wait, retry.told(error), job.crowded)
    card = job.engine.card
    final = relief.told(error, card, post.level, alone=job.crowded or post.level > 0)
    configured = job.engine.limits.tries.get(ErrorKind.OUT_OF_MEMORY, math.inf)
    if job.failures.count(ErrorKind.OUT_OF_MEMORY) >= configured:
        return Ruling(None, final, job.crowded)
    if len(post.given) > 1:
        standing.relief.alone = True
        return Ruling(0.0, error, crowded=True)
    if post.on_gpu and card.relief:
        wait = 0.0 if standing.relief.step(card, post.level) else None
    return Ruling(wait, final, job.crowded)


def on_load(standing: Standing, post: Post, error: EngineFailed) -> Ruling:
    """Of a worker that could not load; `standing.load_failures` of its device ends with this one."""
    engine = post.driver.engine
    starved = error.kind is ErrorKind.OUT_OF_MEMORY and not _by_the_machine(post, error)
    if starved and post.on_gpu and engine.card.relief:
        again = standing.relief.step(engine.card, post.level)
        return Ruling(0.0 if again else None, relief.told(error, engine.card, post.level, alone=False))
    return Ruling(retry.wait_to_load(engine, error, standing.load_failures[post.device]), retry.told(error))


def _by_the_machine(post: Post, error: EngineFailed) -> bool:
    """Whether the machine's memory ran out, if any did: relief moves weights there, where it is short."""
    return post.on_gpu and error.killed
