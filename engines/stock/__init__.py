"""The bundled engine: free icons, found by prompt and painted. Needs no weights, key or GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engines.protocol import Engine, Open


def load(opening: Open) -> Engine:
    """The engine, its library open. Nothing in `opening` changes what it draws."""
    from engines.stock.engine import Stock  # noqa: PLC0415 - numpy and the renderer, in the child only

    del opening
    return Stock()
