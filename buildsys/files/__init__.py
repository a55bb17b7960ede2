"""Files: one durable write, one checked copy, digests, the stat index, and a checkout's lock."""

from __future__ import annotations

from buildsys.files.checkout import ExclusiveLock
from buildsys.files.content import digest_file, inside, place
from buildsys.files.durable import make_folder, sweep, write_durably
from buildsys.files.index import StatIndex

__all__ = [
    "ExclusiveLock",
    "StatIndex",
    "digest_file",
    "inside",
    "make_folder",
    "place",
    "sweep",
    "write_durably",
]
