"""Whether bytes that a remote has are what their digest says. Knows nothing of where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from buildsys import digest as digests
from buildsys.digest import Digest
from buildsys.holdings import named
from buildsys.store import actions as files

Json: TypeAlias = Any

MOST_NAMED: Final = 1000
"""Objects that one action may name, all of which are fetched: an action of a few megabytes could have a pull
fill the disk. The largest honest one is an atlas, of at most 100 pages, with a data file or two for each."""


def is_object(data: bytes, digest: Digest) -> bool:
    """Whether these are the bytes of that digest."""
    return digests.of_bytes(data) == digest


def result_in(data: bytes, key: Digest) -> dict[str, Json] | None:
    """What the action `key` came to, by its file; None where that is torn, altered, or another's.

    It names its objects by digests, and not too many: a stranger may have written it.
    """
    result = files.decode(data, key)
    return result if result is not None and _usable(result) else None


def _usable(result: Mapping[str, Json]) -> bool:
    try:
        return len(named(result)) <= MOST_NAMED
    except ValueError:
        return False
