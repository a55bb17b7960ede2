"""The adapter `comfyui`: a workflow on the user's own ComfyUI server.

It needs `httpx2` and `websockets`; neither ComfyUI nor torch is imported here.
"""

from __future__ import annotations

from engines import protocol


def load(opening: protocol.Open) -> protocol.Engine:
    """The engine of `opening`, its server greeted. Raises `EngineError`: `TRANSIENT` where none answers."""
    # Late, because it brings httpx2, websockets, numpy and Pillow.
    from engines.comfyui.engine import Comfy  # noqa: PLC0415

    return Comfy(opening)
