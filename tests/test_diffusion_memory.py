"""The memory of a GPU, with a stand-in for the few calls of torch; what loads before the device is free."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engines import diffusion, protocol
from engines.diffusion import settings
from engines.diffusion.memory import DeviceMemory
from engines.protocol import Open

TOTAL = 80 * 10**9


@dataclass
class FakeCuda:
    """A GPU of 80 GB that notes what it is told."""

    calls: list[tuple[str, float, int]] = field(default_factory=list)
    peak: int = 0

    def get_device_properties(self, device: int) -> Any:
        assert device == 1
        return SimpleNamespace(total_memory=TOTAL)

    def set_per_process_memory_fraction(self, fraction: float, device: int) -> None:
        self.calls.append(("limit", fraction, device))

    def reset_peak_memory_stats(self, device: int) -> None:
        self.calls.append(("reset", 0, device))
        self.peak = 0

    def max_memory_allocated(self, device: int) -> int:
        assert device == 1
        return self.peak


@pytest.mark.parametrize(
    ("most", "share"), [(0.5, 0.5), (1.0, 1.0), (20e9, 0.25), (TOTAL, 1.0), (100e9, 1.0)]
)
def test_a_limit_is_a_share_or_bytes(most: float, share: float) -> None:
    cuda = FakeCuda()
    DeviceMemory("cuda:1", cuda).limit(most)
    assert cuda.calls == [("limit", share, 1)]


def test_no_limit_is_none() -> None:
    cuda = FakeCuda()
    DeviceMemory("cuda:1", cuda).limit(0)
    assert cuda.calls == []


def test_each_batch_is_measured_by_itself() -> None:
    cuda = FakeCuda(peak=7)
    memory = DeviceMemory("cuda:1", cuda)
    memory.watch()
    assert memory.most() == 0
    cuda.peak = 5
    assert memory.most() == 5
    assert cuda.calls == [("reset", 0, 1)]


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_where_there_is_no_gpu_nothing_is_asked(device: str) -> None:
    cuda = FakeCuda(peak=7)
    memory = DeviceMemory(device, cuda)
    memory.limit(0.5)
    memory.watch()
    assert (memory.most(), cuda.calls) == (0, [])


def test_a_batch_on_a_gpu_is_allowed_because_it_was_written() -> None:
    assert settings.read({"device": "cuda:0", "batch": 4}).batch == 4
    assert settings.read({"device": "cuda:0"}).batch == 1


@pytest.fixture
def environ() -> Iterator[None]:
    """Preparing sets environment variables, as it may in a process of its own."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


OPENING = Open(
    protocol=protocol.PROTOCOL,
    adapter="diffusion",
    engine="small",
    model="",
    revision="",
    staging="",
    settings={},
    ahead=True,
)


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize(
    "wrong", [{"settings": {"device": "toaster"}}, {"model": "/not/there"}, {"model": "x"}]
)
def test_preparing_leaves_what_is_wrong_for_load_to_say(wrong: dict[str, Any]) -> None:
    diffusion.prepare(replace(OPENING, **wrong))


@pytest.mark.usefixtures("environ")
def test_preparing_imports_the_classes_and_loads_no_weights(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
    (tmp_path / "model_index.json").write_text(
        '{"_class_name": "StableDiffusion3Pipeline", "text_encoder": ["transformers", "CLIPTextModel"]}'
    )
    # The folder has no weights at all, so nothing can have been read of them.
    diffusion.prepare(replace(OPENING, model=str(tmp_path), settings={"device": "cuda:0"}))
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert "StableDiffusion3Pipeline" in vars(sys.modules["diffusers"])
    assert "CLIPTextModel" in vars(sys.modules["transformers"])
    assert not torch.cuda.is_initialized()
