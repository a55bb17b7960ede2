"""How many tokens of each kind a request took, read from what its provider reported.

Knows nothing of prices. Reads the two shapes in which image providers report, and artlock's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from buildsys.manifest.prices import TOKENS

Json: TypeAlias = Any

_REST: Final = "rest"
_MOST: Final = 10**12
"""More tokens than any picture takes: a count of 400 digits is none that money could be reckoned with."""


def tokens(usage: Json) -> Mapping[str, int] | None:
    """Tokens by their kind (see `TOKENS`); None where `usage` does not tell them all apart.

    A guess would be a wrong sum of money, so there is none.
    """
    if not isinstance(usage, Mapping) or not usage:
        return None
    if TOKENS.keys() >= usage.keys():
        counts: dict[str, Json] = dict(usage)
    elif "input_tokens_details" in usage:
        counts = _of_openai(usage)
    elif "promptTokenCount" in usage:
        counts = _of_gemini(usage)
    else:
        return None
    return counts if all(map(_is_count, counts.values())) else None


def _of_openai(usage: Mapping[str, Json]) -> dict[str, Json]:
    taken = _table(usage.get("input_tokens_details"))
    given = usage.get("output_tokens_details")
    if given is None:
        # Without details all of them are the picture's: so says the provider's own schema.
        given = {"image_tokens": usage.get("output_tokens"), "text_tokens": 0}
    return {
        "text_in": taken.get("text_tokens"),
        "image_in": taken.get("image_tokens"),
        "text_out": _table(given).get("text_tokens"),
        "image_out": _table(given).get("image_tokens"),
    }


def _of_gemini(usage: Mapping[str, Json]) -> dict[str, Json]:
    taken = _by_modality(usage.get("promptTokensDetails"), usage.get("promptTokenCount"))
    given = _by_modality(usage.get("candidatesTokensDetails"), usage.get("candidatesTokenCount"))
    thoughts = usage.get("thoughtsTokenCount", 0)
    words = given.get("TEXT", 0)
    counts = {
        "text_in": taken.get("TEXT", 0),
        "image_in": taken.get("IMAGE", 0),
        "text_out": words + thoughts if _is_count(words) and _is_count(thoughts) else None,
        "image_out": given.get("IMAGE", 0),
    }
    return counts if taken[_REST] == given[_REST] == 0 else dict.fromkeys(counts)


def _by_modality(details: Json, total: Json) -> dict[str, Json]:
    """Tokens by modality, and under `_REST` those of `total` that are neither words nor pictures."""
    found: dict[str, Json] = {}
    for item in details if isinstance(details, list) else ():
        entry = _table(item)
        found[str(entry.get("modality"))] = entry.get("tokenCount")
    known = [found.get(name, 0) for name in ("TEXT", "IMAGE")]
    whole = _is_count(total) and all(map(_is_count, known))
    return {**found, _REST: total - sum(known) if whole else None}


def _table(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
