"""A loaded pipeline, warm on its device: its components, its scheduler, and its kin for other tasks.

Knows nothing of requests or pictures.
"""

from __future__ import annotations

import inspect
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import diffusers
import torch
import transformers

from engines.diffusion import folder, kinds
from engines.diffusion.call import Taker
from engines.diffusion.folder import T5, Source
from engines.diffusion.settings import Settings
from engines.diffusion.start import Task
from engines.protocol import EngineError, ErrorKind

_PINS: Final = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_CBWR")
"""Environment variables that choose another instruction set, and so other bits."""
_NO_ROOM: Final = ("out of memory", "can't allocate memory", "Cannot allocate memory")


@contextmanager
def room(settings: Settings) -> Iterator[None]:
    """Turn every way in which memory runs out into one `EngineError`.

    Its hint is for when the builder has given up: it has drawn the picture alone by then, and with every
    `offload` of the card, so a smaller batch is no advice.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(words in str(error) for words in _NO_ROOM):
            raise
        if settings.device.startswith("cuda"):
            torch.cuda.empty_cache()
        ways = []
        if settings.device != "cpu" and settings.offload != "sequential":
            ways.append('`offload = "model"`' if settings.offload == "none" else '`offload = "sequential"`')
        if settings.dtype == "float32":
            ways.append('`dtype = "bfloat16"`')
        ways.append("a smaller size")
        raise EngineError(
            ErrorKind.OUT_OF_MEMORY, f"`{settings.device}` ran out of memory", hint=f"try {' or '.join(ways)}"
        ) from error


class Model:
    """The pipeline of a folder, on the device that the settings name."""

    def __init__(self, source: Source, settings: Settings) -> None:
        """Load all but the T5, which waits for a request that wants it. Raises `EngineError`."""
        self.source = source
        self.settings = settings
        library: Any
        for library in (diffusers, transformers):
            library.utils.logging.disable_progress_bar()
        kinds.check(source)
        self._base = self._load(dict.fromkeys((*source.absent, *T5) if _has_t5(source) else source.absent))
        self._beside: dict[Task, Any] = {}
        self.pipeline = self._base
        self._scheduler = self.pipeline.scheduler
        self._place()

    def _load(self, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - one of diffusers' untyped pipelines
        """The pipeline with the components `given` in place of those in the folder."""
        pipelines: Any = diffusers.DiffusionPipeline
        try:
            with room(self.settings):
                pipeline = pipelines.from_pretrained(
                    str(self.source.path),
                    dtype=getattr(torch, self.settings.dtype),
                    use_safetensors=True,
                    local_files_only=True,
                    trust_remote_code=False,
                    **given,
                )
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            first = str(error).strip().partition("\n")[0]
            raise EngineError(
                ErrorKind.BAD_REQUEST,
                f"{self.source.name} can't be loaded as a `{self.source.pipeline}`: {first}",
                hint="check that its folder is as its maker published it",
            ) from error
        if hasattr(getattr(pipeline, "vae", None), "enable_slicing"):
            pipeline.vae.enable_slicing()
        return kinds.quiet(pipeline)

    def _place(self) -> None:
        """Put the components where they work. Called again whenever one came or went."""
        with room(self.settings):
            if self.settings.offload == "model":
                self.pipeline.enable_model_cpu_offload(device=self.settings.device)
            elif self.settings.offload == "sequential":
                self.pipeline.enable_sequential_cpu_offload(device=self.settings.device)
            else:
                self.pipeline.to(self.settings.device)

    def use_t5(self, wanted: bool | None) -> None:  # noqa: FBT001 - a parameter of the recipe, passed on
        """Load or drop the T5 text encoder; None means as the model has it. Raises `EngineError`."""
        if not _has_t5(self.source):
            if wanted is not None:
                raise EngineError(
                    ErrorKind.BAD_REQUEST,
                    f"{self.source.name} has no `text_encoder_3`",
                    hint="leave `text_encoder_3` out",
                )
            return
        wanted = wanted is not False
        if wanted == (self.pipeline.text_encoder_3 is not None):
            return
        if wanted:
            for name in T5:
                folder.check_component(self.source, name)
        self.pipeline.remove_all_hooks()
        kept = {name: part for name, part in self._base.components.items() if name not in T5}
        if not wanted:
            kept |= dict.fromkeys(T5)
        self.pipeline = self._base = self._load(kept)
        self._beside.clear()
        self._place()

    def taker(self, task: Task) -> Taker:
        """What a call for `task` takes. Raises `EngineError` where diffusers has no such pipeline."""
        return kinds.taker(self._for(task))

    def take_up(self, task: Task) -> None:
        """Let `pipeline` be the one for `task`: the same components, in another order of work."""
        wanted = self._for(task)
        if wanted is self.pipeline:
            return
        # Where components wait in main memory, it is the pipeline that calls them in and sends them back.
        self.pipeline.remove_all_hooks()
        self.pipeline = wanted
        self._place()

    def _for(self, task: Task) -> Any:  # noqa: ANN401 - one of diffusers' untyped pipelines
        if task is Task.TEXT:
            return self._base
        if task not in self._beside:
            self._beside[task] = kinds.beside(self._base, task)
        return self._beside[task]

    def schedule(self, name: str | None, shift: float | None) -> None:
        """Give the pipeline a fresh scheduler: the model's own, or another class, or another shift."""
        own = self._scheduler
        kind = type(own)
        if name is not None and name != kind.__name__:
            known = {item.__name__: item for item in own.compatibles}
            if kind.__name__.startswith("FlowMatch"):
                kin = [item for item in dir(diffusers) if item.startswith("FlowMatch")]
                known |= {item: getattr(diffusers, item) for item in kin}
            if name not in known:
                raise EngineError(
                    ErrorKind.BAD_REQUEST,
                    f"`{name}` is not a scheduler for `{self.source.pipeline}` with its `{kind.__name__}`",
                    hint="choose one of "
                    + ", ".join(f"`{item}`" for item in sorted({kind.__name__, *known})),
                )
            kind = known[name]
        more = {}
        if shift is not None:
            if "shift" not in inspect.signature(kind.__init__).parameters:
                raise EngineError(
                    ErrorKind.BAD_REQUEST, f"`{kind.__name__}` takes no `shift`", hint="leave `shift` out"
                )
            more["shift"] = shift
        self.pipeline.scheduler = kind.from_config(own.config, **more)

    def tokenizers(self) -> list[Any]:
        """Those of the text encoders that are loaded."""
        parts = self.pipeline.components.items()
        return [part for name, part in parts if name.startswith("tokenizer") and part is not None]

    def environment(self) -> dict[str, str]:
        """What pictures are made with; the same recipe gives the same bytes where all of it is equal."""
        device = self.settings.device
        found = {
            "python": ".".join(platform.python_version_tuple()[:2]),
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
            "transformers": transformers.__version__,
            "dtype": self.settings.dtype,
        }
        if device != "cpu" and self.settings.batch > 1:
            # On a CPU pictures are the same in every batch; elsewhere they may differ with their neighbours.
            found["batch"] = str(self.settings.batch)
        if device.startswith("cuda"):
            found["device"] = torch.cuda.get_device_name(device)
            found["cuda"] = str(torch.version.cuda)
            cudnn: Any = torch.backends.cudnn
            found["cudnn"] = str(cudnn.version())
        else:
            found["device"] = f"{device} {_processor()}"
            found["threads"] = str(self.settings.threads)
            found |= {name: os.environ[name] for name in _PINS if name in os.environ}
        return found


def _has_t5(source: Source) -> bool:
    return T5[0] in source.components


def _processor() -> str:
    """The processor's own name and the instruction set that torch uses: bits depend on both."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"
