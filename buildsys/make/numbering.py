"""The names under which requests are sent: each attempt has one of its own.

Knows nothing of who makes them.
"""

from __future__ import annotations

import dataclasses
from itertools import count
from pathlib import Path

from buildsys.make.driver import Job


class Numbering:
    """Counts requests as they come, and their attempts."""

    def __init__(self) -> None:
        self._attempts = count(1)
        self._order = count(1)

    def first(self, job: Job) -> Job:
        """`job` in its place behind all that came before it, named for its first attempt."""
        return self.anew(dataclasses.replace(job, order=next(self._order)))

    def anew(self, job: Job) -> Job:
        """`job` under a name that no request had: a file left by a failed attempt is never adopted."""
        number = str(next(self._attempts))
        output = number + Path(job.asked.output).suffix
        return dataclasses.replace(job, request=dataclasses.replace(job.asked, id=number, output=output))
