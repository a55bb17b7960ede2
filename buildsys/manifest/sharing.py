"""Where a copy of the store lies that people and CI share: the value. How it is written is told in `remotes`.

Knows nothing of how bytes get there.
"""

from __future__ import annotations

from urllib.parse import unquote

import msgspec


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """The `[remote]` table."""

    url: str
    """`s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` or `file:///folder`."""
    write: bool = False
    """Whether a push may write there without CI saying so."""
    endpoint: str = ""
    """The server, where it is not the provider's own."""
    region: str = ""
    anonymous: bool = False
    """Whether it is read without credentials."""

    @property
    def scheme(self) -> str:
        """`s3`, `gs`, `az` or `file`."""
        return self.url.partition("://")[0]

    @property
    def bucket(self) -> str:
        """The bucket, or Azure's container; empty of a folder."""
        return self.url.partition("://")[2].partition("/")[0]

    @property
    def prefix(self) -> str:
        """What comes before every key, without a slash at either end; of a folder, its absolute path."""
        path = self.url.partition("://")[2].partition("/")[2].strip("/")
        return f"/{unquote(path)}" if self.scheme == "file" else path
