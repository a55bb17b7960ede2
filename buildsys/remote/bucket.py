"""The remote's objects and actions by digest: what is there, and one of them read or written.

Knows nothing of the local store, nor of what is worth moving. Raises `RemoteError` for whatever obstore
says, and nothing else of the network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from buildsys.digest import Digest
from buildsys.errors import RemoteError
from buildsys.manifest.sharing import Remote as Settings
from buildsys.remote.complaint import complaint
from buildsys.remote.crew import Hold, each
from buildsys.remote.model import Patience
from buildsys.store.objects import LAYOUT

if TYPE_CHECKING:
    from buildsys.remote.connect import Bucket

LISTED_FROM: Final = 256
"""So many digests are looked up by listing what is there, fewer one by one; measured in
`benchmarks/remote.py`."""

_PAGES: Final = 10
"""A remote that fills more pages is listed folder by folder, many at once: a page follows on the one before
it, so that all in one go takes as long as it has pages."""

_PART: Final = 8 << 20
"""What is larger goes up in parts, so that a broken connection costs one of them."""

_PAGE: Final = 1000
"""As many as a server lists at once."""

_NO_BUCKET: Final = ("NoSuchBucket", "ContainerNotFound")
"""By these words alone servers tell, in a 404, that it is not only the object that is not there."""

_LARGEST: Final = 1 << 30
"""No picture is larger; what says that it is would only fill the memory."""


class Kind(StrEnum):
    """What lies under a digest; also the folder's name."""

    OBJECT = "objects"
    ACTION = "actions"


class Wrong(Exception):  # noqa: N818 - caught by whoever asked; a person never sees it
    """What lies under a digest is something else, however often it is read."""


class _Torn(Exception):  # noqa: N818 - as above
    """A body that ended early, for which there is an `error`, or has other bytes."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error


class Shelf:
    """A bucket or a folder, and how patiently it is asked."""

    def __init__(self, bucket: Bucket, settings: Settings, patience: Patience) -> None:
        self._bucket = bucket
        self._settings = settings
        self._patience = patience

    def place_of(self, kind: Kind, digest: Digest) -> str:
        """The address of what lies under `digest`, or would."""
        return f"{self._settings.url.rstrip('/')}/{_key(kind, digest)}"

    async def sizes(self, kind: Kind, wanted: Collection[Digest]) -> dict[Digest, int]:
        """Of `wanted` those that are there, and how many bytes each has."""
        found: dict[Digest, int] = {}

        async def ask(digest: Digest) -> None:
            with suppress(FileNotFoundError), self._told():
                found[digest] = (await self._bucket.head_async(_key(kind, digest)))["size"]

        if len(wanted) < LISTED_FROM:
            await each(wanted, ask)
            return found
        listed = await self._listed(kind, "", _PAGES)
        if listed is None:
            listed = {}

            async def list_folder(folder: str) -> None:
                listed.update(await self._listed(kind, folder) or {})

            await each(sorted({digest[:2] for digest in wanted}), list_folder)
        return {digest: listed[digest] for digest in wanted if digest in listed}

    async def _listed(self, kind: Kind, folder: str, pages: int = 0) -> dict[Digest, int] | None:
        """What is there and how large, all of it or in one of its folders; None where it fills `pages`."""
        start = f"{LAYOUT}/{kind}/{folder}".rstrip("/")
        found: dict[Digest, int] = {}
        with suppress(FileNotFoundError), self._told():  # a folder on a disk may not be there yet
            async for page in self._bucket.list(start, chunk_size=_PAGE):
                for item in page:
                    found[Digest("".join(item["path"].split("/")[-2:]))] = item["size"]
                if pages and len(found) >= pages * _PAGE:
                    return None
        return found

    async def read(self, kind: Kind, digest: Digest, take: Callable[[bytes], bool], hold: Hold) -> int | None:
        """Have `take` judge and keep what lies under `digest`; its bytes, or None where it is absent.

        `take` is called in a thread, and says whether the bytes are right; it is asked again, with what is
        read again, where they are not. Raises `Wrong`, and whatever `take` raises.
        """
        tries = AsyncRetrying(
            stop=stop_after_attempt(self._patience.reads),
            wait=wait_random_exponential(self._patience.pause.total_seconds(), max=5),
            retry=retry_if_exception_type(_Torn),
            reraise=True,
        )
        try:
            return await tries(self._read, kind, digest, take, hold)
        except _Torn as error:
            if error.error is None:
                raise Wrong from error
            raise complaint(error.error, self._settings) from error

    async def write(self, kind: Kind, digest: Digest, data: bytes) -> None:
        """Put `data` there. It appears whole or not at all, in place of what is there."""
        key = _key(kind, digest)
        with self._told(written=True):
            await self._bucket.put_async(key, data, use_multipart=len(data) > _PART)
            if self._settings.scheme == "file":
                # No server checks what a disk took; what it says now may still be the cache's.
                back = await (await self._bucket.get_async(key)).bytes_async()
                if back != data:
                    raise RemoteError(
                        f"the remote `{self._settings.url}` received other bytes than were sent",
                        "check the disk",
                    )

    async def _read(
        self, kind: Kind, digest: Digest, take: Callable[[bytes], bool], hold: Hold
    ) -> int | None:
        from obstore.exceptions import BaseError  # noqa: PLC0415 - an extra; see `connect`

        try:
            with self._told():
                answer = await self._bucket.get_async(_key(kind, digest))
        except FileNotFoundError:
            return None
        if answer.meta["size"] > _LARGEST:
            raise _Torn
        await hold.need(answer.meta["size"])
        try:
            data = bytes(await answer.bytes_async())
        except BaseError as error:
            raise _Torn(error) from error
        if not await asyncio.to_thread(take, data):
            raise _Torn
        return len(data)

    @contextmanager
    def _told(self, *, written: bool = False) -> Iterator[None]:
        """Tell what is wrong as a `RemoteError`; that only an object is not there, as `FileNotFoundError`.

        One that is `written` can't be what is not there.
        """
        from obstore.exceptions import BaseError  # noqa: PLC0415 - an extra; see `connect`

        try:
            yield
        except FileNotFoundError as error:
            if written or any(word in str(error) for word in _NO_BUCKET):
                raise complaint(error, self._settings) from error
            raise
        except BaseError as error:
            raise complaint(error, self._settings) from error


def _key(kind: Kind, digest: Digest) -> str:
    return f"{LAYOUT}/{kind}/{digest[:2]}/{digest[2:]}"
