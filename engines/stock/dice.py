"""Chance that is the same everywhere: SHA-256 of the seed and what is being decided.

Not numpy's generators nor Python's: their streams may change with a version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def roll(seed: int, label: str, sides: int) -> int:
    """A number from 0 to `sides` - 1. Each label has a chance of its own, so that a new one moves none."""
    digest = hashlib.sha256(f"{seed}:{label}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % sides


def pick(seed: int, label: str, choices: Sequence[T]) -> T:
    """One of `choices`, which must not be empty."""
    return choices[roll(seed, label, len(choices))]
