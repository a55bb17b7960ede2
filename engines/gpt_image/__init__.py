"""The adapter `gpt_image`: OpenAI's image models, through the official SDK."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engines.hosted import account

if TYPE_CHECKING:
    from engines.protocol import Engine, Open


def load(opening: Open) -> Engine:
    """The engine for the model in `opening`. Raises `EngineError`: no key, no SDK."""
    account.require(Path(__file__).parent)
    from engines.gpt_image.engine import GptImage  # noqa: PLC0415 - the SDK, in the child only

    return GptImage(opening)
