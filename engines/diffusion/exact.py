"""What makes the same request give the same bytes: torch's switches, and sums that ignore their neighbours.

Knows nothing of pipelines. What was measured, and where, is in `docs/engine-diffusion.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
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
    fix_cuda()


def fix_cuda() -> None:
    """Let what a GPU computes follow from the GPU, the number format and the shapes alone. Touches no GPU."""
    cudnn: Any = torch.backends.cudnn
    # TensorFloat-32 rounds products to 10 bits wherever it is faster, which differs by GPU.
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    cudnn.conv.fp32_precision = "ieee"
    # Benchmarking takes the algorithm that happened to be fastest in this process.
    cudnn.benchmark = False
    cudnn.deterministic = True
    # One attention on every GPU: the memory-efficient one. Plain products take its place for a shape that it
    # can't do, and for bfloat16 on GPUs before Ampere. Refused, though faster: flash, which older GPUs and
    # float32 don't have, and cuDNN's, which its version chooses.
    torch.backends.cuda.enable_flash_sdp(False)
    torch.backends.cuda.enable_cudnn_sdp(False)
    torch.backends.cuda.enable_mem_efficient_sdp(True)


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
    differ by one level in a few values, enough for other bytes. Of portable pictures every product does:
    the one instruction set that all makers of CPUs share divides the work by its size.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._apart = {**_BY_SAMPLE, **(_ALL_PRODUCTS if settings.portable else {})}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever torch returns
        apart = self._apart.get(func)
        return func(*args, **kwargs or {}) if apart is None else apart(func, args, kwargs or {})


def _first(
    dimensions: Container[int],
) -> Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]:
    """Take the first argument apart where it has one of the `dimensions`: others are no batch."""

    def apart(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401 - torch's
        if args and isinstance(args[0], torch.Tensor):
            batch, *rest = args
            if batch.dim() in dimensions and len(batch) > 1:
                return torch.cat([func(sample, *rest, **kwargs) for sample in batch.split(1)])
        return func(*args, **kwargs)

    return apart


def _all_alike(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401 - torch's
    """Take apart every argument that is a batch, the first one's size: attention, products of two batches."""
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor)]
    count = len(tensors[0])
    if count == 1 or tensors[0].dim() < _BATCHED:
        return func(*args, **kwargs)

    def part(value: Any, number: int) -> Any:  # noqa: ANN401 - whatever the call was given
        batch = isinstance(value, torch.Tensor) and value.dim() == tensors[0].dim() and len(value) == count
        return value[number : number + 1] if batch else value

    return torch.cat(
        [
            func(
                *(part(value, number) for value in args),
                **{name: part(value, number) for name, value in kwargs.items()},
            )
            for number in range(count)
        ]
    )


_BATCHED: Final = 3
"""Dimensions from which on the first of a product's is the batch."""

_BY_SAMPLE: Final[Mapping[Any, Any]] = {
    functional.linear: _first((2,)),
    functional.conv2d: _first((4,)),
    functional.group_norm: _first((2, 3, 4)),
}
_ALL_PRODUCTS: Final[Mapping[Any, Any]] = {
    functional.linear: _first((2, 3, 4)),
    functional.scaled_dot_product_attention: _all_alike,
    torch.matmul: _all_alike,
    torch.Tensor.matmul: _all_alike,
    torch.Tensor.__matmul__: _all_alike,
    torch.bmm: _all_alike,
    torch.Tensor.bmm: _all_alike,
}
