"""The `[remote]` table as it is written: which addresses and servers it takes.

Knows nothing of what lies there. Credentials are none of its keys: a manifest is committed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from buildsys.manifest.kinds import Kind
from buildsys.manifest.sharing import Remote
from buildsys.manifest.source import Fault

Json: TypeAlias = Any

_PATTERN: Final = r"^(?:(?:s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]*(?:/[^?#\s\\]*)?|file:///[^?#\\]+)$"
_URL: Final = re.compile(_PATTERN)
_ENDPOINT_PATTERN: Final = r"^https?://[^\s/?#@]+(?:/[^\s?#@]*)?$"
_ENDPOINT: Final = re.compile(_ENDPOINT_PATTERN)

URL: Final = Kind(
    "the address of a bucket (`s3://`, `gs://`, `az://`) or of a folder (`file:///`)",
    '"s3://my-bucket/artlock"',
    lambda value: isinstance(value, str) and _is_address(value),
    {"type": "string", "pattern": _PATTERN},
)
ENDPOINT: Final = Kind(
    "the address of a server",
    '"https://storage.example.com"',
    lambda value: isinstance(value, str) and value.isprintable() and _ENDPOINT.fullmatch(value) is not None,
    {"type": "string", "pattern": _ENDPOINT_PATTERN},
)

_WHERE: Final = {"endpoint": ("s3", "az"), "region": ("s3",), "anonymous": ("s3", "gs", "az")}
"""Keys that only some remotes have."""


def read(table: Mapping[str, Json]) -> Remote | None:
    """The remote that `table` tells of; None where it says nothing. Raises `Fault`."""
    if not table:
        return None
    remote: Remote = msgspec.convert(dict(table), Remote)
    for key, schemes in _WHERE.items():
        if key in table and remote.scheme not in schemes:
            fact = f"`{key}` is nothing that a remote at `{remote.scheme}://` has"
            raise Fault(fact, f"remove `{key}`", ("remote", key), at_key=True)
    return remote


def _is_address(value: str) -> bool:
    segments = value.partition("://")[2].strip("/").split("/")
    return value.isprintable() and _URL.fullmatch(value) is not None and {"", ".", ".."}.isdisjoint(segments)
