"""What adapters can do, in the words of their cards: capabilities, lettering, and what each model takes.

Knows nothing of assets, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, TypeAlias

import msgspec

Json: TypeAlias = Any


class Capability(StrEnum):
    """What an asset may ask of its engine by name. All else it asks for by giving it: a size, a text."""

    ALPHA = "alpha"
    SEED = "seed"
    TILING = "tiling"
    LETTERING = "lettering"


class Lettering(StrEnum):
    """How well an adapter writes words into its pictures."""

    NONE = "none"
    FAIR = "fair"
    """Short words, often misspelt."""
    GOOD = "good"
    """A line or two, mostly right; worth a look all the same."""
    EXACT = "exact"
    """Letter for letter, always."""

    def reaches(self, least: Lettering) -> bool:
        """Whether it is `least` or better."""
        order = list(Lettering)
        return order.index(self) >= order.index(least)


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """What some models of an adapter take, as its card declares it: an entry of `[[shapes]]`."""

    models: tuple[str, ...] = ()
    """Their names, or how they begin: `gpt-image-2*`. Empty: every model that no entry before names."""
    sizes: tuple[tuple[int, int], ...] = ()
    """All that they make. An asset's size may be smaller than one of these, and 2 % off in shape."""
    ratios: tuple[str, ...] = ()
    """Shapes that they make, such as `16:9`. Without `sizes`, an asset's size is within 2 % of one."""
    multiple: int = 1
    """Of which both sides are multiples."""
    steepest: float = 0
    """How many times as long as the shorter side the longer one may be; 0: any."""
    longest: int = 0
    """Pixels of the longer side, at most; 0: any."""
    pixels: int = 0
    """Pixels of the picture, at most; 0: any."""
    negative: Literal["optional", "none"] = "optional"
    """`none` where these models take no negative prompt, though the adapter does."""
    choices: Mapping[str, tuple[Json, ...]] = {}
    """Values of a parameter, where these models take fewer than the adapter; an empty list: none."""
