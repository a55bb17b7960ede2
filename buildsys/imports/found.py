"""What a picture says of how it was made, in words that all tools share.

Knows nothing of files and of any tool's form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

Json: TypeAlias = Any

_SEEDS: Final = range(2**63)
_SIDES: Final = range(1, 16385)
_STEPS: Final = range(1, 10_001)
_DIGITS: Final = 20


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """How a picture was made, as far as it says."""

    tool: str
    """Who wrote it, as a person should read it."""
    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    size: tuple[int, int] | None = None
    steps: int | None = None
    guidance: float | None = None
    others: Mapping[str, str] = {}
    """What else it says, by the tool's own words: model, sampler and so on."""
    workflow: str = ""
    """ComfyUI's graph in API format: JSON that a server can run again."""
    slots: Mapping[str, str] = {}
    """Where prompt, negative, seed and size stand in the graph: `6.text`."""
    unread: str = ""
    """What of it could not be understood, as a clause: `its prompt …`; empty where all was."""


def integer(value: Json, within: range) -> int | None:
    """`value`, a number or its digits, as an integer `within`; None where it is none."""
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value in within else None


def seed(value: Json) -> int | None:
    """`value` as a seed that the manifest can hold."""
    return integer(value, _SEEDS)


def steps(value: Json) -> int | None:
    """`value` as a number of steps."""
    return integer(value, _STEPS)


def size(width: Json, height: Json) -> tuple[int, int] | None:
    """Width and height in pixels; None unless both are."""
    sides = integer(width, _SIDES), integer(height, _SIDES)
    return None if sides[0] is None or sides[1] is None else (sides[0], sides[1])


def guidance(value: Json) -> float | None:
    """`value`, a number or its digits, as guidance."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value[:_DIGITS] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def text(value: Json) -> str:
    """`value` if it is a text without what no manifest can hold; else an empty one."""
    return value.strip().encode(errors="replace").decode() if isinstance(value, str) else ""


def noted(values: Mapping[str, Json]) -> dict[str, str]:
    """`values` as short texts, without those that say nothing."""
    shown = {key: text(value) if isinstance(value, str) else _plain(value) for key, value in values.items()}
    return {key: value for key, value in shown.items() if value}


def _plain(value: Json) -> str:
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)
