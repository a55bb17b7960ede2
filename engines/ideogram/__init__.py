"""The adapter `ideogram`: versions 1 and 2 through the legacy address, version 3 through its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engines.hosted import account

if TYPE_CHECKING:
    from engines.protocol import Engine, Open


def load(opening: Open) -> Engine:
    """The engine for the model in `opening`. Raises `EngineError`: no key, no such model, no HTTP client."""
    account.require(Path(__file__).parent)
    from engines.ideogram.engine import Ideogram  # noqa: PLC0415 - the HTTP client, in the child only

    return Ideogram(opening)
