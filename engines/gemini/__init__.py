"""The adapter `gemini`: Google's image models, Nano Banana Pro first.

Plain HTTP: it is one POST, for which the official SDK would bring 19 more packages.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engines.hosted import account

if TYPE_CHECKING:
    from engines.protocol import Engine, Open


def load(opening: Open) -> Engine:
    """The engine for the model in `opening`. Raises `EngineError`: no key, no HTTP client."""
    account.require(Path(__file__).parent)
    from engines.gemini.engine import Gemini  # noqa: PLC0415 - the HTTP client, in the child only

    return Gemini(opening)
