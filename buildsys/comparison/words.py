"""What is told of a compared picture, in a person's words.

Knows nothing of terminals, sheets or pages.
"""

from __future__ import annotations

import json

from buildsys.comparison.model import Distance, Entry, Json
from buildsys.journal.words import NOTHING, dollars, seconds_told


def told(value: Json) -> str:
    """A parameter's value, without the marks of a string."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def row_told(entry: Entry) -> str:
    """The engine, and what was tried on it."""
    return " · ".join([entry.engine, *(f"{key} {told(value)}" for key, value in entry.settings.items())])


def alpha_told(entry: Entry) -> str:
    """`none`, or how much is opaque."""
    if entry.opaque is None:
        return NOTHING
    return f"{entry.opaque:.0%} opaque" if entry.alpha else "none"


def cost_told(entry: Entry) -> str:
    """What it did cost, once."""
    if entry.cost is None:
        return "unknown" if entry.picture else NOTHING
    return dollars(entry.cost) if entry.cost else "free"


def cost_words(entry: Entry) -> str:
    """The same where no heading says what it is."""
    return "price unknown" if entry.cost is None else cost_told(entry)


def took_told(entry: Entry) -> str:
    """How long the engine was at work; `store` where that was another time."""
    if not entry.from_store:
        return seconds_told(entry.make_seconds)
    return "store" if entry.make_seconds is None else f"{seconds_told(entry.make_seconds)} (store)"


def measures(distance: Distance | None, *, is_reference: bool) -> tuple[str, str, str, str]:
    """Bits of the hash, PSNR, SSIM and changed area, for a table."""
    if distance is None:
        return ("reference" if is_reference else NOTHING, NOTHING, NOTHING, NOTHING)
    return (
        str(distance.hash_bits),
        "equal" if distance.psnr is None else f"{distance.psnr:.1f} dB",
        f"{distance.ssim:.3f}" + ("*" if distance.resized else ""),
        NOTHING if distance.changed is None else f"{distance.changed:.1%}",
    )
