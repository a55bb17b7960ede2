"""The pictures that an audit's page shows: those that ship, where they are small enough to stand in it.

Knows nothing of HTML.
"""

from __future__ import annotations

from typing import Final

import msgspec

from buildsys.audit.forms import picture
from buildsys.audit.ground import Ground
from buildsys.audit.model import Audit
from buildsys.digest import Digest
from buildsys.manifest.model import AssetName

LARGEST: Final = 256 * 1024
"""Bytes of a picture. A larger one is told by its digest alone: the page is a record, and no gallery."""


class Shown(msgspec.Struct, frozen=True):
    """A picture's file, and its size in pixels as the lock has it."""

    data: bytes
    size: tuple[int, int]


def shown(ground: Ground, audit: Audit) -> dict[AssetName, Shown]:
    """The pictures of an audit that can be had, by asset: the very bytes that it tells the digest of."""
    found: dict[AssetName, Shown] = {}
    for entry in audit.entries:
        path, digest = picture(entry)
        data = ground.data(Digest(digest), path)
        if data is not None and len(data) <= LARGEST:
            locked = ground.lock.records[entry.asset].picture
            found[entry.asset] = Shown(data, (locked.width, locked.height))
    return found
