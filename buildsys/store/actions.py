"""One action's file: its key, its result, and a digest of both.

The same bytes wherever it lies, in a store or in a remote. Knows nothing of what results mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from buildsys import digest as digests
from buildsys.digest import Digest

Json: TypeAlias = Any


def encode(key: Digest, result: Mapping[str, Json]) -> bytes:
    """The file of the action `key` that came to `result`. Raises `ValueError` for no JSON."""
    content = {"key": key, "result": dict(result)}
    return digests.canonical({**content, "digest": digests.of_value(content)})


def decode(data: bytes, key: Digest) -> dict[str, Json] | None:
    """The result in an action's file; None where it is torn, altered, or another action's."""
    try:
        content = json.loads(data)
        digest = content.pop("digest")
        if content["key"] != key or digests.of_value(content) != digest:
            return None
        result = content["result"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return result if isinstance(result, dict) else None
