"""Pictures that were made by hand: whom they owe a mention, which the manifest tells and no engine.

Knows nothing of how credits are shown.
"""

from __future__ import annotations

from typing import Final

from buildsys.manifest.cards import FINISH
from buildsys.manifest.model import Asset
from buildsys.plan.record import Credit

HAND_MADE: Final = "Made by hand"
"""Stands where the credits of an engine's picture name a library of works."""


def source_of(asset: Asset) -> str:
    """The project's own picture that `asset` is made of; empty where an engine or another asset gives it."""
    image = asset.inputs.get("image")
    return image.path if image is not None and asset.engine == FINISH else ""


def credits_of(asset: Asset, known: tuple[Credit, ...] = ()) -> tuple[Credit, ...]:
    """The credits of `asset`; `known` are those that its engine told.

    They are no part of a recipe: a new author's name makes nothing stale, and is in the lock all the same.
    """
    source = source_of(asset)
    if not source:
        return known
    if not (asset.author or asset.licence):
        return ()
    return (Credit(title=source, author=asset.author, licence=asset.licence, source=HAND_MADE),)
