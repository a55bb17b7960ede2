"""The sprite model: draws small sprites from a prompt, in plain numpy. Needs no key, no GPU, no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engines.protocol import Engine, Open


def load(opening: Open) -> Engine:
    """The engine, its weights read. Nothing in `opening` changes what it draws."""
    from engines.sprite.engine import Sprite  # noqa: PLC0415 - numpy, in the child only

    del opening
    return Sprite()
