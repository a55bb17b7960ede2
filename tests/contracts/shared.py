"""The providers' own schemas, where a copy of them lies beside the checkout; every object in them closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

SPECS = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "specs"


@cache
def schema(file: str, name: str) -> tuple[Mapping[str, Any], ...]:
    """The schema `name` in `file`, one or none."""
    path = SPECS / file
    if not path.is_file():
        return ()
    components = _closed(json.loads(path.read_text(encoding="utf-8"))["components"])
    return ({"$ref": f"#/components/schemas/{name}", "components": components},)


def _closed(value: Any) -> Any:
    """`value` with every object that lists its properties taking no others."""
    if isinstance(value, list):
        return [_closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    closed = {key: _closed(item) for key, item in value.items()}
    if isinstance(closed.get("properties"), dict) and closed.get("type") == "object":
        closed["additionalProperties"] = False
    return closed
