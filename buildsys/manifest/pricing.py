"""What pictures cost, as an engine's table says it.

Knows nothing of how it is read, nor of what a picture did cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = Any


class PicturePrice(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture costs, and which pictures cost that."""

    usd: float
    parameters: Mapping[str, Json] = {}
    """What the asset's parameters must be; empty: whatever they are."""
    size: tuple[int, int] | None = None
    """What the asset's size must be."""
    over: tuple[int, int] | None = None
    """The asset's size must have more pixels than this one."""
    inputs: bool | None = None
    """Whether the asset must give its engine files, or must not; None: whether or not."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine's provider asks."""

    dated: str = ""
    """ISO date on which somebody looked it up; empty where the manifest does not say."""
    pictures: tuple[PicturePrice, ...] = ()
    """The first one that fits a picture is its price."""
    tokens: Mapping[str, float] = {}
    """US dollars per million tokens, by their kind; see `buildsys.manifest.prices.TOKENS`."""
