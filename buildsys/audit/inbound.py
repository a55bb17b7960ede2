"""What came with the pictures that others made: their C2PA manifests, and what their files say of themselves.

Bytes come in from the store, each file once. Knows nothing of assets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from buildsys import digest as digests
from buildsys.audit import claims, containers
from buildsys.audit.model import Inbound
from buildsys.digest import Digest
from buildsys.imports import texts


class Seen(msgspec.Struct, frozen=True):
    """What a file holds beside its pixels."""

    here: bool
    """Whether the file could be had at all."""
    c2pa: Inbound | None = None
    texts: Mapping[str, str] = {}


class Files:
    """What is in files, looked at once each.

    Args:
        data: gives the bytes with a digest, which may lie at a path of the project; None where it can't.
    """

    def __init__(self, data: Callable[[Digest, str], bytes | None]) -> None:
        self._data = data
        self._seen: dict[Digest, Seen] = {}

    def look(self, digest: Digest, path: str = "") -> Seen:
        """What the file with `digest` holds."""
        if digest not in self._seen:
            data = self._data(digest, path)
            self._seen[digest] = Seen(here=False) if data is None else _seen(digest, data)
        return self._seen[digest]

    def sidecar(self, digest: Digest, path: str = "") -> bytes | None:
        """The manifest store of the file with `digest`, as it stood in there; None where it has none."""
        data = self._data(digest, path)
        return None if data is None else containers.manifest_store(data)


def _seen(digest: Digest, data: bytes) -> Seen:
    store = containers.manifest_store(data)
    if store is None:
        return Seen(here=True, texts=texts.of(data))
    said = claims.read(store)
    found = Inbound(
        **{field: getattr(said, field) for field in said.__struct_fields__},
        of=digest,
        digest=digests.of_bytes(store),
        size=len(store),
    )
    return Seen(here=True, c2pa=found, texts=texts.of(data))
