"""How much of a device's memory is taken, now and since a moment, whoever took it.

Of a graphics card it is what the driver says, so that a context or a leak counts too. Of the CPU it is
the memory of this process's descendants.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self

import machine
import psutil

_EVERY: Final = 0.25


class Meter:
    """Samples in a thread while it is open."""

    def __init__(self, device: str) -> None:
        """`device`: `cpu` or `cuda:N`."""
        self._device = device
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.lowest = 0
        """Bytes, the least since `restart`."""
        self.highest = 0
        """Bytes, the most since `restart`."""

    def now(self) -> int:
        """Bytes at this moment."""
        kind, _, number = self._device.partition(":")
        if kind == "cuda":
            words = (f"--id={number}", "--query-gpu=memory.used", "--format=csv,noheader,nounits")
            return int(machine.nvidia(*words)[0]) * 2**20
        total = 0
        for process in psutil.Process().children(recursive=True):
            try:
                total += int(process.memory_full_info().pss)
            except psutil.Error:
                continue  # it ended between the list and the question
        return total

    def restart(self) -> None:
        """Forget what was sampled so far."""
        self.lowest = self.highest = self.now()

    def _sample(self) -> None:
        while not self._ended.wait(_EVERY):
            bytes_now = self.now()
            self.lowest, self.highest = min(self.lowest, bytes_now), max(self.highest, bytes_now)

    def __enter__(self) -> Self:
        self.restart()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
