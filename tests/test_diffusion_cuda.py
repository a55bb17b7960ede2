"""What the diffusion engine tells torch of a GPU: the switches, not the pictures; there is no GPU here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from engines.diffusion import exact, settings  # noqa: E402 - torch first, or there is nothing to test

backends: Any = torch.backends
ATTENTION = (
    (backends.cuda.flash_sdp_enabled, backends.cuda.enable_flash_sdp),
    (backends.cuda.cudnn_sdp_enabled, backends.cuda.enable_cudnn_sdp),
    (backends.cuda.mem_efficient_sdp_enabled, backends.cuda.enable_mem_efficient_sdp),
)


@pytest.fixture(autouse=True)
def switches() -> Iterator[None]:
    """Turned the wrong way, and back at the end: other tests share the process."""
    cudnn, matmul = backends.cudnn, backends.cuda.matmul
    before = (cudnn.benchmark, cudnn.deterministic, cudnn.conv.fp32_precision, matmul.fp32_precision)
    attention = tuple(asked() for asked, _ in ATTENTION)
    cudnn.benchmark, cudnn.deterministic = True, False
    cudnn.conv.fp32_precision = matmul.fp32_precision = "tf32"
    for (_, enable), wrong in zip(ATTENTION, (True, True, False), strict=True):
        enable(wrong)
    yield
    cudnn.benchmark, cudnn.deterministic, cudnn.conv.fp32_precision, matmul.fp32_precision = before
    for (_, enable), enabled in zip(ATTENTION, attention, strict=True):
        enable(enabled)


def test_a_gpu_computes_by_nothing_but_what_is_recorded() -> None:
    exact.fix_cuda()
    assert (backends.cudnn.benchmark, backends.cudnn.deterministic) == (False, True)
    assert (backends.cudnn.conv.fp32_precision, backends.cuda.matmul.fp32_precision) == ("ieee", "ieee")
    assert [asked() for asked, _ in ATTENTION] == [False, False, True]
    assert backends.cuda.math_sdp_enabled()


def test_the_variables_that_nvidia_s_libraries_read_are_set() -> None:
    told = settings.variables(settings.read({"device": "cuda:0"}))
    assert (told["CUBLAS_WORKSPACE_CONFIG"], told["NVIDIA_TF32_OVERRIDE"]) == (":4096:8", "0")
