"""The adapter `diffusion`: any diffusers text-to-image pipeline, from a folder or the Hub's cache.

It never downloads and never runs code that came with a model. torch is imported inside `load` only.
"""

from __future__ import annotations

import os

from engines.diffusion import folder, settings
from engines.protocol import Engine, Open


def load(opening: Open) -> Engine:
    """The pipeline that `opening` names, warm on its device.

    Raises `EngineError`: `MISSING` where weights or a device are not on this machine, `BAD_REQUEST` where
    the model or a setting can never work, `OUT_OF_MEMORY` where it does not fit.
    """
    chosen = settings.read(opening.settings)
    os.environ.update(settings.variables(chosen))
    source = folder.find(opening.model, opening.revision, chosen.cache)
    folder.check(source)

    # Late, because these bring torch (seconds): a missing file is reported before anyone waits for it.
    from engines.diffusion import exact  # noqa: PLC0415
    from engines.diffusion.draw import Artist  # noqa: PLC0415
    from engines.diffusion.model import Model  # noqa: PLC0415

    exact.settle(chosen)
    return Artist(Model(source, chosen), opening.staging)
