"""The seal of an asset in the lock: a digest over its whole table, so that no field of it changes unseen.

It is over the table as TOML reads it, not over a `Record`: so it also covers what a later artlock adds, and
an earlier one can still tell that the table is whole. No signature: who edits on purpose can seal again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from buildsys import digest

KEY: Final = "seal"
SINCE: Final = 2
"""The first revision of the lock that has seals."""
_LENGTH: Final = 16
BROKEN: Final = "0" * _LENGTH
"""Written with what is known not to be whole: it fits nothing."""


def of(table: Mapping[str, Any]) -> str:
    """The seal that the table of an asset must have. Raises `ValueError`, `TypeError`, `RecursionError`."""
    return digest.of_value({key: value for key, value in table.items() if key != KEY})[:_LENGTH]


def fits(table: Mapping[str, Any]) -> bool:
    """Whether `table` is as it was sealed.

    One without a seal fits: a branch of before revision 2 may have brought it, and git merges its lines into
    a lock of today without a word. The next build seals it.
    """
    given = table.get(KEY)
    try:
        return given is None or of(table) == given
    except (TypeError, ValueError, RecursionError):  # it holds more than JSON can
        return False
