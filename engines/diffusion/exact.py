"""What makes the same request give the same bytes: torch's switches, and sums that ignore their neighbours.

Knows nothing of pipelines. What was measured, and where, is in `docs/engine-diffusion.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from engines.diffusion.settings import Settings
from engines.protocol import EngineError, ErrorKind


def settle(settings: Settings) -> None:
    """Set torch up for the life of the process. Raises `EngineError` where the device is not here."""
    torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(True)
    if settings.device.startswith("cuda"):
        _settle_cuda(int(settings.device.partition(":")[2]))
    if settings.device == "mps" and not torch.backends.mps.is_available():
        raise EngineError(
            ErrorKind.MISSING,
            "this machine, or its torch, has no `mps` device",
            hint='set the engine\'s `device` to `"cpu"`',
        )


def _settle_cuda(number: int) -> None:
    count = torch.cuda.device_count()
    if number >= count:
        has = f"{count} GPU{'s'[: count != 1]}" if count else "no GPU that torch can use"
        raise EngineError(
            ErrorKind.MISSING,
            f"there is no `cuda:{number}`: this machine has {has}",
            hint='set the engine\'s `device` to `"cpu"` or to a GPU that is there',
        )
    cudnn: Any = torch.backends.cudnn
    # TensorFloat-32 rounds products to 10 bits wherever it is faster, which differs by GPU.
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    cudnn.conv.fp32_precision = "ieee"
    # Benchmarking takes the algorithm that happened to be fastest in this process.
    cudnn.benchmark = False
    # cuDNN's attention is chosen by its version; without it the choice depends on shape and dtype only.
    torch.backends.cuda.enable_cudnn_sdp(False)


def generators(seeds: Iterable[int]) -> list[torch.Generator]:
    """A generator per picture, on the CPU: the noise is the same on every device and in every batch."""
    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


@contextmanager
def stray_noise(seed: int) -> Iterator[Callable[[], bool]]:
    """Fix the noise that is drawn from no generator of ours; yields a question: was there any?

    Some schedulers (`FlowMatchLCMScheduler`) draw in every step from torch's global generator, which
    knows no picture of a batch apart.
    """
    torch.manual_seed(seed)
    start = torch.get_rng_state()
    yield lambda: not torch.equal(start, torch.get_rng_state())


class Alone(TorchFunctionMode):
    """Computes each sample of a batch by itself where the library's sums depend on the batch's size.

    On the CPU three operations do: a linear layer on `[batch, width]` (one row takes another path than
    many), a convolution, and a group norm (both choose their memory layout by batch). A picture would
    differ by one level in a few values, enough for other bytes.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever torch returns
        kwargs = kwargs or {}
        if func in _BY_SAMPLE and args and isinstance(args[0], torch.Tensor):
            batch, *rest = args
            if len(batch) > 1 and (func is not functional.linear or batch.dim() == 2):  # noqa: PLR2004 - rows
                return torch.cat([func(sample, *rest, **kwargs) for sample in batch.split(1)])
        return func(*args, **kwargs)


_BY_SAMPLE: Final = (functional.linear, functional.conv2d, functional.group_norm)
