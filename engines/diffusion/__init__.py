"""The adapter `diffusion`: any diffusers text-to-image pipeline, from a folder or the Hub's cache.

It never downloads and never runs code that came with a model. torch is imported inside `load` only.
"""

from __future__ import annotations

import contextlib
import importlib
import os

from engines.diffusion import folder, portable, settings
from engines.diffusion.settings import Settings
from engines.protocol import Engine, EngineError, Open


def prepare(opening: Open) -> None:
    """Import what `load` will need, while another engine still owns the device.

    Touches neither the device nor any weights, and raises nothing: `load` meets the same and says it.
    """
    with contextlib.suppress(EngineError, ImportError, OSError):
        chosen = _settled(opening)
        source = folder.find(opening.model, opening.revision, chosen.cache)
        from engines.diffusion import draw, exact, memory  # noqa: F401, PLC0415 - for `load` to find

        for library, name in folder.classes(source):
            # Both libraries import the module of a class only when the class is asked for.
            getattr(importlib.import_module(library), name, None)


def _settled(opening: Open) -> Settings:
    """The settings of `opening`, with the variables set that libraries read as they load."""
    chosen = settings.read(opening.settings, opening.parameters)
    if chosen.portable:
        portable.check(chosen)
        os.environ.update(portable.PINS)
    os.environ.update(settings.variables(chosen))
    return chosen


def load(opening: Open) -> Engine:
    """The pipeline that `opening` names, warm on its device.

    Raises `EngineError`: `MISSING` where weights or a device are not on this machine, `BAD_REQUEST` where
    the model or a setting can never work, `OUT_OF_MEMORY` where it does not fit.
    """
    chosen = _settled(opening)
    source = folder.find(opening.model, opening.revision, chosen.cache)
    folder.check(source)

    # Late, because these bring torch (seconds): a missing file is reported before anyone waits for it.
    import torch  # noqa: PLC0415

    if chosen.portable:
        portable.check_cpu(torch.cpu.get_capabilities(), torch.backends.cpu.get_cpu_capability())

    from engines.diffusion import exact  # noqa: PLC0415
    from engines.diffusion.draw import Artist  # noqa: PLC0415
    from engines.diffusion.memory import DeviceMemory  # noqa: PLC0415
    from engines.diffusion.model import Model  # noqa: PLC0415

    exact.settle(chosen)
    memory = DeviceMemory(chosen.device, torch.cuda)
    memory.limit(opening.memory)
    return Artist(Model(source, chosen), memory, opening.staging)
