"""What the manifest's text says beside its values: what was adopted, and where a pick stands.

Knows nothing of TOML beyond the lines of one table: values come from the manifest.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from buildsys.adoption import NOTE

_PICK: Final = re.compile(r"^\s*pick\s*=\s*([0-9]{1,9})")
_ROLE: Final = re.compile(r'^\s*#\s*(role|engine)\s*=\s*"([^"\\]*)"')


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in an asset's table."""

    adopted: bool = False
    key: str = ""
    """`role` or `engine`, as its comment has it of before it was adopted."""
    value: str = ""
    pick: int = 0
    """The line of its `pick`, from 1; 0: it has none."""
    number: int = 0
    """The candidate that it picks."""


def written(text: str, line: int) -> Written:
    """What stands in the table that begins at `line`, from 1, of a manifest's file."""
    lines = text.splitlines()
    if not 0 < line <= len(lines):
        return Written()
    found: dict[str, str] = {}
    adopted, pick, chosen = False, 0, 0
    for number, row in enumerate(lines[line:], line + 1):
        if row.startswith("["):
            break
        adopted = adopted or row.strip().endswith(NOTE)
        if match := _PICK.match(row):
            pick, chosen = number, int(match[1])
        if adopted and (match := _ROLE.match(row)):
            found[match[1]] = match[2]
    key = "engine" if "engine" in found else "role" if found else ""
    return Written(adopted=adopted, key=key, value=found.get(key, ""), pick=pick, number=chosen)
