"""The remote, as a build, a push and a pull use it.

Needs the extra `remote` once one is opened. A blocking face for what runs in an event loop of its own:
call it from any thread that has none.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping
from typing import Final

from buildsys.digest import Digest
from buildsys.errors import RemoteError
from buildsys.manifest.sharing import Remote as Settings
from buildsys.remote.bucket import Shelf
from buildsys.remote.connect import connect
from buildsys.remote.model import Patience, Pulled, Pushed, Tell
from buildsys.remote.pull import Pull
from buildsys.remote.push import Push
from buildsys.store.objects import Store

WRITE: Final = "ARTLOCK_REMOTE_WRITE"
"""The environment variable by which CI may write where the manifest lets nobody."""


class Remote:
    """A remote that was opened; nothing was asked of it yet."""

    def __init__(self, shelf: Shelf, settings: Settings, *, writable: bool) -> None:
        self._shelf = shelf
        self._settings = settings
        self._writable = writable

    @classmethod
    def open(
        cls, settings: Settings, *, patience: Patience | None = None, environ: Mapping[str, str] = os.environ
    ) -> Remote:
        """The remote that `settings` tell of. Raises `RemoteError`, where it can't be one.

        Args:
            settings: the manifest's `[remote]`.
            patience: how long it is given, where that is not the usual.
            environ: where `ARTLOCK_REMOTE_WRITE` may stand. Credentials come from the process's own.
        """
        patience = patience or Patience()
        shelf = Shelf(connect(settings, patience), settings, patience)
        return cls(shelf, settings, writable=settings.write or environ.get(WRITE) == "1")

    def pull(
        self,
        store: Store,
        objects: Collection[Digest],
        actions: Collection[Digest],
        tell: Tell = lambda _: None,
        *,
        without: Collection[Digest] = (),
    ) -> Pulled:
        """Bring into `store` what it lacks of `objects` and `actions`, and what these actions name.

        What is absent or poisoned there is no error, but told. Safe beside builds and other pulls; what was
        brought stays, whatever ends it. `tell` is called in this thread. Objects `without` are not asked for
        where an action names them: they are known to be wrong there.

        Raises `RemoteError` where the remote can't be asked, `DiskError` where the store can't be written.
        """
        return asyncio.run(Pull(self._shelf, store, tell, without=without).bring(objects, actions))

    def push(
        self,
        store: Store,
        objects: Collection[Digest],
        actions: Collection[Digest],
        tell: Tell = lambda _: None,
        *,
        verify: bool = False,
    ) -> Pushed:
        """Send what the remote lacks of `objects` and `actions`, and what these actions name.

        Objects before actions. With `verify`, what the remote has is read back, and overwritten where it is
        not what its digest says; without, its size alone is looked at. What `store` lacks, too, is no error,
        but told. Safe beside builds and other pushes; what was sent stays, whatever ends it. `tell` is called
        in this thread.

        Raises `RemoteError` where the remote is not to be written or can't be, `DiskError` where the store
        can't be read.
        """
        self.check_writable()
        return asyncio.run(Push(self._shelf, store, tell, verify=verify).send(objects, actions))

    def check_writable(self) -> None:
        """Raise `RemoteError` where nobody said that it may be written from here."""
        if not self._writable:
            raise RemoteError(
                f"the remote `{self._settings.url}` is read-only here",
                f"set `write = true` in `[remote]`, or `{WRITE}=1` in CI",
            )
