"""An adapter for benchmarks: the diffusion engine with weights that it makes up, on the device.

The model's folder holds configurations only, so a model of the real shape needs no download, no licence
and no disk. All but the weights is the product's own code: settings, scheduler, call, pictures.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from engines.diffusion import folder, prepare, settings
from engines.diffusion.folder import Source
from engines.diffusion.settings import Settings
from engines.protocol import Engine, Open

__all__ = ["load", "prepare"]


def load(opening: Open) -> Engine:
    """The pipeline whose shape `opening.model` holds."""
    chosen = settings.read(opening.settings)
    os.environ.update(settings.variables(chosen))
    source = folder.find(opening.model, opening.revision, chosen.cache)  # not `check`: it has no weights

    import torch  # noqa: PLC0415 - seconds

    from engines.diffusion import exact  # noqa: PLC0415 - these bring torch
    from engines.diffusion.draw import Artist  # noqa: PLC0415
    from engines.diffusion.memory import DeviceMemory  # noqa: PLC0415
    from engines.diffusion.model import Model  # noqa: PLC0415

    class Invented(Model):
        """A model that makes its components instead of reading them."""

        def _load(self, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as the method it replaces
            del given  # the T5 is made with the rest: there is no file that could come later
            return _pipeline(self.source, self.settings)

        def use_t5(self, wanted: bool | None) -> None:  # noqa: FBT001 - as the method it replaces
            """It is there."""

    exact.settle(chosen)
    memory = DeviceMemory(chosen.device, torch.cuda)
    memory.limit(opening.memory)
    return Artist(Invented(source, chosen), memory, opening.staging)


def _pipeline(source: Source, chosen: Settings) -> Any:  # noqa: ANN401 - untyped
    """The pipeline with every component that the folder describes."""
    import diffusers  # noqa: PLC0415 - as above
    import torch  # noqa: PLC0415

    torch.manual_seed(1)
    # Not `meta` and `to_empty`: buffers such as the table of positions would be lost.
    standard = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, chosen.dtype))
    try:
        with torch.device(chosen.device):
            made = {name: _component(source, name, kind) for name, kind in source.components.items()}
    finally:
        torch.set_default_dtype(standard)
    pipeline = getattr(diffusers, source.pipeline)(**made)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.vae.enable_slicing()
    return pipeline


def _component(source: Source, name: str, kind: str) -> Any:  # noqa: ANN401 - any component
    import diffusers  # noqa: PLC0415 - as above
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    place = source.path / name
    made: Any
    if hasattr(diffusers, kind):
        factory = getattr(diffusers, kind)
        made = factory.from_config(factory.load_config(place))
    elif "Tokenizer" in kind:
        return getattr(transformers, kind).from_pretrained(place)
    else:
        factory = getattr(transformers, kind)
        made = factory(factory.config_class.from_pretrained(place))
    if isinstance(made, torch.nn.Module):
        made.to(torch.get_default_dtype()).eval().requires_grad_(requires_grad=False)
    return made
