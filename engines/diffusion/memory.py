"""The memory of the GPU that an engine works on: how much it may take, and how much it took.

Knows nothing of pipelines. On a CPU the builder limits the process itself, and there is nothing to do here.
"""

from __future__ import annotations

from typing import Any, Protocol


class Cuda(Protocol):
    """What we call of `torch.cuda`; `device` is the number of a GPU."""

    def get_device_properties(self, device: int) -> Any:  # noqa: ANN401 - torch gives its type no name
        """Among others `total_memory`, in bytes."""

    def set_per_process_memory_fraction(self, fraction: float, device: int) -> None:
        """Let an allocation beyond this share fail as one that the device has no room for."""

    def reset_peak_memory_stats(self, device: int) -> None:
        """Forget the most that was taken so far."""

    def max_memory_allocated(self, device: int) -> int:
        """The most bytes that were taken since."""


class DeviceMemory:
    """That of the device `device`, a GPU or not."""

    def __init__(self, device: str, cuda: Cuda) -> None:
        kind, _, number = device.partition(":")
        self._gpu = int(number) if kind == "cuda" else None
        self._cuda = cuda

    def limit(self, most: float) -> None:
        """Take no more than `most`: bytes, up to 1 a share of what the device has, 0 for no limit."""
        if self._gpu is None or not most:
            return
        share = most if most <= 1 else most / self._cuda.get_device_properties(self._gpu).total_memory
        self._cuda.set_per_process_memory_fraction(min(1.0, share), self._gpu)

    def watch(self) -> None:
        """Start to measure anew: what is asked for by `most` began now."""
        if self._gpu is not None:
            self._cuda.reset_peak_memory_stats(self._gpu)

    def most(self) -> int:
        """The most bytes at once since `watch`; 0 where the device is no GPU."""
        return 0 if self._gpu is None else int(self._cuda.max_memory_allocated(self._gpu))
