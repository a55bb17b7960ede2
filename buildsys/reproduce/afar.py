"""What only the remote has of a lock's bytes, into a scratch store: neither the store nor the lock changes.

Bytes are asked for by their digest, and hashed when they come: nothing here takes a stranger's word.
"""

from __future__ import annotations

from collections.abc import Callable

from buildsys.digest import Digest
from buildsys.errors import RemoteError
from buildsys.lookup import PATIENCE
from buildsys.make.progress import Event, RemoteTrouble
from buildsys.manifest.sharing import Remote as Bucket
from buildsys.remote import Remote
from buildsys.store.objects import Store


class Afar:
    """Asks a remote for single objects; one that can't be asked is told of once, and then left alone."""

    def __init__(self, settings: Bucket | None, scratch: Store, tell: Callable[[Event], None]) -> None:
        """`settings`: None where there is none to ask; `scratch`: takes what comes."""
        self._settings = settings
        self._scratch = scratch
        self._tell = tell
        self._remote: Remote | None = None

    def read(self, wanted: Digest) -> bytes | None:
        """The bytes of `wanted`, if the remote has them."""
        if self._settings is None:
            return None
        try:
            self._remote = self._remote or Remote.open(self._settings, patience=PATIENCE)
            self._remote.pull(self._scratch, {wanted}, ())
        except RemoteError as error:
            self._settings = None
            self._tell(RemoteTrouble(message=error.message, hint=error.hint))
            return None
        return self._scratch.read(wanted)
